"""Checking every quote against the messages, and what else is told of them by counting. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from tidings.ai.evidence import is_quoted
from tidings.messages.quotes import unmarked
from tidings.summaries.draft import Claim, Draft, Line
from tidings.summaries.record import (
    ActionItem,
    Content,
    Evidence,
    Highlight,
    Participant,
    SummaryEvidence,
    Unverified,
)
from tidings.summaries.windows import Message, said_in

TOP, ALL = 3, 100
"""Participants named of a digest, and of anything else."""
SHOWN_EVIDENCE = 6
"""Quotes kept for one line: enough to check it, few enough to read."""
NOTHING = "Nobody wrote anything that could be summarised."
UNVERIFIED = "Nothing of what the engine wrote could be verified."
LEAD = 3
"""Points that stand for a summary of which no sentence stands."""


class Verified(msgspec.Struct, frozen=True):
    """A line that stands."""

    line: Line
    evidence: list[Evidence]


class _Checker:
    def __init__(self, messages: Mapping[str, Message]) -> None:
        self._messages = messages
        self.unverified: list[Unverified] = []
        self.checked = 0

    def lines(self, name: str, lines: Sequence[Line]) -> list[Verified]:
        """The lines with a quote that stands; the others are named."""
        kept: list[Verified] = []
        for line in lines:
            self.checked += len(line.evidence)
            found = [one for claim in line.evidence if (one := self._evidence(claim)) is not None]
            if found:
                kept.append(Verified(line, found[:SHOWN_EVIDENCE]))
            else:
                self.unverified.append(Unverified(name, line.text))
        return kept

    def _evidence(self, claim: Claim) -> Evidence | None:
        message = self._messages.get(claim.message_id)
        if message is None:
            return None
        words, said_by = said_in(message)
        if not (is_quoted(claim.quote, words) and is_quoted(claim.quote, unmarked(message.body))):
            return None
        sender = message.sender
        if said_by != sender:
            sender = f"{said_by}, forwarded by {sender}"
        return Evidence(message.id, message.channel_id, claim.quote, sender, message.sent_at)


def conclude(
    draft: Draft, messages: Sequence[Message], channels: Mapping[UUID, str], *, is_digest: bool
) -> Content:
    """The draft's lines whose quotes stand, and who wrote how much."""
    checker = _Checker({str(message.id): message for message in messages})
    summary = checker.lines("summary", draft.summary)
    points = checker.lines("key_points", draft.key_points)
    actions = checker.lines("action_items", draft.action_items)
    decisions = checker.lines("decisions", draft.decisions)
    questions = checker.lines("open_questions", draft.open_questions)
    summary = summary or points[:LEAD]
    sentences = [one.line.text for one in summary]
    nothing = UNVERIFIED if checker.unverified else NOTHING
    times = [message.sent_at for message in messages]
    return Content(
        summary_text=" ".join(map(_ended, sentences)) or nothing,
        summary_sentences=sentences,
        key_points=[one.line.text for one in points],
        action_items=[ActionItem(a.line.text, a.line.owner, a.line.due) for a in actions],
        decisions=[one.line.text for one in decisions],
        open_questions=[one.line.text for one in questions],
        participants=participants(messages, TOP if is_digest else ALL),
        highlights=_highlights(points, messages, channels),
        evidence=SummaryEvidence(
            summary=[one.evidence for one in summary],
            key_points=[one.evidence for one in points],
            action_items=[one.evidence for one in actions],
            decisions=[one.evidence for one in decisions],
            open_questions=[one.evidence for one in questions],
        ),
        unverified=checker.unverified,
        quotes_checked=checker.checked,
        message_count=len(messages),
        from_at=min(times, default=None),
        until_at=max(times, default=None),
    )


def participants(messages: Sequence[Message], most: int = ALL) -> list[Participant]:
    """Who wrote, most messages first."""
    counts = Counter(message.sender for message in messages)
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [Participant(name, count) for name, count in ranked[:most]]


def _ended(sentence: str) -> str:
    """A sentence that others follow; what was written in chat often ends in nothing."""
    return sentence if sentence[-1:] in ".!?…" else f"{sentence}."


def _highlights(
    points: Sequence[Verified], messages: Sequence[Message], channels: Mapping[UUID, str]
) -> list[Highlight]:
    counts = Counter(message.channel_id for message in messages)
    said: dict[UUID, list[str]] = {}
    for point in points:
        said.setdefault(point.evidence[0].channel_id, []).append(point.line.text)
    return [
        Highlight(channel_id, channels[channel_id], count, said.get(channel_id, []))
        for channel_id, count in counts.most_common()
        if channel_id in channels
    ]
