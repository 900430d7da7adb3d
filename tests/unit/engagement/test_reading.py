"""One meeting in windows for a provider, and its answers made the reading that is stored."""

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.engines.local import Reading, Utterance
from tidings.engagement.reading import (
    READ_MEETING,
    WINDOW_CHARS,
    ReadAnswer,
    Window,
    merge,
    windows,
)


def said(*texts: str) -> list[Utterance]:
    return [Utterance(f"s{n}", "Ana", text, "00:00:01") for n, text in enumerate(texts)]


def accept(window: Window, **answer: object) -> Reading:
    return READ_MEETING.accept(window, ReadAnswer.model_validate({"findings": [], **answer}))


def test_a_meeting_without_words_has_no_window() -> None:
    for engine in ("local", "openai:m"):
        assert list(windows([], "en", engine)) == []
    assert merge([], "en") == Reading(supported=False, language="en")


def test_the_local_engine_gets_the_meeting_whole() -> None:
    meeting = said(*["x" * WINDOW_CHARS] * 3)
    assert list(windows(meeting, "en", "local")) == [Window(meeting, "en", range(3))]


@given(st.lists(st.integers(1, WINDOW_CHARS * 2), min_size=1, max_size=20))
def test_windows_hold_everything_once_in_order(sizes: list[int]) -> None:
    meeting = said(*("x" * size for size in sizes))
    found = list(windows(meeting, "de", "openai:m"))
    told = [(at, u) for w in found for at, u in zip(w.positions, w.utterances, strict=True)]
    assert [at for at, _ in told] == sorted(at for at, _ in told)
    for place, whole in enumerate(meeting):
        pieces = [u for at, u in told if at == place]
        assert "".join(u.text for u in pieces) == whole.text
        assert {u.id for u in pieces} == {whole.id}
    for window in found:
        assert window.utterances
        assert len(READ_MEETING.render(window)) <= WINDOW_CHARS


def test_an_endless_utterance_is_cut_at_spaces() -> None:
    (long,) = said("word " * WINDOW_CHARS)
    found = list(windows([long], "en", "openai:m"))
    assert len(found) > 4
    assert "".join(w.utterances[0].text for w in found) == long.text
    assert all(w.utterances[0].text.endswith(" ") for w in found[:-1])
    reading = accept(found[1], topics=[{"topic": "x", "segments": [0]}])
    assert reading.phrases[0].segments == (0,)


def test_many_short_utterances_fit_with_their_labels() -> None:
    meeting = said(*["Yeah."] * 9600)
    found = list(windows(meeting, "en", "openai:m"))
    assert sum(len(window.utterances) for window in found) == 9600
    assert all(len(READ_MEETING.render(window)) <= WINDOW_CHARS for window in found)


def test_utterances_are_numbered_with_speaker_and_time() -> None:
    window = Window([*said("Hello"), Utterance("s1", "", "Who?", None)], "en", [0, 1])
    assert READ_MEETING.render(window) == "[0] Ana (00:00:01): Hello\n[1] Unknown: Who?"


def test_numbers_become_segments_and_order_becomes_rank() -> None:
    window = Window(said("The goal is May.", "The risk is June."), "en", [40, 41])
    reading = accept(
        window,
        findings=[
            {"kind": "goal", "text": " May ", "segment": 0, "quote": "goal is May"},
            {"kind": "risk", "text": "June", "segment": 1, "quote": "risk is June"},
        ],
        topics=[{"topic": " Dates ", "segments": [1, 0, 1]}],
    )
    assert [(f.kind, f.text, f.segment_id, f.quote) for f in reading.findings] == [
        ("goal", "May", "s0", "goal is May"),
        ("risk", "June", "s1", "risk is June"),
    ]
    assert reading.findings[0].score > reading.findings[1].score
    (phrase,) = reading.phrases
    assert (phrase.key, phrase.topic, phrase.segments) == ("dates", "Dates", (40, 41))
    assert [m.segment_id for m in phrase.mentions] == ["s0", "s1"]
    assert (reading.supported, reading.segments) == (True, 2)


@given(st.lists(st.integers(-3, 5), min_size=1, max_size=9))
def test_numbers_that_nothing_has_are_dropped(numbers: list[int]) -> None:
    reading = accept(
        Window(said("One", "Two"), "en", [0, 1]),
        findings=[
            {"kind": "goal", "text": "x", "segment": number, "quote": "x"} for number in numbers
        ],
        topics=[{"topic": "x", "segments": numbers}],
    )
    real = [number for number in numbers if number in (0, 1)]
    assert [f.segment_id for f in reading.findings] == [f"s{number}" for number in real]
    assert [p.segments for p in reading.phrases] == ([tuple(sorted(set(real)))] if real else [])


@given(st.text(min_size=1, max_size=600).filter(str.strip))
def test_a_mention_is_verbatim_and_short(text: str) -> None:
    reading = accept(Window(said(text), "en", [0]), topics=[{"topic": "x", "segments": [0]}])
    (mention,) = reading.phrases[0].mentions
    assert text.startswith(mention.quote)
    assert 0 < len(mention.quote) <= 240


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"INVALID_JSON": "sorry"},
        {"topics": []},
        {"findings": [{"kind": "poem", "text": "x", "segment": 0, "quote": "x"}]},
        {"findings": [{"kind": "goal", "text": "", "segment": 0, "quote": "x"}]},
        {"findings": [{"kind": "goal", "text": "x", "segment": 0}]},
        {"findings": [], "topics": [{"topic": "x", "segments": []}]},
    ],
)
def test_what_is_no_answer(answer: dict[str, object]) -> None:
    with pytest.raises(pydantic.ValidationError):
        ReadAnswer.model_validate(answer)


def test_windows_merge_in_order() -> None:
    first = accept(
        Window(said("a", "b"), "en", [0, 1]),
        findings=[{"kind": "goal", "text": "x", "segment": 0, "quote": "a"}],
        topics=[{"topic": "t", "segments": [0]}],
    )
    second = accept(Window(said("c"), "en", [2]), topics=[{"topic": "t", "segments": [0]}])
    whole = merge([first, second], "en")
    assert (whole.segments, whole.supported, whole.language) == (3, True, "en")
    assert whole.findings == first.findings
    assert [p.segments for p in whole.phrases] == [(0,), (2,)]
    assert merge([second], "en") is second
