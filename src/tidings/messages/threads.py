"""Which thread a message belongs to, decided without a database.

As its source says. Else the thread of the nearest message that it answers; where none of those is
known, the thread that hangs on the oldest of them, which its first message joins when it comes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base.ids import uuid7
from tidings.messages.item import MessageItem
from tidings.messages.references import bare


class Known(msgspec.Struct, frozen=True):
    """A message that is stored already."""

    id: UUID
    thread_id: UUID | None
    sent_at: datetime
    subject: str


class Thread(msgspec.Struct):
    """A thread that gets messages; `external_id` is None for one that is stored."""

    id: UUID
    external_id: str | None
    count: int = 0
    subject: str = ""
    first_at: datetime | None = None
    last_at: datetime | None = None
    last_position: int = 0

    def add(self, sent_at: datetime, subject: str, position: int) -> None:
        """Count a message in."""
        self.count += 1
        self.subject = self.subject or subject
        self.first_at = min(self.first_at, sent_at) if self.first_at else sent_at
        self.last_at = max(self.last_at, sent_at) if self.last_at else sent_at
        self.last_position = max(self.last_position, position)


class Plan(msgspec.Struct):
    """The thread of each item, the threads with what they gain, and stored messages that join."""

    threads_of: list[UUID | None]
    threads: list[Thread]
    joining: list[tuple[UUID, UUID]]


def plan_threads(
    items: Sequence[MessageItem],
    first_position: int,
    messages: Mapping[str, Known],
    threads: Mapping[str, UUID],
) -> Plan:
    """Threads for new items, which take the positions from `first_position` on.

    `messages` and `threads` are what is stored, by external id without brackets.
    """
    planner = _Planner(items, messages, threads)
    chosen = [planner.thread_of(bare(item.external_id)) for item in items]
    for place, (item, thread) in enumerate(zip(items, chosen, strict=True)):
        if thread is not None:
            thread.add(item.sent_at, item.subject, first_position + place)
    return Plan(
        [None if thread is None else thread.id for thread in chosen],
        [thread for thread in planner.by_id.values() if thread.count],
        planner.joining,
    )


class _Planner:
    def __init__(
        self,
        items: Sequence[MessageItem],
        messages: Mapping[str, Known],
        threads: Mapping[str, UUID],
    ) -> None:
        self.by_id: dict[UUID, Thread] = {}
        self.joining: list[tuple[UUID, UUID]] = []
        self._batch = {bare(item.external_id): item for item in items}
        self._references = {
            key: [one for one in item.references if one != key] if not item.thread_id else []
            for key, item in self._batch.items()
        }
        self._answered = {one for found in self._references.values() for one in found}
        self._messages = messages
        self._stored = threads
        self._named: dict[str, Thread] = {}
        self._decided: dict[str, Thread | None] = {}

    def thread_of(self, key: str) -> Thread | None:
        """The thread of an item, after its chain of answers was walked up to what is decided."""
        path: dict[str, None] = {}
        at = key
        while at not in self._decided and at not in path and at in self._batch:
            path[at] = None
            nearest = self._nearest(at)
            if nearest is None:
                break
            at = nearest
        thread = self._end(at, path)
        for one in path:
            self._decided[one] = thread
        return thread

    def _end(self, at: str, path: Mapping[str, None]) -> Thread | None:
        """The thread of the last of a chain, which all on its path share."""
        if at in self._decided:
            return self._decided[at]
        if at not in self._batch:
            return self._of_stored(at)
        item, references = self._batch[at], self._references[at]
        if item.thread_id:
            return self._thread(item.thread_id)
        for one in (*reversed(references), at):
            if one in self._stored or one in self._named:
                return self._thread(one)
        if references:
            return self._thread(references[0])
        return self._thread(at) if at in self._answered or len(path) > 1 else None

    def _nearest(self, key: str) -> str | None:
        """The nearest known message that one answers."""
        return next(
            (
                one
                for one in reversed(self._references[key])
                if one in self._batch or one in self._messages
            ),
            None,
        )

    def _of_stored(self, key: str) -> Thread:
        known = self._messages[key]
        if known.thread_id is not None:
            return self.by_id.setdefault(known.thread_id, Thread(known.thread_id, None))
        if key in self._named:
            return self._named[key]
        thread = self._thread(key)
        thread.add(known.sent_at, known.subject, 0)
        self.joining.append((known.id, thread.id))
        return thread

    def _thread(self, name: str) -> Thread:
        """The thread of that external id, made where there is none."""
        thread = self._named.get(name)
        if thread is None:
            stored = self._stored.get(name)
            thread = Thread(stored or uuid7(), None if stored else name)
            thread = self.by_id.setdefault(thread.id, thread)
            self._named[name] = thread
        return thread
