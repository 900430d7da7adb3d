"""Windows lose nothing and stay as they are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.messages.quotes import own_words
from tidings.summaries import windows as module
from tidings.summaries.windows import MOST_MESSAGES, WINDOW_MESSAGES, Message, most_of_each, windows

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
        said = {m.id: own for m in messages(bodies) if (own := own_words(m.body))}
        for window in found:
            assert sum(len(part.text) for part in window.parts) <= chars
        parts: dict[UUID, str] = {}
        for part in (part for window in found for part in window.parts):
            parts[part.message_id] = parts.get(part.message_id, "") + part.text
        assert {key: text.rstrip() for key, text in parts.items()} == {
            key: text.rstrip() for key, text in said.items()
        }


def test_a_mail_that_only_passes_another_on_is_read_as_what_that_one_says() -> None:
    passed = "---------- Forwarded message ---------\nFrom: Bo <bo@b.example>\n\nWe need a box."
    nobody = "Begin forwarded message:\n\n> We need\n> a box."
    (window,) = windows(messages(["Hello", passed, f"Look.\n\n{passed}", nobody]))
    assert [(part.sender, part.text) for part in window.parts] == [
        ("Ana", "Hello"),
        ("Bo", "We need a box."),
        ("Ana", "Look."),
        ("somebody", "We need\na box."),
    ]


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


@given(channels=st.integers(0, 10_000))
def test_a_share_is_of_whole_windows(channels: int) -> None:
    most = most_of_each(channels)
    assert most % WINDOW_MESSAGES == 0
    assert WINDOW_MESSAGES <= most <= MOST_MESSAGES
