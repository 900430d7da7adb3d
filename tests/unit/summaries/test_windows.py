"""Windows lose nothing and stay as they are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.summaries import windows as module
from tidings.summaries.windows import WINDOW_MESSAGES, Message, Span, left_out, windows

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHANNEL, OTHER = UUID(int=1), UUID(int=2)


def messages(bodies: list[str], channel: UUID = CHANNEL, first: int = 0) -> list[Message]:
    return [
        Message(UUID(int=channel.int * 100_000 + n), channel, n + 1, "Ana", body, START, n)
        for n, body in enumerate(bodies, first)
    ]


@given(bodies=st.lists(st.text(max_size=60), max_size=30), chars=st.integers(20, 200))
def test_every_word_is_in_one_window(bodies: list[str], chars: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "WINDOW_CHARS", chars)
        patched.setattr(module, "WINDOW_MESSAGES", 7)
        found = windows(messages(bodies))
        said = {m.id: m.body for m in messages(bodies) if m.body.strip()}
        for window in found:
            assert sum(len(part.text) for part in window.parts) <= chars
        parts: dict[UUID, str] = {}
        for part in (part for window in found for part in window.parts):
            parts[part.message_id] = parts.get(part.message_id, "") + part.text
        assert {key: text.rstrip() for key, text in parts.items()} == {
            key: text.rstrip() for key, text in said.items()
        }


@given(count=st.integers(1, 350), more=st.integers(1, 120))
def test_only_the_last_window_changes(count: int, more: int) -> None:
    before = [w.key("e") for w in windows(messages([f"m {n}" for n in range(count)]))]
    after = [w.key("e") for w in windows(messages([f"m {n}" for n in range(count + more)]))]
    full = count // WINDOW_MESSAGES
    assert before[:full] == after[:full]
    assert len(set(after)) == len(after)


def test_a_key_is_of_words_people_times_place_and_reader() -> None:
    (window,) = windows(messages(["Hello", "Hi"]))
    part = window.parts[0]
    changes = {"text": "Hellp", "sender": "Bo", "at": START + timedelta(1), "message_id": OTHER}
    others = [
        msgspec.structs.replace(
            window, parts=[msgspec.structs.replace(part, **{name: value}), window.parts[1]]
        )
        for name, value in changes.items()
    ]
    others.append(msgspec.structs.replace(window, channel_id=OTHER))
    keys = {other.key("e") for other in others} | {window.key("f"), window.key("e")}
    assert len(keys) == 7
    assert window.key("a", "b") != window.key("ab")


def test_channels_do_not_share_a_window() -> None:
    found = windows([*messages(["a", "b"]), *messages(["c"], OTHER)])
    assert [(w.channel_id, len(w.parts)) for w in found] == [(CHANNEL, 2), (OTHER, 1)]
    assert windows([]) == []
    assert windows(messages([" ", ""])) == []


@given(counts=st.lists(st.integers(0, 20_000), min_size=1, max_size=60))
def test_what_is_left_out_is_whole_windows_of_the_oldest(counts: list[int]) -> None:
    spans = [Span(UUID(int=n + 1), 0, count, count) for n, count in enumerate(counts)]
    skipped = left_out(spans)
    for span in spans:
        gone = skipped.get(span.channel_id, 0)
        assert gone % WINDOW_MESSAGES == 0
        assert 0 <= gone <= span.message_count + WINDOW_MESSAGES
        if span.message_count <= WINDOW_MESSAGES:
            assert gone == 0
        else:
            assert span.message_count - gone > 0
