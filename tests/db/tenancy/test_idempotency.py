import asyncio

import pytest

from tidings.base.errors import IdempotencyBusy, IdempotencyMismatch, RateExceeded
from tidings.db.queries import Query
from tidings.tenancy.access import Requests, key_credential
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.idempotency import Answer, make_claim, release_claim, save_answer
from tidings.tenancy.rate_leases import RateLeases

RENAME = Query(
    "rename", "Renames.", "UPDATE tidings.organizations SET name = %(name)s WHERE id = %(id)s"
)


@pytest.fixture
async def key(db, organization):
    return (await issue_key(db, organization.tenant, "CI")).key


@pytest.fixture
def ask(db, key):
    leases = RateLeases(6000)

    async def run(body=b"{}", *, database=db, idempotency_key="once", credential=key):
        claim = make_claim(idempotency_key, "POST", "/v1/things", "", body)
        return await Requests(database, leases).open(key_credential(credential), claim)

    return run


async def answer(database, access, name="Renamed"):
    async with database.tenant_batch(access.tenant) as batch:
        batch.queue(RENAME, {"name": name, "id": access.tenant.organization_id})
        save_answer(batch, access.claim, 201, {"content-type": "application/json"}, b"[1]")


async def test_the_first_answer_is_replayed(db, ask):
    first = await ask()
    assert first.claim is not None
    assert first.replay is None
    await answer(db, first)
    again = await ask()
    assert again.claim is None
    assert again.replay == Answer(201, {"content-type": "application/json"}, b"[1]")


async def test_another_body_is_a_mismatch(db, ask):
    await answer(db, await ask())
    with pytest.raises(IdempotencyMismatch):
        await ask(b"[]")


async def test_of_two_at_once_one_claims_and_the_other_waits(ask):
    results = await asyncio.gather(*(ask() for _ in range(10)), return_exceptions=True)
    busy = [result for result in results if isinstance(result, IdempotencyBusy)]
    assert len(busy) == 9
    assert busy[0].retry_after == 1
    with pytest.raises(IdempotencyMismatch):
        await ask(b"[]")


async def test_a_released_claim_can_be_made_again(db, ask):
    first = await ask()
    await release_claim(db, first.tenant, first.claim)
    second = await ask()
    assert second.claim.id != first.claim.id
    await answer(db, second)
    await release_claim(db, second.tenant, second.claim)
    assert (await ask()).replay is not None


async def test_an_abandoned_claim_is_taken_over_and_its_late_effect_is_undone(db, ask, later, look):
    slow = await ask()
    with pytest.raises(IdempotencyBusy):
        await ask(database=await later("30 seconds"))  # a slow machine has as many more
    afterwards = await later("61 seconds")
    results = await asyncio.gather(
        *(ask(database=afterwards) for _ in range(5)), return_exceptions=True
    )
    [second] = [result for result in results if not isinstance(result, Exception)]
    with pytest.raises(IdempotencyBusy):
        await answer(db, slow, "From the slow one")
    await release_claim(db, slow.tenant, slow.claim)
    await answer(afterwards, second, "From the second one")
    assert look("SELECT name FROM tidings.organizations") == [("From the second one",)]
    with pytest.raises(IdempotencyBusy):
        await answer(db, slow, "Again")


async def test_an_abandoned_claim_keeps_refusing_another_body(ask, later):
    await ask()
    with pytest.raises(IdempotencyMismatch):
        await ask(b"[]", database=await later("61 seconds"))


async def test_the_same_attempt_sent_again_finds_its_own_claim(db, key):
    claim = make_claim("once", "POST", "/v1/things", "", b"{}")
    leases = RateLeases(6000)
    for _ in range(2):
        access = await Requests(db, leases).open(key_credential(key), claim)
        assert access.claim == claim


async def test_a_key_is_free_again_after_24_hours(db, ask, later):
    await answer(db, await ask())
    assert (await ask(database=await later("23 hours"))).replay is not None
    assert (await ask(b"[]", database=await later("24 hours"))).claim is not None


async def test_a_request_refused_for_its_rate_claims_nothing(new_minute, key, look):
    leases = RateLeases(1)
    await Requests(new_minute, leases).open(key_credential(key))
    claim = make_claim("once", "POST", "/v1/things", "", b"{}")
    with pytest.raises(RateExceeded):
        await Requests(new_minute, RateLeases(1)).open(key_credential(key), claim)
    assert look("SELECT count(*) FROM tidings.idempotency_keys") == [(0,)]


async def test_the_same_key_of_another_person_is_another_key(
    db, ask, organization, other_organization, person
):
    await answer(db, await ask())
    for tenant in (other_organization.tenant, person(organization, "member")):
        other = (await issue_key(db, tenant, "CI")).key
        access = await ask(b"[]", credential=other)
        assert access.claim is not None


async def test_nobody_answers_for_another(db, ask, organization, other_organization, person):
    access = await ask()
    for tenant in (other_organization.tenant, person(organization, "admin")):
        with pytest.raises(IdempotencyBusy):
            async with db.tenant_batch(tenant) as batch:
                save_answer(batch, access.claim, 200, {}, b"")
        await release_claim(db, tenant, access.claim)
    await answer(db, access)
