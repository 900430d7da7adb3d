"""Many writers at once: nothing is lost, one wins, none waits in a ring."""

import asyncio
from collections.abc import Awaitable

from tidings.base.errors import VersionStale
from tidings.kv.operations import Check, Increment, Set
from tidings.kv.store import Kv

from factories.organizations import Organization


async def wins(write: Awaitable[object]) -> bool:
    try:
        await write
    except VersionStale:
        return False
    return True


async def test_a_hundred_increments_are_a_hundred(kv: Kv, organization: Organization) -> None:
    sums = await asyncio.gather(*(kv.increment(organization.tenant, "n") for _ in range(100)))
    assert sorted(answer.value for answer in sums) == list(range(1, 101))
    by_version = sorted(sums, key=lambda answer: answer.version)
    assert [answer.value for answer in by_version] == list(range(1, 101))


async def test_one_wins_a_race_to_compare_and_set(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    made = await asyncio.gather(
        *(wins(kv.set(tenant, "k", n, only_if_absent=True)) for n in range(30))
    )
    assert made.count(True) == 1
    entry = await kv.get(tenant, "k")
    assert entry is not None
    changed = await asyncio.gather(
        *(wins(kv.set(tenant, "k", n, if_version=entry.version)) for n in range(30))
    )
    assert changed.count(True) == 1


async def test_counting_by_compare_and_set_loses_nothing(
    kv: Kv, organization: Organization
) -> None:
    tenant = organization.tenant
    await kv.set(tenant, "n", 0)

    async def add_one() -> None:
        while True:
            entry = await kv.get(tenant, "n")
            assert entry is not None
            if await wins(kv.set(tenant, "n", entry.value + 1, if_version=entry.version)):
                return

    await asyncio.gather(*(add_one() for _ in range(20)))
    entry = await kv.get(tenant, "n")
    assert entry is not None
    assert entry.value == 20


async def test_writers_of_the_same_keys_in_either_order_do_not_deadlock(
    kv: Kv, organization: Organization
) -> None:
    tenant = organization.tenant
    keys = [f"k{n}" for n in range(6)]

    async def mutate(order: list[str]) -> None:
        await kv.mutate(tenant, [Increment(key) for key in order])

    async def rewrite(order: list[str]) -> None:
        await kv.mset(tenant, dict.fromkeys(order, 0))

    async def remove(order: list[str]) -> None:
        await kv.mdelete(tenant, order)

    for verb in (mutate, rewrite, remove):
        await asyncio.gather(*(verb(order) for order in [keys, keys[::-1]] * 20))
    everything = (verb(o) for verb in (mutate, rewrite, remove) for o in [keys, keys[::-1]] * 10)
    await asyncio.gather(*everything)
    async with asyncio.timeout(20):  # a deadlock would have been answered after a second
        results = await kv.mutate(tenant, [Set(key, value=0) for key in keys])
    assert len(results) == 6


async def test_checks_of_absence_hold_until_the_commit(kv: Kv, organization: Organization) -> None:
    """Each takes its own key if the other's is absent: without locks both would (write skew)."""
    tenant = organization.tenant
    for n in range(25):
        left, right = f"{n}:left", f"{n}:right"
        took = await asyncio.gather(
            wins(kv.mutate(tenant, [Check(right, version=None), Set(left, value=1)])),
            wins(kv.mutate(tenant, [Check(left, version=None), Set(right, value=1)])),
        )
        assert took.count(True) == 1


async def test_transfers_keep_the_sum(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    accounts = [f"account:{n}" for n in range(4)]
    await kv.mset(tenant, dict.fromkeys(accounts, 100))

    async def transfer(n: int) -> None:
        source, target = accounts[n % 4], accounts[(n * 7 + 1) % 4]
        await kv.mutate(tenant, [Increment(source, by=-n), Increment(target, by=n)])

    async def look() -> None:
        entries = await kv.mget(tenant, accounts)
        assert sum(entry.value for entry in entries if entry) == 400

    await asyncio.gather(*(verb for n in range(40) for verb in (transfer(n), look())))
    await look()
