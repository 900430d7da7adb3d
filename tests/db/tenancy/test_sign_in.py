import asyncio

import pytest

from tidings.base.errors import CredentialInvalid
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.tenancy import passwords
from tidings.tenancy.access import Requests, session_credential
from tidings.tenancy.organizations import create_organization
from tidings.tenancy.rate_leases import RateLeases
from tidings.tenancy.sign_in import (
    REFUSAL,
    Client,
    issue_link,
    sign_in_by_link,
    sign_in_by_password,
)

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"
HOME = Client("192.0.2.1", "Browser/1\x00\n")


@pytest.fixture
async def made(db):
    return await create_organization(db, "Ada's", EMAIL, "Ada", PASSWORD)


async def who(db, token):
    return (await Requests(db, RateLeases(6000)).open(session_credential(token))).tenant


async def test_the_right_password_opens_a_session(db, settings, made, look):
    signed_in = await sign_in_by_password(db, settings, " ADA@example.com", PASSWORD, HOME)
    tenant = await who(db, signed_in.token)
    assert tenant == Tenant(made.organization_id, made.user_id, "owner")
    assert look("SELECT user_agent, address, method FROM tidings.sessions") == [
        ("Browser/1", "192.0.2.1", "password")
    ]
    assert look("SELECT action FROM tidings.audit_log ORDER BY id")[-1] == ("session.opened",)
    stored = str(look("SELECT * FROM tidings.sessions"))
    assert signed_in.token not in stored


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong horse battery"), ("bob@example.com", PASSWORD), (EMAIL, "")],
)
async def test_every_refusal_reads_the_same(db, settings, made, email, password):
    with pytest.raises(CredentialInvalid) as caught:
        await sign_in_by_password(db, settings, email, password, HOME)
    assert caught.value.message == REFUSAL
    assert caught.value.retry_after is None


async def test_every_refusal_costs_one_hash_and_one_round_trip(db, settings, made, monkeypatch):
    checked = []

    def verify(password_hash, plain):
        checked.append(password_hash)
        return False

    monkeypatch.setattr(passwords, "_verify", verify)
    for email in (EMAIL, "bob@example.com"):
        before = db.trips.total
        for _ in range(settings.sign_in_limit + 2):
            with pytest.raises(CredentialInvalid):
                await sign_in_by_password(db, settings, email, PASSWORD, Client(str(uuid7())))
        assert db.trips.total - before == settings.sign_in_limit + 2
    assert len(checked) == 2 * (settings.sign_in_limit + 2)
    real = checked[0].split("$")
    assert all(entry.split("$")[:4] == real[:4] for entry in checked)
    assert [len(part) for part in passwords.dummy_hash().split("$")] == [len(p) for p in real]


async def test_an_account_locks_and_opens_again(db, settings, made, later, monkeypatch):
    real = passwords._verify
    monkeypatch.setattr(passwords, "_verify", lambda *_: False)
    for i in range(settings.sign_in_limit):
        with pytest.raises(CredentialInvalid):
            await sign_in_by_password(db, settings, EMAIL, "x", Client(f"198.51.100.{i}"))
    monkeypatch.setattr(passwords, "_verify", real)
    with pytest.raises(CredentialInvalid, match="too many tries"):
        await sign_in_by_password(db, settings, EMAIL, PASSWORD, HOME)
    afterwards = await later("16 minutes")
    assert await sign_in_by_password(afterwards, settings, EMAIL, PASSWORD, HOME)


async def test_a_network_locks_whatever_the_account(db, settings, made, monkeypatch):
    real = passwords._verify
    monkeypatch.setattr(passwords, "_verify", lambda *_: False)
    for i in range(settings.sign_in_limit):
        client = Client(f"2001:db8::{i:x}")
        with pytest.raises(CredentialInvalid):
            await sign_in_by_password(db, settings, f"{i}@example.com", "x", client)
    monkeypatch.setattr(passwords, "_verify", real)
    with pytest.raises(CredentialInvalid):
        await sign_in_by_password(db, settings, EMAIL, PASSWORD, Client("2001:db8::ffff"))
    assert await sign_in_by_password(db, settings, EMAIL, PASSWORD, Client("2001:db8:0:1::1"))


