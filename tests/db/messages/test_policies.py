"""Who sees a channel and what is in it: the policies, without any code before them."""

import pytest

from tidings.base.errors import RoleForbidden, TidingsError
from tidings.base.tenant import Tenant
from tidings.db.queries import Query

from factories.channels import add_messages, make_channel, make_thread
from factories.organizations import add_member

COUNTS = Query(
    "counts",
    "Counts what is seen.",
    "SELECT (SELECT count(*) FROM tidings.channels) AS channels, "
    "(SELECT count(*) FROM tidings.channel_members) AS members, "
    "(SELECT count(*) FROM tidings.threads) AS threads, "
    "(SELECT count(*) FROM tidings.messages) AS messages",
)
JOIN = Query(
    "join_channel",
    "Joins.",
    "INSERT INTO tidings.channel_members (organization_id, channel_id, user_id) VALUES "
    "(tidings.current_organization(), %(channel_id)s, tidings.acting_user())",
)


async def seen(db, tenant):
    async with db.tenant_transaction(tenant) as transaction:
        (row,) = await transaction.fetch(COUNTS)
    return row["channels"], row["members"], row["threads"], row["messages"]


async def test_members_see_a_channel_and_admins_that_it_is_there(db, organization, superuser_url):
    channel_id = await make_channel(db, organization.tenant)
    thread_id = await make_thread(db, organization.tenant, channel_id)
    await add_messages(
        db, organization.tenant, channel_id, [("Bo", "Hello"), ("Ana", "Hi")], thread_id=thread_id
    )
    assert await seen(db, organization.tenant) == (1, 1, 1, 2)
    assert await seen(db, organization.tenant.as_service()) == (1, 1, 1, 2)
    colleague = await add_member(superuser_url, organization, "member")
    admin = await add_member(superuser_url, organization, "admin")
    assert await seen(db, colleague) == (0, 0, 0, 0)
    assert await seen(db, admin) == (1, 1, 0, 0)


@pytest.mark.parametrize("role", ["member", "viewer"])
async def test_nobody_lets_themselves_in(db, organization, superuser_url, role):
    channel_id = await make_channel(db, organization.tenant)
    stranger = await add_member(superuser_url, organization, role)
    assert isinstance(stranger, Tenant)
    with pytest.raises(TidingsError):
        async with db.tenant_transaction(stranger) as transaction:
            transaction.queue(JOIN, {"channel_id": channel_id})
    assert await seen(db, stranger) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tidings.channel_members SET channel_id = %(secret)s",
        "UPDATE tidings.channel_members SET user_id = tidings.uuid7()",
        "UPDATE tidings.messages SET body = 'other words'",
        "UPDATE tidings.messages SET channel_id = %(secret)s",
        "UPDATE tidings.threads SET channel_id = %(secret)s",
        "UPDATE tidings.channels SET created_by = tidings.acting_user()",
    ],
)
async def test_what_is_in_a_channel_stays_there_as_it_was(db, organization, superuser_url, change):
    secret = await make_channel(db, organization.tenant)
    member = await add_member(superuser_url, organization, "member")
    own = await make_channel(db, member)
    await add_messages(db, member, own, [("Bo", "Hello")])
    with pytest.raises(RoleForbidden):
        async with db.tenant_transaction(member) as transaction:
            transaction.queue(Query("move", "Moves.", change), {"secret": secret})
    assert await seen(db, member) == (1, 1, 0, 1)
