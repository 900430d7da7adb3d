"""The one door to every engine, local or provider."""

import asyncio
import importlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import msgspec

from tidings.ai.access import read_access
from tidings.ai.asking import Asking, Pause, Question
from tidings.ai.engine_name import parse_engine
from tidings.ai.fence import INSTRUCTION, fence
from tidings.ai.ledger import Ledger
from tidings.ai.operation import Operation
from tidings.ai.prices import Prices
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import SecretKeys

if TYPE_CHECKING:
    from tidings.ai.engines.provider import Providers

S = TypeVar("S")
A = TypeVar("A")


class Completed(msgspec.Struct, Generic[A], frozen=True):
    """An engine's answer: `cost` in USD over all `calls` to a provider made for it.

    The local engine costs nothing and makes no calls; its version is the `prompt_version`.
    """

    answer: A
    engine: str
    cost: Decimal
    prompt_version: str
    calls: int


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

        Raises `SettingInvalid` for a TIDINGS_MODEL_PRICES that cannot be read.
        """
        self._db = db
        self._settings = settings
        self._keys = keys
        self._pause = pause
        self._slots = asyncio.Semaphore(settings.ai_concurrency)
        self._loading = asyncio.Lock()
        self._providers: Providers | None = None
        self._prices = Prices(settings.model_prices)
        self.ledger = Ledger(db)

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
    ) -> Completed[A]:
        """The operation's answer for one source, by the engine that `engine_for` named.

        Call it outside of any transaction. Raises `PriceUnknown`, `AiForbidden` and
        `SourceUnconfigured` before anything leaves; `InputInvalid` for a source that is not clean
        text; `ProviderFailed`, whose `retry_after` (seconds) is set when trying later may help;
        `AnswerUnreadable` when no answer could be used.
        """
        name = parse_engine(engine)
        version = self.version(operation, engine)
        if name.is_local:
            answer = await asyncio.to_thread(operation.local, source)
            return Completed(answer, str(name), Decimal(0), version, 0)
        asking = await self._asking(Question(tenant, run_id, operation, source, name))
        outcome = await asking.run()
        return Completed(outcome.answer, str(name), outcome.cost, version, outcome.calls)

    async def close(self) -> None:
        """Write what still waits for the ledger and close the connections."""
        await self.ledger.flush()
        if self._providers is not None:
            await self._providers.close()
            self._providers = None

    async def _asking(self, question: Question[S, A]) -> Asking[S, A]:
        providers = await self._load()
        self._prices.require(question.engine)
        # Asked again where it leaves: the policy may have changed since the run began.
        access = await read_access(self._db, self._keys, self._settings, question.tenant)
        access.check(question.engine)
        operation = question.operation
        text = await asyncio.to_thread(operation.render, question.source)
        conversation = providers.conversation(
            question.engine,
            access.key(question.engine),
            instructions=f"{operation.prompt.text}\n\n{INSTRUCTION}",
            question=fence(check_text("source", text)),
            schema=operation.schema,
            most_tokens=operation.most_tokens,
        )
        return Asking(
            question,
            conversation,
            prices=self._prices,
            ledger=self.ledger,
            settings=self._settings,
            slots=self._slots,
            pause=self._pause,
        )

    async def _load(self) -> "Providers":
        async with self._loading:
            if self._providers is None:
                # Seconds of imports that an installation without providers never pays.
                module = await asyncio.to_thread(
                    importlib.import_module, "tidings.ai.engines.provider"
                )
                self._providers = module.Providers(self._settings)
            return self._providers
