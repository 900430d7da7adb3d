"""Asking a provider until its answer can be used, every call bounded, paid for and recorded."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar
from uuid import UUID

from tidings.ai.answers import AnswerBad, off_loop_if_long, read_answer
from tidings.ai.breaker import Breakers
from tidings.ai.engine_name import PROVIDERS, EngineName
from tidings.ai.engines.call import CallFailed, Exchange, Reply, Usage
from tidings.ai.engines.provider import Providers
from tidings.ai.fence import fence
from tidings.ai.ledger import CallStatus, Ledger, TokenUse
from tidings.ai.operation import Operation
from tidings.ai.prices import Prices
from tidings.ai.redact import Mask
from tidings.ai.set_aside import Aside, set_aside
from tidings.ai.spending import Call, Spending
from tidings.base import clock
from tidings.base.errors import AnswerUnreadable, ProviderFailed
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant

A = TypeVar("A")
S = TypeVar("S")
log = logging.getLogger(__name__)

Pause = Callable[[float], Awaitable[None]]

LONGEST_WAIT = 30.0
"""Seconds that are waited here between two calls; what takes longer is left to the job's retry."""

FIRST_WAIT = 0.5
LATER = 30.0
"""Seconds after which a failure that may pass is worth another try, unless the provider says."""


@dataclass(frozen=True)
class Question(Generic[S, A]):
    """One operation on one source, for one tenant's run; `text` is the source as it is told."""

    tenant: Tenant
    run_id: UUID | None
    operation: Operation[S, A]
    source: S
    text: str
    engine: EngineName

    def told(self, text: str) -> str:
        """All that a first call with that text tells, in about the size that it is told in."""
        return f"{self.operation.instructions}{text}{self.operation.schema_text}" + " " * 512

    def accepted(self, text: str) -> A:
        """The answer that this JSON is. Raises `AnswerBad`."""
        operation = self.operation
        answer = read_answer(text, operation.schema)
        try:
            return operation.accept(self.source, answer)
        except ValueError as error:
            raise AnswerBad(f"{operation.name} does not accept the answer.", str(error)) from None


@dataclass(frozen=True)
class Outcome(Generic[A]):
    """The answer, and the JSON that it was read from."""

    answer: A
    text: str


@dataclass(frozen=True)
class Means:
    """What a gateway asks with; one of each for all its questions."""

    providers: Providers
    prices: Prices
    spending: Spending
    ledger: Ledger
    breakers: Breakers
    tries: int
    pause: Pause


