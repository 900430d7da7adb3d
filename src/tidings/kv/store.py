"""The KV store: JSON values by key, in each organization its own.

`platform.md`, "KV store". Every method is one round trip, except `watch`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.base.tenant import Tenant
from tidings.db.gather import Gathering
from tidings.db.queries import Query, load_queries
from tidings.db.transaction import Database, Pending, Statements, Transaction
from tidings.kv.entry import Deleted, Entry, EntryRow, Page, Sum, SumRow, Written, WrittenRow
from tidings.kv.keys import (
    check_key,
    check_keys,
    check_prefix,
    check_ttl,
    range_of,
    read_cursor,
    write_cursor,
)
from tidings.kv.operations import (
    Operation,
    OperationResult,
    ResultRow,
    check_by,
    check_version,
    encode_operations,
    join_json,
)
from tidings.kv.values import encode_value
from tidings.kv.watch import Watch, watch_prefix
from tidings.realtime.subscribe import Hub

MOST_LISTED = 200
T = TypeVar("T")

sql = load_queries("tidings.kv")


class Kv:
    """The store of every organization; each call names the tenant it is for.

    A key that has expired is not there, for any method. Writes raise `RoleForbidden` for a viewer
    and for a person's write under a prefix that a service owns. `relaxed` commits without waiting
    for the disk: a crash of the database server may lose the last moments, never tear a value.
    """

    def __init__(self, database: Database, hub: Hub) -> None:
        """`hub` carries the changes to those who watch."""
        self._database = database
        self._hub = hub
        self._gets = Gathering(partial(_get_many, database))
        self._sets = Gathering(
            partial(_set_many, database), identity=_key_of, size=_size_of, lanes=2
        )

    async def get(self, tenant: Tenant, key: str) -> Entry | None:
        """The entry of a key, or None. Those asked at once share a round trip."""
        return await self._gets.ask(tenant, check_key(key))

    async def mget(self, tenant: Tenant, keys: Sequence[str]) -> list[Entry | None]:
        """The entries of up to 1,000 keys in the order asked, None for a missing one."""
        return await _get_many(self._database, tenant, check_keys(keys))

    async def set(
        self,
        tenant: Tenant,
        key: str,
        value: Any,
        *,
        ttl: timedelta | None = None,
        if_version: int | None = None,
        only_if_absent: bool = False,
        relaxed: bool = False,
    ) -> Written:
        """Set a key to any JSON value of up to 1 MiB; without `ttl` it does not expire.

        `if_version` sets it only when it is at that version, `only_if_absent` only when it is not
        there; else `VersionStale`. Raises `InputInvalid` and `BodyTooLarge` for the key or value.
        Sets without a condition that are asked at once share a round trip and a commit.
        """
        params = _set_params(key, value, ttl)
        if if_version is None and not only_if_absent:
            return await self._sets.ask((tenant, relaxed), params)
        params["if_version"] = check_version(if_version)
        params["only_if_absent"] = only_if_absent
        written = await _write(self._database, tenant, sql.kv_set, params, Written, relaxed=relaxed)
        return written.one()

    async def mset(
        self,
        tenant: Tenant,
        values: Mapping[str, Any],
        *,
        ttl: timedelta | None = None,
        relaxed: bool = False,
    ) -> dict[str, Written]:
        """Set up to 1,000 keys at once, all or none; 64 MiB of values at most."""
        encoded = [encode_value(value) for value in values.values()]
        join_json(encoded, "[", "]")
        keys = check_keys(list(values))
        params = {"keys": keys, "values": encoded, "ttls": [check_ttl(ttl)] * len(keys)}
        return await _write_many(self._database, tenant, params, relaxed=relaxed)

    async def delete(
        self, tenant: Tenant, key: str, *, if_version: int | None = None, relaxed: bool = False
    ) -> bool:
        """Delete a key; whether it was there. With `if_version`, `VersionStale` at any other."""
        params = {"keys": [check_key(key)], "if_version": check_version(if_version)}
        deleted = await _write(
            self._database, tenant, sql.kv_delete, params, Deleted, relaxed=relaxed
        )
        return deleted.one().deleted > 0

    async def mdelete(self, tenant: Tenant, keys: Sequence[str], *, relaxed: bool = False) -> int:
        """Delete up to 1,000 keys; how many were there."""
        params = {"keys": check_keys(keys), "if_version": None}
        deleted = await _write(
            self._database, tenant, sql.kv_delete, params, Deleted, relaxed=relaxed
        )
        return deleted.one().deleted

    async def increment(
        self,
        tenant: Tenant,
        key: str,
        by: float = 1,
        *,
        ttl: timedelta | None = None,
        relaxed: bool = False,
    ) -> Sum:
        """Add to the number of a key, from 0 when it is not there, and answer the sum.

        `ttl` counts only when this makes the key. Raises `InputInvalid` when the value is not a
        number or the sum would leave what JSON numbers can hold.
        """
        params = {"key": check_key(key), "by": check_by(by), "ttl": check_ttl(ttl)}
        added = await _write(
            self._database, tenant, sql.kv_increment, params, SumRow, relaxed=relaxed
        )
        return added.one().read()

    async def mutate(
        self,
        tenant: Tenant,
        operations: Sequence[Operation],
        *,
        atomic: bool = True,
        relaxed: bool = False,
    ) -> list[OperationResult]:
        """Run up to 1,000 operations in order; the results in the same order.

        Atomic: all or none, and what is checked or read still holds at the commit; raises what the
        first that fails raises, `VersionStale` for a check. Else each is for itself, and its result
        says how it failed.
        """
        params = {"operations": encode_operations(operations), "atomic": atomic}
        done = await _write(
            self._database, tenant, sql.kv_mutate, params, ResultRow, relaxed=relaxed
        )
        return [row.read(item) for row, item in zip(done.rows, operations, strict=True)]

    async def list(
        self, tenant: Tenant, prefix: str = "", *, limit: int = 50, cursor: str | None = None
    ) -> Page:
        """Entries whose key starts with the prefix, ordered by the bytes of their keys.

        `limit` is 1 to 200; a page ends earlier after about 8 MiB of values. `%`, `_` and `*` are
        plain characters. Raises `CursorInvalid`.
        """
        if not 1 <= limit <= MOST_LISTED:
            problem = FieldProblem("limit", f"must be 1 to {MOST_LISTED}")
            raise InputInvalid(f"limit must be 1 to {MOST_LISTED}.", errors=[problem])
        span = range_of(check_prefix(prefix))
        params = {
            "lower": span.lower,
            "upper": span.upper,
            "after": read_cursor(cursor, prefix),
            "max": limit,
        }
        async with self._database.tenant_batch(tenant, repeatable=True) as batch:
            found = batch.add(sql.kv_list, params, row=EntryRow)
        rows = found.rows
        following = write_cursor(rows[-1].key) if rows and rows[-1].more else None
        return Page([row.read() for row in rows], following)

    def watch(
        self, tenant: Tenant, prefix: str = "", *, after: int | None = None
    ) -> AbstractAsyncContextManager[Watch]:
        """Watch the keys under a prefix while the block lasts; see `watch_prefix`."""
        return watch_prefix(self._database, self._hub, tenant, prefix, after=after)


async def mutate_in(
    transaction: Transaction, operations: Sequence[Operation], *, atomic: bool
) -> list[OperationResult]:
    """As `Kv.mutate`, in the caller's own transaction: one round trip."""
    params = {"operations": encode_operations(operations), "atomic": atomic}
    rows = await transaction.fetch(sql.kv_mutate, params, row=ResultRow)
    return [row.read(item) for row, item in zip(rows, operations, strict=True)]


