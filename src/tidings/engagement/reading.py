"""Reading one meeting: by the local engine, or by a provider, window by window.

Both answer with the same `Reading`, so that what is stored and reduced does not depend on who read.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from pydantic import BaseModel, Field

from tidings.ai.engine_name import LOCAL
from tidings.ai.engines.local import Reading, Utterance, read_meeting
from tidings.ai.engines.local.reading import Finding, Highlight, Mention, Phrase
from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt

LOCAL_VERSION = "local-2"
WINDOW_CHARS = 48_000
"""Characters of transcript in one provider call, about 12,000 tokens: none is cut silently."""


class Window(msgspec.Struct, frozen=True):
    """Consecutive utterances of one meeting; `first` is the 0-based position of the first."""

    utterances: Sequence[Utterance]
    language: str
    first: int = 0


class ReadFinding(BaseModel):
    """One finding of a provider."""

    kind: Literal["goal", "challenge", "risk", "recommendation", "decision", "action"]
    text: str = Field(min_length=1, max_length=400)
    segment: int
    quote: str = Field(min_length=1, max_length=2000)


class ReadTopic(BaseModel):
    """One topic of a provider."""

    topic: str = Field(min_length=1, max_length=80)
    segments: list[int] = Field(min_length=1)


class ReadHighlight(BaseModel):
    """One highlight of a provider."""

    text: str = Field(min_length=1, max_length=500)
    segment: int
    quote: str = Field(min_length=1, max_length=2000)


class ReadAnswer(BaseModel):
    """What a provider answers for one window; an object that says nothing is no answer."""

    findings: list[ReadFinding] = Field(max_length=30)
    topics: list[ReadTopic] = Field(default_factory=list, max_length=20)
    highlights: list[ReadHighlight] = Field(default_factory=list, max_length=6)


def windows(utterances: Sequence[Utterance], language: str, engine: str) -> Iterator[Window]:
    """The meeting whole for the local engine, in windows of `WINDOW_CHARS` for a provider.

    None of a meeting without words: there is nothing to ask anybody about.
    """
    if not utterances:
        return
    if engine == LOCAL:
        yield Window(utterances, language)
        return
    start, size = 0, 0
    for position, said in enumerate(utterances):
        if size and size + len(said.text) > WINDOW_CHARS:
            yield Window(utterances[start:position], language, start)
            start, size = position, 0
        size += len(said.text)
    yield Window(utterances[start:], language, start)


def merge(readings: Sequence[Reading], language: str) -> Reading:
    """The readings of a meeting's windows as one; of no window, that nothing was read."""
    if len(readings) == 1:
        return readings[0]
    return Reading(
        supported=any(reading.supported for reading in readings),
        language=language,
        segments=sum(reading.segments for reading in readings),
        findings=tuple(f for reading in readings for f in reading.findings),
        phrases=tuple(p for reading in readings for p in reading.phrases),
        highlights=tuple(h for reading in readings for h in reading.highlights),
    )


def _local(window: Window) -> Reading:
    return read_meeting(window.utterances, language=window.language)


def _render(window: Window) -> str:
    return "\n".join(
        f"[{number}] {said.speaker or 'Unknown'}{f' ({said.at})' if said.at else ''}: {said.text}"
        for number, said in enumerate(window.utterances)
    )


def _accept(window: Window, answer: ReadAnswer) -> Reading:
    said = window.utterances

    def known(number: int) -> bool:
        return 0 <= number < len(said)

    findings = tuple(
        # A provider ranks by order, so that is the score.
        Finding(f.kind, f.text.strip(), said[f.segment].id, f.quote, 1.0 / (1 + place))
        for place, f in enumerate(answer.findings)
        if known(f.segment)
    )
    highlights = tuple(
        Highlight(h.quote, said[h.segment].id, 1.0 / (1 + place))
        for place, h in enumerate(answer.highlights)
        if known(h.segment)
    )
    return Reading(
        supported=True,
        language=window.language,
        segments=len(said),
        findings=findings,
        phrases=tuple(filter(None, (_phrase(window, t) for t in answer.topics))),
        highlights=highlights,
    )


def _phrase(window: Window, topic: ReadTopic) -> Phrase | None:
    numbers = sorted({n for n in topic.segments if 0 <= n < len(window.utterances)})
    if not numbers:
        return None
    said = window.utterances
    return Phrase(
        key=topic.topic.casefold().strip(),
        topic=topic.topic.strip(),
        score=float(len(numbers)),
        segments=tuple(window.first + n for n in numbers),
        mentions=tuple(Mention(said[n].id, _opening(said[n].text)) for n in numbers[:3]),
    )


def _opening(text: str) -> str:
    """The first words of an utterance, cut at a word: verbatim, short enough to show."""
    return text if len(text) <= 240 else text[:240].rsplit(" ", 1)[0]


READ_MEETING: Operation[Window, Reading] = Operation(
    name="engagement.read_meeting",
    prompt=load_prompt("tidings.engagement", "read_meeting"),
    schema=ReadAnswer,
    local=_local,
    render=_render,
    accept=_accept,
    local_version=LOCAL_VERSION,
)
