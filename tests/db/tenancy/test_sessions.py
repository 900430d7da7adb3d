import asyncio
from datetime import timedelta

import pytest

from tidings.base.errors import CredentialInvalid, InputInvalid, RoleForbidden, RowMissing
from tidings.base.ids import uuid7
from tidings.tenancy.access import Requests, session_credential
from tidings.tenancy.audit import list_entries
from tidings.tenancy.organizations import create_organization
from tidings.tenancy.rate_leases import RateLeases
from tidings.tenancy.sessions import (
    change_password,
    list_sessions,
    revoke_session,
    revoke_sessions,
    rotate_session,
)
from tidings.tenancy.sign_in import Client, issue_link, sign_in_by_link, sign_in_by_password

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"
BETTER = "a much better password"
CLIENT = Client("192.0.2.1", "Browser")


@pytest.fixture
async def made(db):
    return await create_organization(db, "Ada's", EMAIL, "Ada", PASSWORD)


@pytest.fixture
async def signed_in(db, settings, made):
    return await sign_in_by_link(db, settings, await issue_link(db, EMAIL), CLIENT)


async def use(db, token):
    return await Requests(db, RateLeases(6000)).open(session_credential(token))


async def test_a_token_rotates_and_the_old_one_lives_a_minute(db, signed_in, later):
    fresh = await rotate_session(db, signed_in.token)
    assert (await use(db, fresh)).session_id == signed_in.session_id
    assert (await use(db, signed_in.token)).session_id == signed_in.session_id
    soon = await later("61 seconds")
    assert await use(soon, fresh)
    with pytest.raises(CredentialInvalid):
        await use(soon, signed_in.token)


async def test_two_rotations_at_once_give_one_new_token(db, signed_in):
    tokens = await asyncio.gather(*(rotate_session(db, signed_in.token) for _ in range(6)))
    assert sum(token is not None for token in tokens) == 1


async def test_rotation_is_due_after_an_hour_and_only_for_the_current_token(db, signed_in, later):
    assert not (await use(db, signed_in.token)).rotation_due
    afterwards = await later("61 minutes")
    assert (await use(afterwards, signed_in.token)).rotation_due
    fresh = await rotate_session(afterwards, signed_in.token)
    assert not (await use(afterwards, fresh)).rotation_due
    assert not (await use(afterwards, signed_in.token)).rotation_due


async def test_a_session_lasts_as_long_as_it_is_used(db, signed_in, later, settings):
    days = timedelta(days=settings.session_days)
    assert await use(await later(f"{days.days - 1} days"), signed_in.token)
    assert await use(await later(f"{2 * days.days - 2} days"), signed_in.token)
    with pytest.raises(CredentialInvalid):
        await use(await later(f"{3 * days.days} days"), signed_in.token)
    assert await rotate_session(await later(f"{3 * days.days} days"), signed_in.token) is None


async def test_signing_out_ends_the_session_at_once(db, signed_in, made):
    await revoke_session(db, made.tenant, signed_in.session_id)
    with pytest.raises(CredentialInvalid):
        await use(db, signed_in.token)
    await revoke_session(db, made.tenant, signed_in.session_id)
    actions = [entry.action for entry in await list_entries(db, made.tenant)]
    assert actions.count("session.revoked") == 1


async def test_nobody_ends_a_session_that_is_not_theirs(db, signed_in, made, organization, person):
    for tenant in (organization.tenant, person(made, "member")):
        with pytest.raises(RowMissing):
            await revoke_session(db, tenant, signed_in.session_id)
        assert await revoke_sessions(db, tenant, made.user_id) == 0
        assert await list_sessions(db, tenant, made.user_id) == []
    with pytest.raises(RowMissing):
        await revoke_session(db, made.tenant, uuid7())
    assert await use(db, signed_in.token)


