"""From the readings of all windows to one draft: by the local engine, or by a provider."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt
from tidings.summaries.draft import (
    MOST_HIGHLIGHTS,
    Claim,
    Draft,
    Finding,
    Heard,
    Line,
    Reduction,
)
from tidings.summaries.due import as_due
from tidings.summaries.local import LOCAL_VERSION, reduce_readings
from tidings.summaries.reading import flat, named

MOST_FINDINGS = 400
"""Findings handed to a provider's reduction: the best of each window in turn, then the second…"""
_PURPOSES = {"daily_digest": "daily digest", "catch_up": "catch-up"}


class ReducedLine(BaseModel):
    """One line and the numbers of the findings it rests on."""

    text: str = Field(min_length=1, max_length=500)
    sources: list[int] = Field(min_length=1, max_length=20)


class ReducedAction(ReducedLine):
    """Something to do."""

    owner: str | None = Field(default=None, max_length=200)
    due: str | None = Field(default=None, max_length=40)


class ReducedAnswer(BaseModel):
    """What a provider answers for all windows; an object that says nothing is no answer."""

    summary: list[ReducedLine] = Field(max_length=5)
    key_points: list[ReducedLine] = Field(default_factory=list, max_length=MOST_HIGHLIGHTS)
    action_items: list[ReducedAction] = Field(default_factory=list, max_length=15)
    decisions: list[ReducedLine] = Field(default_factory=list, max_length=15)
    open_questions: list[ReducedLine] = Field(default_factory=list, max_length=10)


def numbered_findings(heard: Sequence[Heard]) -> list[tuple[str, Finding]]:
    """The findings with their channels in the order they are numbered: oldest window first, a fair
    share of each where they are too many."""
    room = MOST_FINDINGS
    shares = [0] * len(heard)
    ranked = [sorted(one.reading.findings, key=lambda f: -f.score) for one in heard]
    for rank in range(max(map(len, ranked), default=0)):
        # Newest first: where the room ends within a rank, the older windows go without.
        for place in reversed(range(len(ranked))):
            if room and rank < len(ranked[place]):
                shares[place] += 1
                room -= 1
    return [
        (one.channel, finding)
        for one, findings, share in zip(heard, ranked, shares, strict=True)
        for finding in findings[:share]
    ]


def _render(reduction: Reduction) -> str:
    """One line each, so that no text of a finding looks like a finding of its own."""
    lines = [
        flat(f"[{number}] {_told(finding)}, #{channel}, {finding.at:%Y-%m-%d}: {finding.text}")
        for number, (channel, finding) in enumerate(numbered_findings(reduction.heard))
    ]
    return "\n".join([_PURPOSES.get(reduction.purpose, reduction.purpose), "", *lines])


def _told(finding: Finding) -> str:
    owner = f" of {finding.owner}" if finding.owner else ""
    return f"{finding.kind}{owner}{f' due {finding.due}' if finding.due else ''}"


def _accept(reduction: Reduction, answer: ReducedAnswer) -> Draft:
    findings = [finding for _, finding in numbered_findings(reduction.heard)]

    def lines(answered: Sequence[ReducedLine]) -> tuple[Line, ...]:
        return tuple(_line(line, findings) for line in answered if line.text.strip())

    return Draft(
        summary=lines(answer.summary),
        key_points=lines(answer.key_points),
        action_items=lines(answer.action_items),
        decisions=lines(answer.decisions),
        open_questions=lines(answer.open_questions),
    )


def _line(line: ReducedLine, findings: Sequence[Finding]) -> Line:
    known = [findings[n] for n in dict.fromkeys(line.sources) if 0 <= n < len(findings)]
    evidence = tuple(dict.fromkeys(Claim(found.message_id, found.quote) for found in known))
    if not isinstance(line, ReducedAction):
        return Line(line.text.strip(), evidence)
    words = "\n".join(f"{f.owner or ''}\n{f.text}\n{f.quote}" for f in known).casefold()
    dues = {found.due for found in known if found.due is not None}
    due = as_due(line.due)
    # A date that no finding gave was made up on the way.
    return Line(line.text.strip(), evidence, named(line.owner, words), due if due in dues else None)


REDUCE: Operation[Reduction, Draft] = Operation(
    name="summaries.reduce",
    prompt=load_prompt("tidings.summaries", "reduce"),
    schema=ReducedAnswer,
    local=reduce_readings,
    render=_render,
    accept=_accept,
    local_version=LOCAL_VERSION,
)