class Asking(Generic[S, A]):
    """The calls made for one question; use once."""

    def __init__(self, question: Question[S, A], means: Means, slots: asyncio.Semaphore) -> None:
        """`slots` bounds the calls of this process to the provider."""
        self._question = question
        self._means = means
        self._slots = slots
        self._calls = 0
        self._mask: Mask | None = None
        self._exchange: Exchange | None = None

    async def run(self) -> Outcome[A]:
        """Ask, and ask again while there are tries.

        Raises `ProviderFailed` (with `retry_after` when it may pass), `AnswerUnreadable`,
        `BudgetExceeded`, and what the policy refuses.
        """
        while True:
            try:
                return await self._ask()
            except CallFailed as failure:
                await self._wait_after(failure)
            except AnswerBad as bad:
                log.warning("%s from %s: %s", self._operation, self._question.engine, bad.reason)
                if self._calls >= self._means.tries or self._exchange is None:
                    raise AnswerUnreadable from None
                self._exchange.refuse(self._masked(bad.feedback))

    @property
    def _operation(self) -> str:
        return self._question.operation.name

    async def _ask(self) -> Outcome[A]:
        """One call: reserved, sent, settled and recorded. Raises `CallFailed`, `AnswerBad`."""
        breaker = self._means.breakers.of(self._question.engine.provider)
        async with self._slots:
            with breaker.watching():
                call, started, reply = await self._reply()
            try:
                outcome = await off_loop_if_long(reply.text or "", self._accept, reply)
            except AnswerBad as bad:
                await self._record(call, started, "invalid", reply.usage, bad.reason)
                raise
            except BaseException as error:
                self._defer(call, started, reply.usage, error)
                raise
            await self._record(call, started, "ok", reply.usage, None)
            return outcome

    async def _reply(self) -> tuple[Call, float, Reply]:
        """What comes back, and when (of `time.monotonic`) it was asked for."""
        call, exchange = await self._reserve()
        self._calls += 1
        started = time.monotonic()
        try:
            return call, started, await exchange.ask()
        except CallFailed as failure:
            await self._record(call, started, "error", failure.usage, failure.reason)
            raise
        except BaseException as error:
            self._defer(call, started, exchange.sent(), error)
            raise

    async def _reserve(self) -> tuple[Call, Exchange]:
        """The money set aside, and what left recorded: from here on it may have left."""
        means, engine = self._means, self._question.engine
        call, aside = await self._set_aside()
        try:
            if aside is not None:
                self._exchange = self._open(aside)
            assert self._exchange is not None
            redacted = self._mask.counts if self._mask else {}
            destination = means.providers.destination(engine)
            await means.spending.send(call, destination, self._exchange.told(), redacted)
        except BaseException:
            means.spending.release_later(call)
            raise
        return call, self._exchange

    async def _set_aside(self) -> tuple[Call, Aside | None]:
        """Money for the whole exchange so far, or for its beginning."""
        question, means = self._question, self._means
        most_tokens = question.operation.most_tokens
        if self._exchange is not None:
            told = self._exchange.told()
            call = self._call(means.prices.most(question.engine, told, most_tokens))
            await means.spending.reserve(call)
            return call, None

        def most(text: str) -> Decimal:
            return means.prices.most(question.engine, question.told(text), most_tokens)

        call = self._call(most(question.text))
        aside = await set_aside(means.spending, call, question.text, most)
        return aside.call, aside

    def _open(self, aside: Aside) -> Exchange:
        operation, engine = self._question.operation, self._question.engine
        self._mask = aside.mask
        return self._means.providers.conversation(
            engine,
            aside.access.key(engine),
            instructions=operation.instructions,
            question=fence(aside.text),
            schema=operation.schema,
            most_tokens=operation.most_tokens,
        )

    def _call(self, amount: Decimal) -> Call:
        question = self._question
        return Call(
            id=uuid7(),
            tenant=question.tenant,
            run_id=question.run_id,
            operation=question.operation.name,
            engine=question.engine,
            prompt_version=question.operation.prompt_version,
            amount=amount,
        )

    def _masked(self, text: str) -> str:
        return self._mask.masked(text) if self._mask else text

    def _defer(self, call: Call, started: float, usage: Usage, error: BaseException) -> None:
        # Cancelled, or a defect of ours: nothing may be awaited any more, but it may have left.
        row = self._row(call, started, "error", usage, type(error).__name__)
        self._means.ledger.defer(call.tenant, row, settles=True)

    def _accept(self, reply: Reply) -> Outcome[A]:
        if reply.text is None:
            raise AnswerBad(reply.problem or "The answer is empty.")
        text = self._mask.restored(reply.text) if self._mask else reply.text
        return Outcome(self._question.accepted(text), text)

    async def _wait_after(self, failure: CallFailed) -> None:
        wait = failure.retry_after
        if wait is None:
            wait = FIRST_WAIT * 2 ** (self._calls - 1) * random.uniform(0.5, 1)  # noqa: S311 - jitter
        engine = self._question.engine
        log.warning("%s from %s: %s", self._operation, engine, failure.reason)
        is_last = self._calls >= self._means.tries or wait > LONGEST_WAIT
        if not failure.is_passing or is_last:
            raise failure_of(engine, failure)
        await self._means.pause(wait)

    async def _record(
        self, call: Call, started: float, status: CallStatus, usage: Usage, error: str | None
    ) -> None:
        row = self._row(call, started, status, usage, error)
        await self._means.ledger.record(call.tenant, row, settles=True)

    def _row(
        self, call: Call, started: float, status: CallStatus, usage: Usage, error: str | None
    ) -> TokenUse:
        prices = self._means.prices
        return usage_row(prices, call, started, status=status, usage=usage, error=error)


def usage_row(
    prices: Prices,
    call: Call,
    started: float,
    *,
    status: CallStatus,
    usage: Usage,
    error: str | None,
) -> TokenUse:
    """A call as the ledger records it; `started` is of `time.monotonic`."""
    # What nobody told is paid in full: the ledger and the budget never say different sums.
    cost = call.amount if usage.is_untold else prices.cost(call.engine, usage)
    return TokenUse(
        id=call.id,
        run_id=call.run_id,
        operation=call.operation,
        engine=str(call.engine),
        provider=call.engine.provider,
        model=call.engine.model,
        prompt_version=call.prompt_version,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        estimated=usage.estimated,
        cost=cost,
        latency_ms=int((time.monotonic() - started) * 1000),
        status=status,
        error=error,
        created_at=clock.now(),
    )


def failure_of(engine: EngineName, failure: CallFailed) -> ProviderFailed:
    """The error that a call which is not tried again ends with."""
    later = (failure.retry_after or LATER) if failure.is_passing else None
    sentence = f"{PROVIDERS[engine.provider]} API error: {failure.reason}"
    return ProviderFailed(sentence, retry_after=later)