async def test_all_sessions_but_one_end_together(db, settings, signed_in, made):
    second = await sign_in_by_link(db, settings, await issue_link(db, EMAIL), CLIENT)
    assert len(await list_sessions(db, made.tenant, made.user_id)) == 2
    ended = await revoke_sessions(db, made.tenant, made.user_id, keep=second.session_id)
    assert ended == 1
    with pytest.raises(CredentialInvalid):
        await use(db, signed_in.token)
    assert [s.id for s in await list_sessions(db, made.tenant, made.user_id)] == [second.session_id]
    assert await revoke_sessions(db, made.tenant, made.user_id) == 1
    assert await revoke_sessions(db, made.tenant, made.user_id) == 0


async def test_an_admin_lists_and_ends_a_members_sessions(db, settings, made, person, look):
    member = person(made, "member")
    [(email,)] = look("SELECT email FROM tidings.users WHERE id = %s", member.user_id)
    await sign_in_by_link(db, settings, await issue_link(db, email), CLIENT)
    [session] = await list_sessions(db, made.tenant, member.user_id)
    await revoke_session(db, made.tenant, session.id)
    assert await list_sessions(db, member, member.user_id) == []


async def test_the_token_column_cannot_be_read_by_the_service(db, made):
    from tidings.db.queries import Query

    for column in ("token_hash", "previous_token_hash", "csrf"):
        peek = Query("peek", "Peeks.", f"SELECT {column} FROM tidings.sessions")
        with pytest.raises(RoleForbidden):
            async with db.tenant_batch(made.tenant) as batch:
                batch.add(peek)


async def test_changing_the_password_takes_the_current_one_and_ends_other_sessions(
    db, settings, signed_in, made
):
    mine = await sign_in_by_password(db, settings, EMAIL, PASSWORD, CLIENT)
    with pytest.raises(RoleForbidden):
        await change_password(db, settings, made.tenant, mine.session_id, "a wrong one", BETTER)
    with pytest.raises(RoleForbidden):
        await change_password(db, settings, made.tenant, mine.session_id, None, BETTER)
    with pytest.raises(InputInvalid):
        await change_password(db, settings, made.tenant, mine.session_id, PASSWORD, "short")
    await change_password(db, settings, made.tenant, mine.session_id, PASSWORD, BETTER)
    assert await use(db, mine.token)
    with pytest.raises(CredentialInvalid):
        await use(db, signed_in.token)
    with pytest.raises(CredentialInvalid):
        await sign_in_by_password(db, settings, EMAIL, PASSWORD, CLIENT)
    assert await sign_in_by_password(db, settings, EMAIL, BETTER, CLIENT)


async def test_a_forgotten_password_is_replaced_within_15_minutes_of_a_link(
    db, settings, signed_in, made, later
):
    with pytest.raises(RoleForbidden):
        await change_password(
            await later("16 minutes"), settings, made.tenant, signed_in.session_id, None, BETTER
        )
    await change_password(db, settings, made.tenant, signed_in.session_id, None, BETTER)


async def test_guessing_the_current_password_ends_after_a_few_tries(
    db, settings, signed_in, made, later
):
    few = settings.model_copy(update={"sign_in_limit": 2})
    for _ in range(2):
        with pytest.raises(RoleForbidden):
            await change_password(db, few, made.tenant, signed_in.session_id, "a guess", BETTER)
    with pytest.raises(RoleForbidden):
        await change_password(db, few, made.tenant, signed_in.session_id, PASSWORD, BETTER)
    assert await sign_in_by_password(db, few, EMAIL, PASSWORD, CLIENT)
    after = await later("16 minutes")
    await change_password(after, few, made.tenant, signed_in.session_id, PASSWORD, BETTER)


async def test_a_password_is_set_only_from_ones_own_live_session(
    db, settings, signed_in, made, organization
):
    with pytest.raises(RoleForbidden):
        await change_password(db, settings, organization.tenant, signed_in.session_id, None, BETTER)
    await revoke_session(db, made.tenant, signed_in.session_id)
    with pytest.raises(RoleForbidden):
        await change_password(db, settings, made.tenant, signed_in.session_id, None, BETTER)
