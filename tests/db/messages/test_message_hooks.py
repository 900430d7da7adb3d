"""Messages by webhook: signed, into one channel, and taken in once."""

import base64
from typing import Any

import msgspec
import pytest

from tidings.base import clock
from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, SignatureInvalid
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.meetings.testing import sign_webhook
from tidings.messages.channels import delete_channel
from tidings.messages.hooks import (
    create_message_hook,
    list_message_hooks,
    receive_messages,
    revoke_message_hook,
)
from tidings.messages.ingest import Ingested
from tidings.tenancy.secret_keys import SecretKeys, load_secret_keys
from tidings.tenancy.secrets import list_secrets

from factories.channels import make_channel
from factories.organizations import Organization, add_member
from factories.said import said

SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()


@pytest.fixture
def keys(settings: Settings) -> SecretKeys:
    return load_secret_keys(settings)


async def post(
    db: Database, keys: SecretKeys, token: str, event: Any, *, secret: str = SECRET
) -> Ingested:
    body = event if isinstance(event, bytes) else msgspec.json.encode(event)

    async def read() -> bytes:
        return body

    headers = sign_webhook(secret, "msg_1", clock.now(), body)
    return await receive_messages(db, keys, token, headers, read)


async def test_a_signed_delivery_is_taken_in_once(
    db: Database, keys: SecretKeys, organization: Organization, superuser_url: str
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    hook = await create_message_hook(db, keys, tenant, channel_id, SECRET)
    event = {"items": [said(1), said(2, body=5), said(3)]}
    taken = await post(db, keys, hook.token, event)
    assert (taken.created, taken.duplicates, [e.index for e in taken.errors]) == (2, 0, [1])
    again = await post(db, keys, hook.token, {"type": "messages", "data": event})
    assert (again.created, again.duplicates) == (0, 2)
    with pytest.raises(SignatureInvalid):
        await post(db, keys, hook.token, event, secret=OTHER)
    for wrong in (b"{", {"items": 1}, {"items": [1] * 1001}, [], {"data": 1}):
        with pytest.raises(InputInvalid):
            await post(db, keys, hook.token, wrong)
    with pytest.raises(RowMissing):
        await post(db, keys, "x" * 32, event)
    member = await add_member(superuser_url, organization, "member")
    with pytest.raises(RoleForbidden):
        await create_message_hook(
            db, keys, await _seen(db, tenant, member, channel_id), channel_id, SECRET
        )
    with pytest.raises(InputInvalid):
        await create_message_hook(db, keys, tenant, channel_id, "whsec_!!")
    (listed,) = await list_message_hooks(db, tenant, channel_id)
    assert (listed.id, listed.revoked_at) == (hook.id, None)
    await revoke_message_hook(db, tenant, channel_id, hook.id)
    with pytest.raises(RowMissing):
        await revoke_message_hook(db, tenant, channel_id, hook.id)
    with pytest.raises(RowMissing):
        await post(db, keys, hook.token, event)
    assert await list_secrets(db, tenant) == []
    await create_message_hook(db, keys, tenant, channel_id)
    await delete_channel(db, tenant, channel_id)
    assert await list_secrets(db, tenant) == []


async def _seen(db: Database, tenant: Any, member: Any, channel_id: Any) -> Any:
    from tidings.messages.members import add_member as bring_in

    await bring_in(db, tenant, channel_id, member.user_id)
    return member


async def test_a_hook_without_its_secret_is_none(
    db: Database, keys: SecretKeys, organization: Organization, superuser_url: str
) -> None:
    import psycopg

    channel_id = await make_channel(db, organization.tenant)
    hook = await create_message_hook(db, keys, organization.tenant, channel_id, SECRET)
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as superuser:
        await superuser.execute("DELETE FROM tidings.organization_secrets")
    with pytest.raises(RowMissing):
        await post(db, keys, hook.token, {"items": []})
