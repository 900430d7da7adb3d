"""Answers that may be given again, and one maker for each among all processes.

Exact match: by organization, store, and a hash over operation, engine, prompt version and input.
In front of the table each process keeps what it saw last. Who asks for an answer that is being made
waits: in the same process for an event, in another by looking again until the maker is done or its
lease ends, as it does when the maker dies.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import cachebox
import msgspec

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import Query, load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.ai")

LEASE = 15.0
"""Seconds after which a maker that does not say that it lives is given up."""
REMEMBERED = 1024  # answers a process keeps
REMEMBERED_SECONDS = 60.0
LARGEST_REMEMBERED = 64 * 1024  # characters
LARGEST_KEPT = 1_000_000  # characters, as the column
FIRST_LOOK, LAST_LOOK = 0.02, 0.25  # seconds between two looks

Pause = Callable[[float], Awaitable[None]]
Place = tuple[UUID, str, str]


class Store(msgspec.Struct, frozen=True):
    """Where a caller keeps its answers, and for how many seconds: `Store("summaries", 600)`."""

    name: str
    ttl: float


class _Taken(msgspec.Struct, frozen=True):
    answer: str | None
    is_mine: bool
    expires_in: float | None


def response_key(*parts: str) -> str:
    """The hash over the parts, each set off by its length."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()


class Responses:
    """The door of one process to stored answers."""

    def __init__(self, db: Database, pause: Pause) -> None:
        """`pause` waits so many seconds between two looks at what another process makes."""
        self._db = db
        self._pause = pause
        self._seen: cachebox.LRUCache[Place, tuple[str, float]] = cachebox.LRUCache(REMEMBERED)
        self._making: dict[Place, asyncio.Event] = {}
        self.hits = 0
        self.misses = 0

    async def get(
        self, tenant: Tenant, store: Store, key: str, make: Callable[[], Awaitable[str]]
    ) -> str:
        """The stored answer, else the one that `make` gives, which is stored.

        Raises what `make` raises; then the next who asks makes it.
        """
        place = (tenant.organization_id, store.name, key)
        while True:
            seen = self._recall(place)
            if seen is not None:
                self.hits += 1
                return seen
            making = self._making.get(place)
            if making is None:
                break
            await making.wait()
        self._making[place] = asyncio.Event()
        try:
            return await self._get_or_make(tenant.as_service(), place, store, make)
        finally:
            self._making.pop(place).set()

    async def _get_or_make(
        self, tenant: Tenant, place: Place, store: Store, make: Callable[[], Awaitable[str]]
    ) -> str:
        maker = {"store": store.name, "key": place[2], "maker": uuid7()}
        taken = await self._take(tenant, maker)
        if taken.answer is not None:
            self.hits += 1
            self._remember(place, taken.answer, taken.expires_in or 0)
            return taken.answer
        self.misses += 1
        kept = False
        try:
            async with self._alive(tenant, maker):
                answer = await make()
            kept = await self._keep(tenant, maker, answer, store.ttl)
        finally:
            if not kept:
                await self._free(tenant, maker)
        self._remember(place, answer, store.ttl)
        return answer

    async def _take(self, tenant: Tenant, maker: dict[str, object]) -> _Taken:
        """The answer, or the lease to make it, however long another maker takes."""
        look = FIRST_LOOK
        while True:
            async with self._db.tenant_batch(tenant, repeatable=True) as batch:
                found = batch.add(sql.take_response, {**maker, "lease": LEASE}, row=_Taken)
            taken = found.one()
            if taken.answer is not None or taken.is_mine:
                return taken
            await self._pause(look)
            look = min(LAST_LOOK, look * 2)

    @asynccontextmanager
    async def _alive(self, tenant: Tenant, maker: dict[str, object]) -> AsyncIterator[None]:
        """Lengthen the lease while the block runs."""
        beating = asyncio.create_task(self._beat(tenant, maker))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self, tenant: Tenant, maker: dict[str, object]) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            await self._quietly(tenant, sql.extend_response, {**maker, "lease": LEASE})

    async def _keep(
        self, tenant: Tenant, maker: dict[str, object], answer: str, ttl: float
    ) -> bool:
        if len(answer) > LARGEST_KEPT:
            return False
        return await self._quietly(
            tenant, sql.keep_response, {**maker, "answer": answer, "ttl": ttl}
        )

    async def _free(self, tenant: Tenant, maker: dict[str, object]) -> None:
        await self._quietly(tenant, sql.free_response, maker)

    async def _quietly(self, tenant: Tenant, query: Query, params: dict[str, object]) -> bool:
        # A database that is away costs others a wait or another call, never this answer.
        try:
            async with self._db.tenant_batch(tenant, repeatable=True) as batch:
                batch.queue(query, params)
        except (DatabaseBusy, DatabaseUnavailable):
            return False
        return True

    def _recall(self, place: Place) -> str | None:
        seen = self._seen.get(place)
        if seen is None or seen[1] <= time.monotonic():
            return None
        return seen[0]

    def _remember(self, place: Place, answer: str, ttl: float) -> None:
        if len(answer) <= LARGEST_REMEMBERED:
            until = time.monotonic() + min(ttl, REMEMBERED_SECONDS)
            self._seen[place] = (answer, until)
