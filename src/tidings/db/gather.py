"""Calls that arrive together are sent as one: a round trip, and one commit, for all of them.

While batches of a group are under way the next one gathers, as in the group commit of a database.
A caller waits for nobody: what is asked alone is sent at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from typing import Generic, NamedTuple, TypeVar

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable

G = TypeVar("G", bound=Hashable)
Q = TypeVar("Q")
A = TypeVar("A")

MOST_QUESTIONS = 100
MOST_BYTES = 4 * 1024 * 1024


class Asked(NamedTuple, Generic[Q, A]):
    """A question and where its answer goes."""

    question: Q
    answer: "asyncio.Future[A]"


class _Group(Generic[Q, A]):
    """What of one group waits, and the tasks that send it; `flying` of them wait for an answer."""

    def __init__(self) -> None:
        self.waiting: deque[Asked[Q, A]] = deque()
        self.senders: set[asyncio.Task[None]] = set()
        self.flying = 0


class Gathering(Generic[G, Q, A]):
    """One kind of call; questions of different groups never share a batch."""

    def __init__(
        self,
        send: Callable[[G, Sequence[Q]], Awaitable[Sequence[A]]],
        *,
        identity: Callable[[Q], Hashable] | None = None,
        size: Callable[[Q], int] | None = None,
        most: int = MOST_QUESTIONS,
        most_bytes: int = MOST_BYTES,
        lanes: int = 1,
    ) -> None:
        """`send` answers a batch in its order, all of it or none.

        Questions of one `identity` go into batches of their own, in the order they were asked;
        `size` is a question's in bytes. A batch has at most `most`, of `most_bytes` together.
        `lanes` batches of a group may be under way at once: two where the database has as much to
        do as we have.
        """
        self._send = send
        self._identity = identity
        self._size = size
        self._most = most
        self._most_bytes = most_bytes
        self._lanes = lanes
        self._groups: dict[G, _Group[Q, A]] = {}

    async def ask(self, key: G, question: Q) -> A:
        """The answer to one question of the group `key`. Raises what sending it alone would raise.

        A caller that is cancelled takes nothing from the others; its question may be sent.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        group.waiting.append(Asked(question, answer))
        if len(group.senders) < min(self._lanes, len(group.waiting)):
            # Of nobody's context: it outlives the caller that happened to be the first.
            group.senders.add(loop.create_task(self._drain(key, group), context=Context()))
        return await answer

    async def _drain(self, key: G, group: _Group[Q, A]) -> None:
        batch: list[Asked[Q, A]] = []
        try:
            while group.waiting:
                batch = self._take(group)
                group.flying += 1
                try:
                    await self._settle(key, batch)
                finally:
                    group.flying -= 1
        finally:
            for asked in batch:
                asked.answer.cancel()
            task = asyncio.current_task()
            assert task is not None
            group.senders.discard(task)
            if not group.senders:
                del self._groups[key]
                for asked in group.waiting:
                    asked.answer.cancel()

    def _take(self, group: _Group[Q, A]) -> list[Asked[Q, A]]:
        """The next batch: a fair share for each sender that is not under way."""
        batch: list[Asked[Q, A]] = []
        seen: set[Hashable] = set()
        room = self._most_bytes
        waiting = group.waiting
        share = -(-len(waiting) // (len(group.senders) - group.flying))
        while waiting and len(batch) < min(share, self._most):
            question = waiting[0].question
            if self._identity is not None:
                identity = self._identity(question)
                if identity in seen:
                    break
                seen.add(identity)
            if self._size is not None:
                room -= self._size(question)
                if room < 0 and batch:
                    break
            asked = waiting.popleft()
            if not asked.answer.done():
                batch.append(asked)
        return batch

    async def _settle(self, key: G, batch: list[Asked[Q, A]]) -> None:
        if not batch:
            return
        try:
            answers = await self._send(key, [asked.question for asked in batch])
        except Exception as error:
            # Of a lost connection nobody knows what became of it, so nothing is sent again.
            if len(batch) == 1 or isinstance(error, DatabaseBusy | DatabaseUnavailable):
                _fail(batch, error)
                return
            # One of them was refused, and with it the statement: each for itself.
            for asked in batch:
                await self._settle(key, [asked])
            return
        for asked, given in zip(batch, answers, strict=True):
            if not asked.answer.done():
                asked.answer.set_result(given)


def _fail(batch: Sequence[Asked[Q, A]], error: Exception) -> None:
    for asked in batch:
        if not asked.answer.done():
            asked.answer.set_exception(error)
