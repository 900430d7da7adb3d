"""Stored answers: exact match, one maker among all processes, a dead maker given up."""

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from tidings.ai.gateway import Gateway
from tidings.ai.ledger import list_usage
from tidings.ai.operation import Operation
from tidings.ai.prompts import Prompt, version_of
from tidings.ai.responses import LARGEST_KEPT, LEASE, Responses, Store, response_key
from tidings.ai.testing import FakeProvider, status
from tidings.base.errors import DatabaseUnavailable, ProviderFailed
from tidings.db.transaction import Database

from factories.organizations import Organization

OPENAI = "openai:gpt-4o-mini"
SOURCE = "We ship on Friday. The budget is tight."
STORE = Store("readings", 600)
KEY = response_key("a")

Reading = Operation[str, list[str]]


class Paused:
    """A pause between two looks that ends when the test says so."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.reached.set()
        await self.go.wait()


async def read(
    gateway: Gateway, organization: Organization, reading: Reading, source: str = SOURCE
) -> list[str]:
    completed = await gateway.complete(
        organization.tenant, reading, source, engine=OPENAI, run_id=None, store=STORE
    )
    return completed.answer


async def test_the_same_question_is_asked_once(
    gateway: Gateway,
    open_gateway: Callable[..., Gateway],
    db: Database,
    organization: Organization,
    other_organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    for _ in range(3):
        assert await read(gateway, organization, reading) == ["We ship on Friday"]
    another_process = open_gateway()
    assert await read(another_process, organization, reading) == ["We ship on Friday"]
    assert len(fake.asked) == 1
    assert (gateway.responses.hits, gateway.responses.misses) == (2, 1)
    assert another_process.responses.hits == 1
    assert len(await list_usage(db, organization.tenant, after=None, limit=9)) == 1
    await read(gateway, other_organization, reading)
    await read(gateway, organization, reading, SOURCE + " Really.")
    changed = Prompt("read_goals", "Other words.", version_of("Other words."))
    await read(gateway, organization, Operation(**{**vars_of(reading), "prompt": changed}))
    assert len(fake.asked) == 4


def vars_of(operation: Reading) -> dict[str, object]:
    return {name: getattr(operation, name) for name in operation.__dataclass_fields__}


async def test_a_hit_in_the_process_takes_no_round_trip_and_one_from_the_table_one(
    gateway: Gateway,
    open_gateway: Callable[..., Gateway],
    db: Database,
    organization: Organization,
    reading: Reading,
) -> None:
    await read(gateway, organization, reading)
    before = db.trips.total
    await read(gateway, organization, reading)
    assert db.trips.total == before
    await read(open_gateway(), organization, reading)
    assert db.trips.total == before + 1


async def test_many_at_once_make_one_call_in_one_process_and_in_several(
    open_gateway: Callable[..., Gateway],
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    gateways = [open_gateway() for _ in range(3)]
    fake.gate.clear()
    asked = [
        asyncio.create_task(read(gateway, organization, reading))
        for gateway in gateways
        for _ in range(10)
    ]
    await fake.wait_for(1)
    fake.gate.set()
    assert await asyncio.gather(*asked) == [["We ship on Friday"]] * 30
    assert len(fake.asked) == 1


async def test_a_failure_is_not_kept(
    gateway: Gateway, organization: Organization, reading: Reading, fake: FakeProvider
) -> None:
    fake.script(status(401))
    with pytest.raises(ProviderFailed):
        await read(gateway, organization, reading)
    assert await read(gateway, organization, reading) == ["We ship on Friday"]


async def test_an_expired_answer_is_made_again(
    gateway: Gateway,
    open_gateway: Callable[..., Gateway],
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
    superuser_url: str,
) -> None:
    await read(gateway, organization, reading)
    expire(superuser_url)
    await read(open_gateway(), organization, reading)
    assert len(fake.asked) == 2


def expire(superuser_url: str) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE tidings.ai_responses SET expires_at = tidings.now() - interval '1 s'"
        )


async def test_a_stored_answer_that_is_not_accepted_any_more_is_asked_anew(
    gateway: Gateway, organization: Organization, reading: Reading, fake: FakeProvider
) -> None:
    await read(gateway, organization, reading)

    def stricter(source: str, answer: object) -> list[str]:
        if len(fake.asked) < 2:
            raise ValueError("Not any more.")
        return ["Accepted."]

    changed = Operation(**{**vars_of(reading), "accept": stricter})
    assert await read(gateway, organization, changed) == ["Accepted."]


async def test_a_waiting_process_gets_the_answer_of_the_maker(
    db: Database, organization: Organization
) -> None:
    paused = Paused()
    makes, waits = Responses(db, paused), Responses(db, paused)
    begun, finish = asyncio.Event(), asyncio.Event()

    async def make() -> str:
        begun.set()
        await finish.wait()
        return "made"

    making = asyncio.create_task(makes.get(organization.tenant, STORE, KEY, make))
    await begun.wait()
    waiting = asyncio.create_task(waits.get(organization.tenant, STORE, KEY, never))
    await paused.reached.wait()
    finish.set()
    assert await making == "made"
    paused.go.set()
    assert await waiting == "made"


async def never() -> str:
    raise AssertionError("somebody else makes it")


async def test_a_dead_makers_lease_ends_and_its_late_answer_is_not_kept(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    dead, heir = Responses(db, Paused()), Responses(db, Paused())

    async def slow() -> str:
        expire(superuser_url)  # its lease has passed: it was away for long
        assert await heir.get(organization.tenant, STORE, KEY, of_the_heir) == "the heir's"
        return "too late"

    async def of_the_heir() -> str:
        return "the heir's"

    assert await dead.get(organization.tenant, STORE, KEY, slow) == "too late"
    assert await Responses(db, Paused()).get(organization.tenant, STORE, KEY, never) == "the heir's"


async def test_a_long_maker_says_that_it_lives(
    db: Database,
    organization: Organization,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tidings.ai.responses.LEASE", 0.09)
    responses = Responses(db, Paused())
    extended = asyncio.Event()
    quietly = responses._quietly

    async def told(*given: object) -> bool:
        done = await quietly(*given)
        extended.set()
        return done

    monkeypatch.setattr(responses, "_quietly", told)

    async def make() -> str:
        await extended.wait()
        return "made"

    assert await responses.get(organization.tenant, STORE, KEY, make) == "made"
    assert LEASE > 0.09


async def test_a_cancelled_maker_frees_the_lease(db: Database, organization: Organization) -> None:
    responses, other = Responses(db, Paused()), Responses(db, Paused())
    begun = asyncio.Event()

    async def make() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    async def again() -> str:
        return "again"

    making = asyncio.create_task(responses.get(organization.tenant, STORE, KEY, make))
    await begun.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert await other.get(organization.tenant, STORE, KEY, again) == "again"


async def test_an_answer_survives_a_store_that_cannot_be_written_or_is_too_small(
    db: Database, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def large() -> str:
        return "x" * (LARGEST_KEPT + 1)

    async def without() -> str:
        class Away:
            def tenant_batch(self, *_: object, **__: object) -> object:
                raise DatabaseUnavailable

        monkeypatch.setattr(responses, "_db", Away())
        return "made"

    responses = Responses(db, Paused())
    assert len(await responses.get(organization.tenant, STORE, KEY, large)) > LARGEST_KEPT
    assert await responses.get(organization.tenant, STORE, KEY, without) == "made"
