"""Fathom's webhook: signed, taken in once, and nothing half done."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, SignatureInvalid
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.meetings.capture import Captured
from tidings.meetings.hooks import (
    Delivered,
    NewHook,
    create_hook,
    list_hooks,
    receive,
    revoke_hook,
    sweep_deliveries,
)
from tidings.meetings.read import list_meetings
from tidings.meetings.testing import sign_webhook
from tidings.tenancy.secret_keys import SecretKeys, load_secret_keys

from factories.later import Later, later_databases
from factories.meetings import meeting
from factories.organizations import Organization

SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()


@pytest.fixture
def keys(settings: Settings) -> SecretKeys:
    return load_secret_keys(settings)


@pytest.fixture
async def hook(db: Database, keys: SecretKeys, organization: Organization) -> NewHook:
    return await create_hook(db, keys, organization.tenant, SECRET)


class Sender:
    """Posts as Fathom does."""

    def __init__(self, db: Database, keys: SecretKeys, token: str) -> None:
        self.db, self.keys, self.token = db, keys, token

    async def send(
        self,
        number: int = 1,
        delivery: str = "msg_1",
        *,
        secret: str = SECRET,
        late: timedelta = timedelta(0),
        **changes: Any,
    ) -> Delivered:
        body = msgspec.json.encode(meeting(number, **changes))
        headers = sign_webhook(secret, delivery, clock.now() - late, body)

        async def read() -> bytes:
            return body

        return await receive(self.db, self.keys, self.token, headers, read)


@pytest.fixture
def fathom(db: Database, keys: SecretKeys, hook: NewHook) -> Sender:
    return Sender(db, keys, hook.token)


async def titles(db: Database, organization: Organization) -> list[str]:
    return [
        row.title for row in (await list_meetings(db, organization.tenant, Page(50, None))).items
    ]


async def test_a_meeting_is_stored_for_the_hooks_organization(
    db: Database, organization: Organization, other_organization: Organization, fathom: Sender
) -> None:
    assert await fathom.send() == Delivered(False, Captured(created=1))
    assert len(await titles(db, organization)) == 1
    assert await titles(db, other_organization) == []


async def test_a_delivery_is_taken_in_once(fathom: Sender) -> None:
    await fathom.send()
    assert await fathom.send() == Delivered(True)
    # Also when what it holds has changed: the id says that it is the same.
    assert await fathom.send(title="Changed") == Delivered(True)
    assert await fathom.send(delivery="msg_2", title="Changed") == Delivered(
        False, Captured(updated=1)
    )
    assert await fathom.send(delivery="msg_3", title="Changed") == Delivered(
        False, Captured(unchanged=1)
    )


async def test_of_many_repeats_at_once_one_is_taken_in(
    db: Database, organization: Organization, fathom: Sender
) -> None:
    taken = await asyncio.gather(*(fathom.send() for _ in range(8)))
    assert [each.duplicate for each in taken].count(False) == 1
    assert len(await titles(db, organization)) == 1


@pytest.mark.parametrize("late", [timedelta(seconds=301), timedelta(seconds=-302)])
async def test_a_delivery_outside_five_minutes_is_refused(fathom: Sender, late: timedelta) -> None:
    with pytest.raises(SignatureInvalid):
        await fathom.send(late=late)
    assert (await fathom.send(late=late * 0.9)).duplicate is False


async def test_a_wrong_signature_leaves_nothing(
    db: Database, organization: Organization, fathom: Sender, superuser_url: str
) -> None:
    with pytest.raises(SignatureInvalid):
        await fathom.send(secret=OTHER)
    assert await titles(db, organization) == []
    assert await deliveries(superuser_url) == 0
    assert (await fathom.send()).duplicate is False


async def test_an_unknown_or_revoked_address_is_not_there(
    db: Database, keys: SecretKeys, organization: Organization, hook: NewHook, fathom: Sender
) -> None:
    with pytest.raises(RowMissing):
        await Sender(db, keys, "no-such-token").send()
    await revoke_hook(db, organization.tenant, hook.id)
    with pytest.raises(RowMissing):
        await fathom.send()
    with pytest.raises(RowMissing):
        await revoke_hook(db, organization.tenant, hook.id)
    (listed,) = await list_hooks(db, organization.tenant)
    assert listed.id == hook.id
    assert listed.revoked_at is not None


async def test_a_bad_meeting_may_be_sent_again(fathom: Sender, superuser_url: str) -> None:
    with pytest.raises(InputInvalid):
        await fathom.send(calendar_invitees=None)
    assert await deliveries(superuser_url) == 0
    assert (await fathom.send()).duplicate is False


async def test_a_failure_of_storage_leaves_nothing_and_may_be_sent_again(
    db: Database, organization: Organization, fathom: Sender, superuser_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "ALTER TABLE tidings.meeting_segments ADD CONSTRAINT disk_full CHECK (text <> 'Broken')"
        )
    broken = {"transcript": [{"text": "Broken", "speaker": {"display_name": "Bo"}}]}
    with pytest.raises(psycopg.errors.CheckViolation):
        await fathom.send(**broken)
    assert await titles(db, organization) == []
    assert await deliveries(superuser_url) == 0
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute("ALTER TABLE tidings.meeting_segments DROP CONSTRAINT disk_full")
    assert await fathom.send(**broken) == Delivered(False, Captured(created=1))


async def test_admins_alone_make_addresses(
    db: Database, keys: SecretKeys, organization: Organization, superuser_url: str
) -> None:
    with pytest.raises(RoleForbidden):
        await create_hook(db, keys, organization.acting("member"), SECRET)
    with pytest.raises(InputInvalid):
        await create_hook(db, keys, organization.tenant, "no-secret")
    assert await list_hooks(db, organization.acting("member")) == []


async def test_another_organizations_address_stays(
    db: Database, other_organization: Organization, hook: NewHook, fathom: Sender
) -> None:
    with pytest.raises(RowMissing):
        await revoke_hook(db, other_organization.tenant, hook.id)
    assert await list_hooks(db, other_organization.tenant) == []
    assert (await fathom.send()).duplicate is False


async def test_deliveries_are_forgotten_after_thirty_days(
    settings: Settings, database_url: str, fathom: Sender, superuser_url: str
) -> None:
    await fathom.send()
    later: Later
    async with later_databases(settings, database_url) as later:
        assert await sweep_deliveries(await later(timedelta(days=29))) == 0
        assert await sweep_deliveries(await later(timedelta(days=31))) == 1
    assert await deliveries(superuser_url) == 0


async def deliveries(superuser_url: str) -> int:
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        cursor = await connection.execute("SELECT count(*) FROM tidings.hook_deliveries")
        row = await cursor.fetchone()
    assert row is not None
    number: int = row[0]
    return number
