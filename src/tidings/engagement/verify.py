"""Checking every quote against what is stored: the difference between a source and a claim.

A quote stands when, after normalising white space and quotation marks, it is an exact substring of
the text it points at (engagement.md, "The run", 4). Pure: the texts are handed in.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from tidings.ai.engines.local import Draft
from tidings.ai.engines.local.reading import Evidence as Claim
from tidings.ai.evidence import is_quoted
from tidings.engagement.record import Evidence, SummaryEvidence, SummaryTheme, Unverified

Place = tuple[str, str]
"""(meeting id, segment id); the segment id is "" for the meeting's own summary."""


class Stated(Protocol):
    """A line and where it claims to come from."""

    @property
    def text(self) -> str: ...
    @property
    def evidence(self) -> Sequence[Claim]: ...


class Source(msgspec.Struct, frozen=True):
    """A stored text that quotes may point at, and how to open it."""

    text: str
    at: str | None = None
    url: str | None = None


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The lines that stand, their evidence, and those that do not."""

    overview: list[str]
    themes: list[SummaryTheme]
    goals: list[str]
    challenges: list[str]
    risks: list[str]
    recommendations: list[str]
    evidence: SummaryEvidence
    unverified: list[Unverified]
    quotes_checked: int


def places(draft: Draft) -> set[Place]:
    """Every place that the draft points at."""
    return {
        (claim.meeting_id, claim.segment_id) for item in _items(draft) for claim in item.evidence
    }


def count_quotes(draft: Draft) -> int:
    """How many quotes `verify` will check."""
    return sum(len(item.evidence) for item in _lines(draft))


def verify(draft: Draft, sources: Mapping[Place, Source]) -> Verified:
    """Keep what its quotes carry; name the rest. A line needs one quote that stands."""
    checker = _Checker(sources)
    overview, overview_evidence = checker.lines("overview", draft.overview)
    goals, goals_evidence = checker.lines("goals", draft.goals)
    challenges, challenges_evidence = checker.lines("challenges", draft.challenges)
    risks, risks_evidence = checker.lines("risks", draft.risks)
    proposals, proposals_evidence = checker.lines("recommendations", draft.recommendations)
    themes = checker.standing(
        "themes", [_Named(t.topic, t.evidence, t.mentions) for t in draft.themes]
    )
    return Verified(
        overview=overview,
        themes=[SummaryTheme(theme.text, theme.mentions) for theme, _ in themes],
        goals=goals,
        challenges=challenges,
        risks=risks,
        recommendations=proposals,
        evidence=SummaryEvidence(
            overview=overview_evidence,
            themes=[found for _, found in themes],
            goals=goals_evidence,
            challenges=challenges_evidence,
            risks=risks_evidence,
            recommendations=proposals_evidence,
        ),
        unverified=checker.unverified,
        quotes_checked=checker.checked,
    )


def standing(claims: Sequence[Claim], sources: Mapping[Place, Source]) -> list[Evidence]:
    """The claims whose quote is found where it points, as evidence."""
    return [
        Evidence(
            meeting_id=UUID(claim.meeting_id),
            segment_id=UUID(claim.segment_id) if claim.segment_id else None,
            quote=claim.quote,
            at=source.at,
            url=source.url,
        )
        for claim in claims
        if (source := sources.get((claim.meeting_id, claim.segment_id))) is not None
        and is_quoted(claim.quote, source.text)
    ]


class _Named(msgspec.Struct, frozen=True):
    """A theme as a line."""

    text: str
    evidence: Sequence[Claim]
    mentions: int


S = TypeVar("S", bound=Stated)


class _Checker:
    def __init__(self, sources: Mapping[Place, Source]) -> None:
        self._sources = sources
        self.unverified: list[Unverified] = []
        self.checked = 0

    def lines(self, name: str, items: Sequence[Stated]) -> tuple[list[str], list[list[Evidence]]]:
        stands = self.standing(name, items)
        return [item.text for item, _ in stands], [found for _, found in stands]

    def standing(self, name: str, items: Sequence[S]) -> list[tuple[S, list[Evidence]]]:
        kept: list[tuple[S, list[Evidence]]] = []
        for item in items:
            self.checked += len(item.evidence)
            found = standing(item.evidence, self._sources)
            if found:
                kept.append((item, found))
            else:
                self.unverified.append(Unverified(name, item.text))
        return kept


def _items(draft: Draft) -> Iterator[Stated]:
    yield from _lines(draft)
    yield from draft.decisions


def _lines(draft: Draft) -> Iterator[Stated]:
    yield from draft.overview
    yield from draft.goals
    yield from draft.challenges
    yield from draft.risks
    yield from draft.recommendations
    yield from (_Named(t.topic, t.evidence, t.mentions) for t in draft.themes)
