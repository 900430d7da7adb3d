"""Messages in windows that stay as they are: only the last one changes when a message comes. Pure.

A window begins at every `WINDOW_MESSAGES`-th message, and where the characters are too many for
one call. What was read of one is kept by a hash of its words, so that none is read twice.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.messages.quotes import forwarded, own_words

WINDOW_MESSAGES = 100
WINDOW_CHARS = 24_000
"""Characters in one provider call, about 6,000 tokens: none is cut silently."""
MOST_MESSAGES = 5_000
"""Messages that one summary reads, the newest; how many older ones there are is said."""


class Message(msgspec.Struct, frozen=True):
    """A message as it is read."""

    id: UUID
    channel_id: UUID
    position: int
    sender: str
    body: str
    sent_at: datetime
    ordinal: int
    """Its place in what is read of the channel, from 0."""
    thread_id: UUID | None = None
    external_id: str = ""
    reply_to: str | None = None


class Span(msgspec.Struct, frozen=True):
    """What to read of a channel: after one position up to another."""

    channel_id: UUID
    after_position: int
    last_position: int
    is_empty: bool


class Part(msgspec.Struct, frozen=True):
    """A message, or a verbatim part of one that is longer than a window."""

    message_id: UUID
    sender: str
    text: str
    at: datetime
    thread_id: UUID | None = None
    external_id: str = ""
    """The id at the source, and of what it replies to."""
    reply_to: str | None = None


class Window(msgspec.Struct, frozen=True):
    """Consecutive messages of one channel, in the order they were sent."""

    channel_id: UUID
    parts: Sequence[Part]

    def key(self, *edition: str) -> str:
        """SHA-256 over where it stands, who reads it (`edition`) and every word."""
        return _digest(
            *edition,
            str(self.channel_id),
            *(
                text
                for part in self.parts
                for text in (
                    str(part.message_id),
                    part.sender,
                    part.at.isoformat(),
                    part.text,
                    str(part.thread_id),
                    part.external_id,
                    part.reply_to or "",
                )
            ),
        )


def most_of_each(channels: int) -> int:
    """How many of the newest messages of each channel are read, give or take a window."""
    share = MOST_MESSAGES // max(1, channels)
    return max(WINDOW_MESSAGES, share - share % WINDOW_MESSAGES)


def windows(messages: Sequence[Message]) -> list[Window]:
    """The windows of some messages, which come by channel and in the order of taking in."""
    found: list[Window] = []
    held: list[Part] = []
    channel_id: UUID | None = None
    size = 0

    def close() -> None:
        nonlocal held, size
        if held and channel_id is not None:
            found.append(Window(channel_id, sorted(held, key=lambda part: part.at)))
        held, size = [], 0

    for message in messages:
        if message.channel_id != channel_id or message.ordinal % WINDOW_MESSAGES == 0:
            close()
            channel_id = message.channel_id
        words, sender = said_in(message)
        for text in _pieces(words):
            if held and size + len(text) > WINDOW_CHARS:
                close()
            held.append(_part(message, text, sender))
            size += len(text)
    close()
    return found


def said_in(message: Message) -> tuple[str, str]:
    """What a message says, verbatim, and who says it: its sender, in their own words.

    What a mail quotes was said, and is read, where it was written. A mail that only passes another
    one on says what that one says, and who wrote that says it.
    """
    passed = forwarded(message.body)
    if passed is None:
        return own_words(message.body), message.sender
    return passed.words, passed.sender or "somebody"


def _part(message: Message, text: str, sender: str) -> Part:
    return Part(
        message.id,
        sender,
        text,
        message.sent_at,
        message.thread_id,
        message.external_id,
        message.reply_to,
    )


def _pieces(rest: str) -> Iterator[str]:
    """Words, or verbatim parts of them that each fit in a window, cut at a space."""
    while len(rest) > WINDOW_CHARS:
        cut = rest.rfind(" ", WINDOW_CHARS // 2, WINDOW_CHARS) + 1 or WINDOW_CHARS
        yield rest[:cut]
        rest = rest[cut:]
    if rest.strip():
        yield rest


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()
