"""Reading one meeting: by the local engine, or by a provider, window by window.

Both answer with the same `Reading`, so that what is stored and reduced does not depend on who read.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from pydantic import BaseModel, Field

from tidings.ai.engine_name import LOCAL
from tidings.ai.engines.local import Reading, Utterance, read_meeting
from tidings.ai.engines.local.reading import Finding, Mention, Phrase
from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt

LOCAL_VERSION = "local-2"
WINDOW_CHARS = 48_000
"""Characters of transcript in one provider call, about 12,000 tokens: none is cut silently."""
_LABEL_CHARS = 24
"""Characters before the words of an utterance, beside the speaker's name: number and time."""


class Window(msgspec.Struct, frozen=True):
    """Consecutive utterances of one meeting and their 0-based positions in it.

    An utterance that is longer than a window comes in pieces, which share id and position.
    """

    utterances: Sequence[Utterance]
    language: str
    positions: Sequence[int]


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


class ReadAnswer(BaseModel):
    """What a provider answers for one window; an object that says nothing is no answer."""

    findings: list[ReadFinding] = Field(max_length=30)
    topics: list[ReadTopic] = Field(default_factory=list, max_length=20)


def windows(utterances: Sequence[Utterance], language: str, engine: str) -> Iterator[Window]:
    """The meeting whole for the local engine, in windows of `WINDOW_CHARS` for a provider.

    None of a meeting without words: there is nothing to ask anybody about.
    """
    if not utterances:
        return
    if engine == LOCAL:
        yield Window(utterances, language, range(len(utterances)))
        return
    held: list[tuple[int, Utterance]] = []
    size = 0
    for position, said in enumerate(utterances):
        for piece in _pieces(said):
            length = len(piece.text) + len(piece.speaker) + _LABEL_CHARS
            if held and size + length > WINDOW_CHARS:
                yield _window(held, language)
                held, size = [], 0
            held.append((position, piece))
            size += length
    yield _window(held, language)


def _window(held: Sequence[tuple[int, Utterance]], language: str) -> Window:
    return Window([said for _, said in held], language, [position for position, _ in held])


def _pieces(said: Utterance) -> Iterator[Utterance]:
    """The utterance, or verbatim parts of it that each fit in a window, cut at a space."""
    rest = said.text
    longest = max(WINDOW_CHARS // 2, WINDOW_CHARS - len(said.speaker) - _LABEL_CHARS)
    while len(rest) > longest:
        cut = rest.rfind(" ", longest // 2, longest) + 1 or longest
        yield msgspec.structs.replace(said, text=rest[:cut])
        rest = rest[cut:]
    yield msgspec.structs.replace(said, text=rest)


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
    return Reading(
        supported=True,
        language=window.language,
        segments=len(said),
        findings=findings,
        phrases=tuple(filter(None, (_phrase(window, t) for t in answer.topics))),
    )


def _phrase(window: Window, topic: ReadTopic) -> Phrase | None:
    numbers = sorted({n for n in topic.segments if 0 <= n < len(window.utterances)})
    if not numbers:
        return None
    said = window.utterances
    places = {window.positions[n] for n in numbers}
    return Phrase(
        key=topic.topic.casefold().strip(),
        topic=topic.topic.strip(),
        score=float(len(places)),
        segments=tuple(sorted(places)),
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
