import asyncio
import os

import pytest

from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, SecretUnreadable
from tidings.tenancy.audit import list_entries
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import (
    Resealed,
    delete_secret,
    list_secrets,
    open_secret,
    reseal_secrets,
    set_secret,
)

NAME = "openai_api_key"
PLAIN = "sk-live-0123456789abcdef-wxyz"
OLD, NEW = bytes(32), bytes([1]) * 32


@pytest.fixture
def keys():
    return SecretKeys([OLD])


async def test_a_secret_is_written_by_admins_and_read_by_services(db, keys, organization, look):
    await set_secret(db, keys, organization.tenant, NAME, PLAIN)
    assert await open_secret(db, keys, organization.acting("service"), NAME) == PLAIN
    [hint] = await list_secrets(db, organization.tenant)
    assert (hint.name, hint.hint, hint.updated_by) == (NAME, "wxyz", organization.user_id)
    stored = str(look("SELECT * FROM tidings.organization_secrets, tidings.audit_log"))
    assert PLAIN not in stored
    assert PLAIN[8:20] not in stored
    for role in ("owner", "admin", "member", "viewer"):
        with pytest.raises(RoleForbidden):
            await open_secret(db, keys, organization.acting(role), NAME)


async def test_a_short_secret_shows_no_hint(db, keys, organization):
    await set_secret(db, keys, organization.tenant, NAME, "hunter2")
    assert (await list_secrets(db, organization.tenant))[0].hint == ""


async def test_setting_again_replaces(db, keys, organization):
    for value in ("first", "second"):
        await set_secret(db, keys, organization.tenant, NAME, value)
    assert await open_secret(db, keys, organization.acting("service"), NAME) == "second"
    actions = [entry.action for entry in await list_entries(db, organization.tenant)]
    assert actions == ["secret.set", "secret.set"]


async def test_a_deleted_secret_is_gone(db, keys, organization):
    await set_secret(db, keys, organization.tenant, "fathom_webhook_secret:a-1", PLAIN)
    await delete_secret(db, organization.tenant, "fathom_webhook_secret:a-1")
    assert await open_secret(db, keys, organization.acting("service"), NAME) is None
    assert await list_secrets(db, organization.tenant) == []
    with pytest.raises(RowMissing):
        await delete_secret(db, organization.tenant, "fathom_webhook_secret:a-1")


@pytest.mark.parametrize("role", ["member", "viewer"])
async def test_below_admin_nobody_touches_secrets(db, keys, organization, person, role):
    tenant = person(organization, role)
    with pytest.raises(RoleForbidden):
        await set_secret(db, keys, tenant, NAME, PLAIN)
    with pytest.raises(RoleForbidden):
        await list_secrets(db, tenant)
    with pytest.raises(RoleForbidden):
        await delete_secret(db, tenant, NAME)


async def test_secrets_of_others_are_not_there(db, keys, organization, other_organization):
    await set_secret(db, keys, organization.tenant, NAME, PLAIN)
    assert await list_secrets(db, other_organization.tenant) == []
    assert await open_secret(db, keys, other_organization.acting("service"), NAME) is None
    with pytest.raises(RowMissing):
        await delete_secret(db, other_organization.tenant, NAME)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE tidings.organization_secrets SET sealed = sealed || '\\x00'",
        "UPDATE tidings.organization_secrets SET name = 'anthropic_api_key'",
        "UPDATE tidings.organization_secrets SET key_id = '0123456789abcdef'",
    ],
)
async def test_a_changed_or_moved_secret_does_not_open(db, keys, organization, look, tampering):
    await set_secret(db, keys, organization.tenant, NAME, PLAIN)
    look(tampering)
    [hint] = await list_secrets(db, organization.tenant)
    with pytest.raises(SecretUnreadable):
        await open_secret(db, keys, organization.acting("service"), hint.name)


@pytest.mark.parametrize(("name", "value"), [("Bad Name", "x"), (NAME, " "), (NAME, "a\x00b")])
async def test_bad_fields_store_nothing(db, keys, organization, name, value):
    with pytest.raises(InputInvalid):
        await set_secret(db, keys, organization.tenant, name, value)
    assert await list_secrets(db, organization.tenant) == []


async def test_rotation_reseals_everything_and_the_old_key_can_go(
    db, keys, organization, other_organization
):
    for tenant in (organization.tenant, other_organization.tenant):
        for n in range(60):
            await set_secret(db, keys, tenant, f"{NAME}:{n}", f"{PLAIN}{n}")
    both = SecretKeys([NEW, OLD])
    results = await asyncio.gather(reseal_secrets(db, both), reseal_secrets(db, both))
    assert sum(result.done for result in results) == 120
    assert await reseal_secrets(db, both) == Resealed(0, 0)
    only_new = SecretKeys([NEW])
    for one in (organization, other_organization):
        opened = await open_secret(db, only_new, one.acting("service"), f"{NAME}:59")
        assert opened == f"{PLAIN}59"


async def test_rotation_passes_by_what_no_key_opens(db, keys, organization):
    await set_secret(db, SecretKeys([os.urandom(32)]), organization.tenant, "a_lost_one", PLAIN)
    await set_secret(db, keys, organization.tenant, NAME, PLAIN)
    assert await reseal_secrets(db, SecretKeys([NEW, OLD])) == Resealed(1, 1)
