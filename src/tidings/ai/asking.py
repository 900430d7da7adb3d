"""Asking a provider until its answer can be used, every call bounded, paid for and recorded."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

from tidings.ai.answers import AnswerBad, read_answer
from tidings.ai.engine_name import EngineName
from tidings.ai.engines.call import CallFailed, Reply, Usage
from tidings.ai.ledger import CallStatus, Ledger, TokenUse
from tidings.ai.operation import Operation
from tidings.ai.prices import Prices
from tidings.base import clock
from tidings.base.errors import AnswerUnreadable, ProviderFailed
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant

if TYPE_CHECKING:
    from tidings.ai.engines.conversation import Conversation

A = TypeVar("A")
S = TypeVar("S")
log = logging.getLogger(__name__)

Pause = Callable[[float], Awaitable[None]]

LONGEST_WAIT = 30.0
"""Seconds that are waited here between two calls; what takes longer is left to the job's retry."""

FIRST_WAIT = 0.5
LATER = 30.0
"""Seconds after which a failure that may pass is worth another try, unless the provider says."""

_NAMES = {"openai": "OpenAI", "anthropic": "Anthropic"}


@dataclass(frozen=True)
class Question(Generic[S, A]):
    """One operation on one source, for one tenant's run."""

    tenant: Tenant
    run_id: UUID | None
    operation: Operation[S, A]
    source: S
    engine: EngineName


@dataclass(frozen=True)
class Outcome(Generic[A]):
    """The answer, what all calls for it cost in USD, and how many they were."""

    answer: A
    cost: Decimal
    calls: int


class Asking(Generic[S, A]):
    """The calls made for one question; use once."""

    def __init__(
        self,
        question: Question[S, A],
        conversation: "Conversation",
        *,
        prices: Prices,
        ledger: Ledger,
        settings: Settings,
        slots: asyncio.Semaphore,
        pause: Pause,
    ) -> None:
        """`slots` bounds the calls of this process; `pause` waits so many seconds."""
        self._question = question
        self._conversation = conversation
        self._prices = prices
        self._ledger = ledger
        self._tries = settings.ai_tries
        self._slots = slots
        self._pause = pause
        self._cost = Decimal(0)
        self._calls = 0

    async def run(self) -> Outcome[A]:
        """Ask, and ask again while there are tries.

        Raises `ProviderFailed` (with `retry_after` when it may pass) and `AnswerUnreadable`.
        """
        while True:
            try:
                answer = await self._ask()
            except CallFailed as failure:
                await self._wait_after(failure)
            except AnswerBad as bad:
                log.warning("%s from %s: %s", self._operation, self._question.engine, bad.reason)
                if self._calls >= self._tries:
                    raise AnswerUnreadable from None
                self._conversation.refuse(bad.feedback)
            else:
                return Outcome(answer, self._cost, self._calls)

    @property
    def _operation(self) -> str:
        return self._question.operation.name

    async def _ask(self) -> A:
        """One call and its row in the ledger. Raises `CallFailed`, `AnswerBad`."""
        async with self._slots:
            self._calls += 1
            started = time.monotonic()
            reply = await self._call(started)
            try:
                answer = await asyncio.to_thread(self._accept, reply)
            except AnswerBad as bad:
                await self._record(started, "invalid", reply.usage, bad.reason)
                raise
            except BaseException as error:
                self._defer(started, reply.usage, error)
                raise
            await self._record(started, "ok", reply.usage, None)
            return answer

    async def _call(self, started: float) -> Reply:
        try:
            return await self._conversation.ask()
        except CallFailed as failure:
            await self._record(started, "error", failure.usage, failure.reason)
            raise
        except BaseException as error:
            self._defer(started, self._conversation.sent(), error)
            raise

    def _defer(self, started: float, usage: Usage, error: BaseException) -> None:
        # Cancelled, or a defect of ours: nothing may be awaited any more, but it may have left.
        row = self._row(started, "error", usage, type(error).__name__)
        self._ledger.defer(self._question.tenant, row)

    def _accept(self, reply: Reply) -> A:
        operation = self._question.operation
        if reply.text is None:
            raise AnswerBad(reply.problem or "The answer is empty.")
        answer = read_answer(reply.text, operation.schema)
        try:
            return operation.accept(self._question.source, answer)
        except ValueError as error:
            raise AnswerBad(f"{operation.name} does not accept the answer.", str(error)) from None

    async def _wait_after(self, failure: CallFailed) -> None:
        wait = failure.retry_after
        if wait is None:
            wait = FIRST_WAIT * 2 ** (self._calls - 1) * random.uniform(0.5, 1)  # noqa: S311 - jitter
        engine = self._question.engine
        sentence = f"{_NAMES[engine.provider]} API error: {failure.reason}"
        log.warning("%s from %s: %s", self._operation, engine, failure.reason)
        if not failure.is_passing:
            raise ProviderFailed(sentence)
        if self._calls >= self._tries or wait > LONGEST_WAIT:
            raise ProviderFailed(sentence, retry_after=failure.retry_after or LATER)
        await self._pause(wait)

    async def _record(
        self, started: float, status: CallStatus, usage: Usage, error: str | None
    ) -> None:
        row = self._row(started, status, usage, error)
        self._cost += row.cost
        await self._ledger.record(self._question.tenant, row)

    def _row(self, started: float, status: CallStatus, usage: Usage, error: str | None) -> TokenUse:
        question = self._question
        return TokenUse(
            id=uuid7(),
            run_id=question.run_id,
            operation=question.operation.name,
            engine=str(question.engine),
            provider=question.engine.provider,
            model=question.engine.model,
            prompt_version=question.operation.prompt_version,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            estimated=usage.estimated,
            cost=self._prices.cost(question.engine, usage),
            latency_ms=int((time.monotonic() - started) * 1000),
            status=status,
            error=error,
            created_at=clock.now(),
        )
