"""The one door to every engine, local or provider."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from tidings.ai.access import read_access, read_policy
from tidings.ai.answers import AnswerBad, off_loop_if_long
from tidings.ai.asking import Asking, Means, Outcome, Pause, Question
from tidings.ai.breaker import Breakers
from tidings.ai.engine_name import EngineName, parse_engine
from tidings.ai.engines.provider import Providers
from tidings.ai.fallback import FALLS_BACK, Fallbacks
from tidings.ai.ledger import Ledger
from tidings.ai.operation import Operation
from tidings.ai.prices import Prices
from tidings.ai.responses import Responses, Store, response_key
from tidings.ai.spending import Spending
from tidings.ai.streaming import Talk, streamed
from tidings.base.errors import AiForbidden, EngineUnknown
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import SecretKeys

S = TypeVar("S")
A = TypeVar("A")
log = logging.getLogger(__name__)


class Completed(msgspec.Struct, Generic[A], frozen=True):
    """An answer, and the engine that gave it: another than was asked for when that one failed."""

    answer: A
    engine: str


@dataclass(frozen=True)
class _Asked(Generic[S, A]):
    tenant: Tenant
    operation: Operation[S, A]
    source: S
    engine: EngineName
    run_id: UUID | None
    store: Store | None


class Gateway:
    """Answers operations with the engine asked for. Close it with `close()`."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        keys: SecretKeys,
        *,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Opens nothing yet; `keys` open the organizations' own provider keys.

        Raises `SettingInvalid` for a TIDINGS_MODEL_PRICES or TIDINGS_AI_FALLBACK that cannot be
        read.
        """
        self._db = db
        self._settings = settings
        self._keys = keys
        self._slots = defaultdict[str, asyncio.Semaphore](
            lambda: asyncio.Semaphore(settings.ai_concurrency)
        )
        self._fallbacks = Fallbacks(settings.ai_fallback)
        self.ledger = Ledger(db)
        self.responses = Responses(db, pause)
        self.breakers = Breakers()
        self._means = Means(
            providers=Providers(settings),
            prices=Prices(settings.model_prices),
            spending=Spending(db, keys, settings),
            ledger=self.ledger,
            breakers=self.breakers,
            tries=settings.ai_tries,
            pause=pause,
        )

    async def engine_for(self, tenant: Tenant, asked: str | None) -> str:
        """The canonical name of the engine to use: `local` or `provider:model`; one round trip.

        What was asked for, else the organization's engine, else TIDINGS_ENGINE; never another one
        in silence. Raises `EngineUnknown`, `AiForbidden`, `SourceUnconfigured` (no key for it) and
        `SecretUnreadable`.
        """
        access = await read_access(self._db, self._keys, self._settings, tenant)
        engine = access.choose(asked)
        access.key(engine)
        return str(engine)

    def version(self, operation: Operation[Any, Any], engine: str) -> str:
        """What goes into cache keys and records: changes whenever the answer may."""
        if parse_engine(engine).is_local:
            return operation.local_version
        return operation.prompt_version

    async def complete(
        self,
        tenant: Tenant,
        operation: Operation[S, A],
        source: S,
        *,
        engine: str,
        run_id: UUID | None,
        store: Store | None = None,
        may_fall_back: bool = False,
    ) -> Completed[A]:
        """The operation's answer for one source, by the engine that `engine_for` named.

        With a `store`, an answer of a provider that is there already is given again. A caller that
        records `Completed.engine` may let TIDINGS_AI_FALLBACK name engines to ask after this one.
        Call it outside of any transaction. Raises `PriceUnknown`, `AiForbidden`,
        `SourceUnconfigured` and `BudgetExceeded` before anything leaves; `InputInvalid` for a
        source that is not clean text; `ProviderFailed`, whose `retry_after` (seconds) is set when
        trying later may help; `AnswerUnreadable` when no answer could be used.
        """
        engines = [parse_engine(engine)]
        if may_fall_back:
            engines += self._fallbacks.after(operation.name, engines[0])
        asked = [_Asked(tenant, operation, source, name, run_id, store) for name in engines]
        try:
            return Completed(await self._complete(asked[0]), str(engines[0]))
        except FALLS_BACK as error:
            log.warning("%s from %s: %s", operation.name, engines[0], error.message)
            for one in asked[1:]:
                try:
                    return Completed(await self._complete(one), str(one.engine))
                except (*FALLS_BACK, AiForbidden) as other:
                    log.warning("%s from %s: %s", operation.name, one.engine, other.message)
            raise  # what the engine says that was asked for: it knows when trying again may help

    @asynccontextmanager
    async def stream(
        self, tenant: Tenant, talk: Talk, *, engine: str, run_id: UUID | None
    ) -> AsyncIterator[AsyncIterator[str]]:
        """Plain text as it comes, for chat: `async with … as deltas`, then iterate them there.

        From providers alone. Not tried again, and settled when the block ends: with what was told,
        in full when it is left before its end or breaks off. Raises as `complete` does, and
        `EngineUnknown` for the local engine.
        """
        name = parse_engine(engine)
        if name.is_local:
            raise EngineUnknown("The local engine cannot talk; choose the engine of a provider.")
        self._means.prices.require(name)
        check_text("text", talk.text)
        await self._means.providers.prepare(name)
        async with (
            self._slots[name.provider],
            streamed(talk, name, tenant, run_id, self._means) as deltas,
        ):
            yield deltas

    async def close(self) -> None:
        """Write what still waits for the ledger and close the connections."""
        await self._means.spending.close()
        await self.ledger.flush()
        await self._means.providers.close()

    async def _complete(self, asked: "_Asked[S, A]") -> A:
        tenant, operation, source, name = asked.tenant, asked.operation, asked.source, asked.engine
        if name.is_local:
            (await read_policy(self._db, tenant.as_service())).check(name)
            return await asyncio.to_thread(operation.local, source)
        self._means.prices.require(name)
        text = check_text("source", await asyncio.to_thread(operation.render, source))
        question = Question(tenant, asked.run_id, operation, source, text, name)
        if asked.store is None:
            return (await self._ask(question)).answer
        made: list[Outcome[A]] = []

        async def make() -> str:
            made.append(await self._ask(question))
            return made[0].text

        key = response_key(operation.name, str(name), operation.prompt_version, text)
        stored = await self.responses.get(tenant, asked.store, key, make)
        if made:
            return made[0].answer
        try:
            return await off_loop_if_long(stored, question.accepted, stored)
        except AnswerBad:
            # The code that accepts it has changed since: asked anew, and stored when it expires.
            return (await self._ask(question)).answer

    async def _ask(self, question: Question[S, A]) -> Outcome[A]:
        await self._means.providers.prepare(question.engine)
        return await Asking(question, self._means, self._slots[question.engine.provider]).run()
