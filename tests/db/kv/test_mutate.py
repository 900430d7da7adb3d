"""Several operations in one transaction."""

from contextlib import suppress
from typing import Any

import pytest

from tidings.base.errors import BodyTooLarge, InputInvalid, VersionStale
from tidings.db.transaction import Database
from tidings.kv.operations import Check, Delete, Get, Increment, Operation, Set
from tidings.kv.store import Kv, mutate_in

from factories.organizations import Organization


async def test_every_operation_answers_in_the_order_asked(
    kv: Kv, organization: Organization
) -> None:
    tenant = organization.tenant
    version = (await kv.set(tenant, "b", {"n": 1})).version
    results = await kv.mutate(
        tenant,
        [
            Get("b"),
            Check("b", version=version),
            Check("a", version=None),
            Set("c", value=[1], ttl_seconds=60),
            Increment("a", by=2.5),
            Get("a"),
            Delete("b", if_version=version),
            Get("b"),
            Delete("missing"),
            Set("b", value=None, only_if_absent=True),
            Set("b", value=2, if_version=None),
        ],
    )
    assert [(r.op, r.key, r.found, r.value) for r in results] == [
        ("get", "b", True, {"n": 1}),
        ("check", "b", True, None),
        ("check", "a", False, None),
        ("set", "c", True, None),
        ("increment", "a", True, 2.5),
        ("get", "a", True, 2.5),
        ("delete", "b", True, None),
        ("get", "b", False, None),
        ("delete", "missing", False, None),
        ("set", "b", True, None),
        ("set", "b", True, None),
    ]
    assert results[0].version == version
    assert results[3].expires_at is not None
    assert results[4].version == results[5].version
    assert all(result.failure is None for result in results)
    assert await kv.mutate(tenant, []) == []


@pytest.mark.parametrize(
    "failing",
    [
        Check("a", version=None),
        Check("missing", version=1),
        Set("a", value=2, only_if_absent=True),
        Set("missing", value=2, if_version=7),
        Delete("missing", if_version=7),
    ],
    ids=repr,
)
async def test_all_or_nothing(kv: Kv, organization: Organization, failing: Operation) -> None:
    tenant = organization.tenant
    version = (await kv.set(tenant, "a", 1)).version
    with pytest.raises(VersionStale):
        await kv.mutate(tenant, [Set("0", value=1), Increment("a"), failing, Delete("z")])
    entries = (await kv.list(tenant)).items
    assert [(e.key, e.value, e.version) for e in entries] == [("a", 1, version)]


async def test_each_for_itself(kv: Kv, organization: Organization) -> None:
    tenant, member = organization.tenant, organization.acting("member")
    await kv.set(tenant, "text", "x")
    results = await kv.mutate(
        member,
        [
            Set("a", value=1),
            Check("a", version=None),
            Increment("text"),
            Set("engagement:x", value=1),
            Delete("engagement:x"),
            Increment("a"),
            Get("a"),
        ],
        atomic=False,
    )
    codes = [result.failure and result.failure.code for result in results]
    assert codes == [
        None,
        "version_stale",
        "input_invalid",
        "role_forbidden",
        "role_forbidden",
        None,
        None,
    ]
    assert results[1].failure is not None
    assert results[1].failure.detail.endswith(".")
    assert results[6].value == 2


@pytest.mark.parametrize(
    "operation",
    [
        Get(""),
        Get("\x00"),
        Set("k", value="\ud800"),
        Set("k", value=1, ttl_seconds=0),
        Set("k", value=1, ttl_seconds=float("nan")),
        Set("k", value=1, ttl_seconds=1e300),
        Set("k", value=1, if_version=-1),
        Delete("k", if_version=2**63),
        Check("k", version=2**63),
        Increment("k", by=float("inf")),
        Increment("k", ttl_seconds=-1),
    ],
    ids=repr,
)
async def test_a_bad_operation_is_named(
    kv: Kv, organization: Organization, operation: Operation
) -> None:
    with pytest.raises(InputInvalid) as raised:
        await kv.mutate(organization.tenant, [Get("fine"), operation])
    assert raised.value.errors[0].field.startswith("operations[1]")


async def test_a_mutation_is_bounded(kv: Kv, organization: Organization) -> None:
    with pytest.raises(InputInvalid):
        await kv.mutate(organization.tenant, [Get("k")] * 1001)
    big: Any = "x" * 1_048_570
    with pytest.raises(BodyTooLarge):
        await kv.mutate(organization.tenant, [Set("k", value=big)] * 65)
    results = await kv.mutate(organization.tenant, [Increment(f"k{n}") for n in range(1000)])
    assert len(results) == 1000


async def test_in_the_callers_transaction(kv: Kv, db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    async with db.tenant_transaction(tenant) as transaction:
        results = await mutate_in(transaction, [Increment("n"), Get("n")], atomic=True)
    with suppress(ZeroDivisionError):
        async with db.tenant_transaction(tenant) as transaction:
            await mutate_in(transaction, [Increment("n")], atomic=False)
            raise ZeroDivisionError
    entry = await kv.get(tenant, "n")
    assert entry is not None
    assert [result.value for result in results] == [entry.value, entry.value] == [1, 1]


async def test_one_call_reads_a_bounded_amount(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    await kv.set(tenant, "large", "x" * 1_000_000)
    enough: list[Operation] = [Get("large")] * 67
    assert len(await kv.mutate(tenant, enough)) == 67
    with pytest.raises(InputInvalid, match="64 MiB"):
        await kv.mutate(tenant, [Increment("n"), *enough, Get("large")])
    assert await kv.get(tenant, "n") is None
    each = await kv.mutate(
        tenant, [*enough, Get("large"), Get("missing"), Increment("n")], atomic=False
    )
    assert [result.failure is None for result in each] == [True] * 67 + [False, False, True]
    assert each[67].failure is not None
    assert each[67].failure.code == "input_invalid"
    assert each[67].value is None
    assert each[-1].value == 1