async def test_tries_made_at_once_are_counted_before_they_are_checked(
    db, settings, made, monkeypatch
):
    real_hashes = []

    def verify(password_hash, plain):
        real_hashes.append(password_hash != passwords.dummy_hash())
        return False

    monkeypatch.setattr(passwords, "_verify", verify)
    tries = [
        sign_in_by_password(db, settings, EMAIL, "x", Client(f"10.0.0.{i}")) for i in range(40)
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(result, CredentialInvalid) for result in results)
    assert sum(real_hashes) == settings.sign_in_limit


async def test_signing_in_takes_the_attempt_back(db, settings, made, look):
    for _ in range(settings.sign_in_limit + 2):
        await sign_in_by_password(db, settings, EMAIL, PASSWORD, HOME)
    assert look("SELECT failures FROM tidings.sign_in_failures") == [(0,)]


async def test_an_old_hash_is_renewed(db, settings, made, look, monkeypatch):
    monkeypatch.undo()  # `made` has a quick one
    await sign_in_by_password(db, settings, EMAIL, PASSWORD, HOME)
    [(renewed,)] = look("SELECT password_hash FROM tidings.user_passwords")
    assert renewed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    await sign_in_by_password(db, settings, EMAIL, PASSWORD, HOME)


async def test_a_password_changed_while_it_was_checked_does_not_count(
    db, settings, made, look, monkeypatch
):
    def verify(password_hash, plain):
        look("UPDATE tidings.user_passwords SET password_hash = '$argon2id$other'")
        return True

    monkeypatch.setattr(passwords, "_verify", verify)
    with pytest.raises(CredentialInvalid):
        await sign_in_by_password(db, settings, EMAIL, PASSWORD, HOME)
    assert look("SELECT count(*) FROM tidings.sessions") == [(0,)]


async def test_a_disabled_person_cannot_sign_in(db, settings, made, look):
    link = await issue_link(db, EMAIL)
    look("UPDATE tidings.users SET disabled_at = now()")
    with pytest.raises(CredentialInvalid):
        await sign_in_by_password(db, settings, EMAIL, PASSWORD, HOME)
    with pytest.raises(CredentialInvalid):
        await sign_in_by_link(db, settings, link, HOME)
    assert await issue_link(db, EMAIL) is None


async def test_the_organization_can_be_chosen_among_ones_own(db, settings, made, organization):
    second = await create_organization(db, "Second", EMAIL)
    chosen = await sign_in_by_password(
        db, settings, EMAIL, PASSWORD, HOME, organization_id=second.organization_id
    )
    assert chosen.organization_id == second.organization_id
    first = await sign_in_by_password(db, settings, EMAIL, PASSWORD, HOME)
    assert first.organization_id == made.organization_id
    with pytest.raises(CredentialInvalid):
        await sign_in_by_password(
            db, settings, EMAIL, PASSWORD, HOME, organization_id=organization.organization_id
        )


async def test_a_link_signs_in_once(db, settings, made, look):
    link = await issue_link(db, EMAIL, organization_id=made.organization_id)
    assert link not in str(look("SELECT * FROM tidings.sign_in_links"))
    signed_in = await sign_in_by_link(db, settings, link, HOME)
    assert (await who(db, signed_in.token)).user_id == made.user_id
    with pytest.raises(CredentialInvalid):
        await sign_in_by_link(db, settings, link, HOME)


async def test_a_link_used_by_many_at_once_opens_one_session(db, settings, made, look):
    link = await issue_link(db, EMAIL)
    results = await asyncio.gather(
        *(sign_in_by_link(db, settings, link, HOME) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, CredentialInvalid) for result in results) == 7
    assert look("SELECT count(*) FROM tidings.sessions") == [(1,)]


async def test_a_link_expires_after_15_minutes(db, settings, made, later):
    link = await issue_link(db, EMAIL)
    with pytest.raises(CredentialInvalid):
        await sign_in_by_link(await later("15 minutes"), settings, link, HOME)
    assert await sign_in_by_link(await later("14 minutes"), settings, link, HOME)


@pytest.mark.parametrize("token", ["", "short", "x" * 43, "é" * 43])
async def test_an_unknown_link_is_refused(db, settings, made, token):
    with pytest.raises(CredentialInvalid):
        await sign_in_by_link(db, settings, token, HOME)


async def test_no_link_for_an_unknown_address_or_another_organization(db, made, organization):
    assert await issue_link(db, "nobody@example.com") is None
    assert await issue_link(db, EMAIL, organization_id=organization.organization_id) is None
