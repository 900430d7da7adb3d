"""The store does what a dictionary with versions and expiries does, for any sequence of calls."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tidings.base.errors import InputInvalid, VersionStale
from tidings.kv.operations import Check, Delete, Get, Increment, Operation, Set
from tidings.kv.purge import delete_prefix
from tidings.kv.store import Kv

from factories.organizations import Organization

LARGE_AND_SMALL = (53_452_530_989, 549_495.423, 721_909.018)
STEP = 100  # seconds between the three clocks
TTLS = st.sampled_from([None, None, 50, 150])
KEYS = st.sampled_from(["a", "a%", "a:", "a:b", "a\ud7ff", "aé", "b", "\U0010ffff", "\U0010ffffa"])
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5)
# So that all of a test together are below 2**42: floats there tell thousandths apart.
NUMBERS = st.integers(-(2**36), 2**36) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CALLS = st.one_of(
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("set"), KEYS, VALUES, TTLS, st.sampled_from([None, "now", "old", "absent"])),
    st.tuples(st.just("delete"), KEYS, st.sampled_from([None, "now", "old"])),
    st.tuples(st.just("mget"), st.lists(KEYS, max_size=4)),
    st.tuples(st.just("mset"), st.dictionaries(KEYS, VALUES, max_size=4), TTLS),
    st.tuples(st.just("mdelete"), st.lists(KEYS, max_size=4)),
    st.tuples(st.just("list"), KEYS | st.just(""), st.integers(1, 5)),
    st.tuples(st.just("increment"), KEYS, NUMBERS, TTLS),
    st.tuples(
        st.just("mutate"),
        st.lists(
            st.builds(Get, KEYS)
            | st.builds(Delete, KEYS)
            | st.builds(Set, KEYS, value=VALUES, ttl_seconds=TTLS)
            | st.builds(Check, KEYS, version=st.sampled_from([None, 1]))
            | st.builds(Increment, KEYS, by=NUMBERS, ttl_seconds=TTLS),
            max_size=5,
        ),
        st.booleans(),
    ),
    st.tuples(st.just("delete_prefix"), KEYS),
    st.tuples(st.just("later")),
)


class Model:
    """A dictionary of key → [value, version, expiry]; a version is whatever the store answered."""

    def __init__(self) -> None:
        self.now = 0
        self.entries: dict[str, tuple[Any, int, int | None]] = {}

    def live(self) -> dict[str, tuple[Any, int, int | None]]:
        return {
            key: entry
            for key, entry in sorted(self.entries.items(), key=lambda item: item[0].encode())
            if entry[2] is None or entry[2] > self.now
        }

    def get(self, key: str) -> tuple[Any, int, int | None] | None:
        return self.live().get(key)

    def set(self, key: str, value: Any, ttl: int | None, version: int = -1) -> None:
        self.entries[key] = (value, version, None if ttl is None else self.now + ttl)

    def add(self, key: str, by: float, ttl: int | None) -> float:
        entry = self.get(key)
        if entry is None:
            self.set(key, by, ttl)
            return by
        if not _is_number(entry[0]):
            raise InputInvalid
        # The store adds decimals: a sum of floats would be off in its last places.
        total = Decimal(str(entry[0])) + Decimal(str(by))
        self.entries[key] = (total, -1, entry[2])
        return float(total)

    def run(self, operation: Operation) -> Any:
        """The value that an operation answers; raises what it raises."""
        there = self.get(operation.key)
        match operation:
            case Get():
                return there and there[0]
            case Set(value=value, ttl_seconds=ttl):
                self.set(operation.key, value, ttl and int(ttl))
            case Delete():
                self.entries.pop(operation.key, None)
            case Check(version=version):
                if (there and there[1]) != version:
                    raise VersionStale
            case Increment(by=by, ttl_seconds=ttl):
                return self.add(operation.key, by, ttl and int(ttl))
        return None


class Pair:
    """Makes the same call on both and compares."""

    def __init__(self, stores: list[Kv], organization: Organization) -> None:
        self.stores = stores
        self.tenant = organization.tenant
        self.model = Model()

    @property
    def kv(self) -> Kv:
        return self.stores[self.model.now // STEP]

    async def compare(self) -> None:
        """Both hold the same; take over the versions that the store gave."""
        page = await self.kv.list(self.tenant, limit=200)
        live = self.model.live()
        assert [entry.key for entry in page.items] == list(live)
        for entry in page.items:
            value, version, expiry = live[entry.key]
            assert (
                entry.value == pytest.approx(float(value))
                if _is_number(value)
                else (entry.value == value and type(entry.value) is type(value))
            )
            assert (entry.expires_at is None) == (expiry is None)
            assert version in (-1, entry.version)
            self.model.entries[entry.key] = (entry.value, entry.version, expiry)

    async def both(self, ours: Any, theirs: Callable[[], Any]) -> None:
        kept = dict(self.model.entries)
        try:
            expected: Any = theirs()
        except (VersionStale, InputInvalid) as error:
            self.model.entries = kept
            with pytest.raises(type(error)):
                await ours
            return
        answer = await ours
        assert answer == pytest.approx(expected) if _is_number(expected) else answer == expected

    async def do_get(self, key: str) -> None:
        entry = self.model.get(key)
        found = await self.kv.get(self.tenant, key)
        assert (found and (found.value, found.version)) == (entry and entry[:2])

    async def do_set(self, key: str, value: Any, ttl: int | None, condition: str | None) -> None:
        there = self.model.get(key)
        version = {"now": there[1] if there else 1, "old": 0}.get(condition or "")

        def theirs() -> None:
            if version is not None and (there is None or there[1] != version):
                raise VersionStale
            if condition == "absent" and there is not None:
                raise VersionStale
            self.model.set(key, value, ttl)

        async def ours() -> None:
            written = await self.kv.set(
                self.tenant,
                key,
                value,
                ttl=_ttl(ttl),
                if_version=version,
                only_if_absent=condition == "absent",
            )
            assert there is None or written.version > there[1]

        await self.both(ours(), theirs)

    async def do_delete(self, key: str, condition: str | None) -> None:
        there = self.model.get(key)
        version = {"now": there[1] if there else 1, "old": 0}.get(condition or "")

        def theirs() -> bool:
            if version is not None and (there is None or there[1] != version):
                raise VersionStale
            self.model.entries.pop(key, None)
            return there is not None

        await self.both(self.kv.delete(self.tenant, key, if_version=version), theirs)

    async def do_mget(self, keys: list[str]) -> None:
        found = await self.kv.mget(self.tenant, keys)
        expected = [self.model.get(key) for key in keys]
        assert [e and (e.value, e.version) for e in found] == [e and e[:2] for e in expected]

    async def do_mset(self, values: dict[str, Any], ttl: int | None) -> None:
        written = await self.kv.mset(self.tenant, values, ttl=_ttl(ttl))
        for key, value in values.items():
            self.model.set(key, value, ttl, written[key].version)

    async def do_mdelete(self, keys: list[str]) -> None:
        there = len(set(keys) & set(self.model.live()))
        assert await self.kv.mdelete(self.tenant, keys) == there
        for key in keys:
            self.model.entries.pop(key, None)

    async def do_list(self, prefix: str, limit: int) -> None:
        expected = [key for key in self.model.live() if key.startswith(prefix)]
        page = await self.kv.list(self.tenant, prefix, limit=limit)
        seen = [entry.key for entry in page.items]
        while page.next_cursor is not None:
            page = await self.kv.list(self.tenant, prefix, limit=limit, cursor=page.next_cursor)
            seen += [entry.key for entry in page.items]
        assert seen == expected

    async def do_increment(self, key: str, by: float, ttl: int | None) -> None:
        async def ours() -> float:
            return (await self.kv.increment(self.tenant, key, by, ttl=_ttl(ttl))).value

        await self.both(ours(), lambda: self.model.add(key, by, ttl))

    async def do_mutate(self, operations: list[Operation], atomic: bool) -> None:
        async def ours() -> list[Any]:
            done = await self.kv.mutate(self.tenant, operations, atomic=atomic)
            return [
                result.failure.code if result.failure else _near(result.value) for result in done
            ]

        def theirs() -> list[Any]:
            answers = []
            for operation in operations:
                try:
                    answers.append(_near(self.model.run(operation)))
                except (VersionStale, InputInvalid) as error:
                    if atomic:
                        raise
                    answers.append(error.code)
            return answers

        kept = dict(self.model.entries)
        try:
            expected = theirs()
        except (VersionStale, InputInvalid):
            self.model.entries = kept
            # Which of several failures is met first is not promised.
            with pytest.raises((VersionStale, InputInvalid)):
                await ours()
            return
        assert await ours() == expected

    async def do_delete_prefix(self, prefix: str) -> None:
        gone = [key for key in self.model.live() if key.startswith(prefix)]
        assert await delete_prefix(self.kv._database, self.tenant, prefix) == len(gone)
        for key in list(self.model.entries):
            if key.startswith(prefix):
                del self.model.entries[key]

    async def do_later(self) -> None:
        self.model.now = min(self.model.now + STEP, 2 * STEP)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _near(value: Any) -> Any:
    return round(float(value), 6) if _is_number(value) else value


def _ttl(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls=st.lists(CALLS, max_size=12))
@example(calls=[("mutate", [Increment("a", by=by) for by in LARGE_AND_SMALL], True)])
async def test_any_sequence_of_calls(
    kv: Kv, kv_later: Any, organization: Organization, calls: list[Any]
) -> None:
    if not hasattr(kv, "stores"):
        stores = [kv, await kv_later(timedelta(seconds=STEP))]
        kv.stores = [*stores, await kv_later(timedelta(seconds=2 * STEP))]  # type: ignore[attr-defined]
    await delete_prefix(kv._database, organization.tenant, "")
    pair = Pair(kv.stores, organization)  # type: ignore[attr-defined]
    for name, *arguments in calls:
        await getattr(pair, f"do_{name}")(*arguments)
        await pair.compare()