def queue_set(
    statements: Statements, key: str, value: Any, *, ttl: timedelta | None = None
) -> None:
    """Set a key in the caller's own transaction."""
    params = _set_params(key, value, ttl)
    statements.queue(sql.kv_set, {**params, "if_version": None, "only_if_absent": False})


async def _get_many(database: Database, tenant: Tenant, keys: Sequence[str]) -> list[Entry | None]:
    async with database.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.kv_get_many, {"keys": list(keys)}, row=EntryRow)
    entries = {row.key: row.read() for row in found.rows}
    return [entries.get(key) for key in keys]


async def _set_many(
    database: Database, group: tuple[Tenant, bool], sets: Sequence[dict[str, Any]]
) -> list[Written]:
    tenant, relaxed = group
    params = {
        "keys": [each["key"] for each in sets],
        "values": [each["value"] for each in sets],
        "ttls": [each["ttl"] for each in sets],
    }
    written = await _write_many(database, tenant, params, relaxed=relaxed)
    return [written[each["key"]] for each in sets]


async def _write_many(
    database: Database, tenant: Tenant, params: dict[str, Any], *, relaxed: bool
) -> dict[str, Written]:
    async with database.tenant_batch(tenant) as batch:
        done = batch.add(sql.kv_set_many, params | {"relaxed": relaxed}, row=WrittenRow)
    return {row.key: Written(row.version, row.expires_at) for row in done.rows}


async def _write(
    database: Database,
    tenant: Tenant,
    query: Query,
    params: Mapping[str, Any],
    row: type[T],
    *,
    relaxed: bool,
) -> Pending[T]:
    async with database.tenant_batch(tenant) as batch:
        if relaxed:
            batch.queue(sql.kv_relax)
        return batch.add(query, params, row=row)


def _key_of(params: dict[str, Any]) -> str:
    key: str = params["key"]
    return key


def _size_of(params: dict[str, Any]) -> int:
    return len(params["key"]) + len(params["value"])


def _set_params(key: str, value: Any, ttl: timedelta | None) -> dict[str, Any]:
    return {"key": check_key(key), "value": encode_value(value), "ttl": check_ttl(ttl)}
