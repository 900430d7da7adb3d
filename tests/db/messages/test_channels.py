"""Channels and their members: made, changed, read, left; and who hears of it."""

from datetime import date
from typing import Any

import psycopg
import pytest

from tidings.base.cursor import Page
from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, VersionStale
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.messages import channels
from tidings.messages.channels import (
    ChannelChange,
    NewChannel,
    create_channel,
    delete_channel,
    get_channel,
    list_channels,
    update_channel,
)
from tidings.messages.hours import Hours
from tidings.messages.ingest import ingest
from tidings.messages.members import (
    ReadState,
    add_member,
    channel_topics,
    list_members,
    mark_read,
    remove_member,
)

from factories.channels import make_channel
from factories.organizations import Organization
from factories.organizations import add_member as join_organization
from factories.said import item

ALL = Page(200, None)
OPEN = Hours([1, 2, 3, 4, 5], "09:00", "17:30")


async def test_made_changed_archived_removed(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    made = await create_channel(
        db,
        tenant,
        NewChannel(name=" Support ", kind="email", timezone="Europe/Berlin", business_hours=[OPEN]),
    )
    assert (made.name, made.version, made.is_member, made.unread) == ("Support", 1, True, 0)
    assert made.business_hours == [OPEN]
    change = ChannelChange(name="Help", holidays=[date(2026, 12, 25)])
    changed = await update_channel(db, tenant, made.id, change, if_version=1)
    assert (changed.name, changed.kind, changed.version) == ("Help", "email", 2)
    assert changed.holidays == [date(2026, 12, 25)]
    with pytest.raises(VersionStale):
        await update_channel(db, tenant, made.id, change, if_version=1)
    await update_channel(db, tenant, made.id, ChannelChange(archived=True))
    assert (await list_channels(db, tenant, ALL)).items == []
    assert len((await list_channels(db, tenant, ALL, archived=True)).items) == 1
    back = await update_channel(db, tenant, made.id, ChannelChange(archived=False))
    assert back.archived_at is None
    await delete_channel(db, tenant, made.id)
    for gone in (
        get_channel(db, tenant, made.id),
        delete_channel(db, tenant, made.id),
        update_channel(db, tenant, made.id, change),
        list_members(db, tenant, made.id),
        mark_read(db, tenant, made.id, 1),
        add_member(db, tenant, made.id, tenant.user_id),
        remove_member(db, tenant, made.id, tenant.user_id),
    ):
        with pytest.raises(RowMissing):
            await gone


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 201}),
        ("name", {"name": "a\x00b"}),
        ("timezone", {"timezone": "Mars/Olympus"}),
        ("timezone", {"timezone": "../etc/passwd"}),
        ("business_hours[0].days", {"business_hours": [Hours([], "09:00", "17:00")]}),
        ("business_hours[0].start", {"business_hours": [Hours([1], "9:00", "17:00")]}),
        ("business_hours[0].end", {"business_hours": [Hours([1], "09:00", "24:00")]}),
        ("business_hours[0].end", {"business_hours": [Hours([1], "09:00", "09:00")]}),
        ("business_hours", {"business_hours": [OPEN] * 51}),
        ("holidays", {"holidays": [date(2026, 1, 1)] * 401}),
    ],
)
async def test_what_is_refused(
    db: Database, organization: Organization, field: str, given: dict[str, Any]
) -> None:
    with pytest.raises(InputInvalid) as refused:
        await create_channel(
            db, organization.tenant, NewChannel(**({"name": "n", "kind": "chat"} | given))
        )
    assert refused.value.errors[0].field == field


async def test_pages_of_channels(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    ids = [
        (await create_channel(db, tenant, NewChannel(name=f"c{n}", kind="chat"))).id
        for n in range(5)
    ]
    await ingest(db, tenant, ids[1], [item(2)])
    await ingest(db, tenant, ids[3], [item(1)])
    seen, cursor = [], None
    while True:
        page = await list_channels(db, tenant, Page(2, cursor))
        seen += [channel.id for channel in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [ids[1], ids[3], ids[4], ids[2], ids[0]]
    named = await list_channels(db, tenant, ALL, name="c2")
    assert [channel.id for channel in named.items] == [ids[2]]


async def test_members_come_read_and_go(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    tenant = organization.tenant
    channel = await create_channel(db, tenant, NewChannel(name="Team", kind="chat"))
    colleague = await join_organization(superuser_url, organization, "member")
    admin = await join_organization(superuser_url, organization, "admin")
    sees = channel_topics(db)["channel"]
    assert not await sees(colleague, str(channel.id))
    await ingest(db, tenant, channel.id, [item(n) for n in range(3)])
    await add_member(db, tenant, channel.id, colleague.user_id)
    await add_member(db, tenant, channel.id, colleague.user_id)
    assert await sees(colleague, str(channel.id))
    assert not await sees(colleague, str(channel.id).upper())
    assert not await sees(colleague, "nonsense")
    assert not await sees(admin, str(channel.id))
    assert await mark_read(db, colleague, channel.id, 2) == ReadState(2, 1)
    assert await mark_read(db, colleague, channel.id, 1) == ReadState(2, 1)
    assert await mark_read(db, colleague, channel.id, 99) == ReadState(3, 0)
    assert (await get_channel(db, tenant, channel.id)).unread == 3
    there = {
        member.user_id: member.read_position for member in await list_members(db, admin, channel.id)
    }
    assert there == {tenant.user_id: 0, colleague.user_id: 3}
    with pytest.raises(RowMissing):
        await add_member(db, tenant, channel.id, uuid7())
    with pytest.raises(RowMissing):
        await remove_member(db, colleague, channel.id, uuid7())
    with pytest.raises(RoleForbidden):
        await delete_channel(db, colleague, channel.id)
    mine = await list_channels(db, admin, ALL, mine=True)
    assert mine.items == []
    (theirs,) = (await list_channels(db, admin, ALL)).items
    assert (theirs.is_member, theirs.unread) == (False, 0)
    await remove_member(db, colleague, channel.id, colleague.user_id)
    assert not await sees(colleague, str(channel.id))
    with pytest.raises(RowMissing):
        await get_channel(db, colleague, channel.id)


async def test_who_leaves_has_their_streams_checked(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    tenant = organization.tenant
    channel = await create_channel(db, tenant, NewChannel(name="Team", kind="chat"))
    colleague = await join_organization(superuser_url, organization, "member")
    await add_member(db, tenant, channel.id, colleague.user_id)
    await ingest(db, tenant, channel.id, [item(1)])
    await remove_member(db, tenant, channel.id, colleague.user_id)
    async with await psycopg.AsyncConnection.connect(superuser_url) as superuser:
        rows = await (
            await superuser.execute(
                "SELECT topic, event, payload FROM tidings.outbox "
                "WHERE topic NOT LIKE 'changes:%' ORDER BY id"
            )
        ).fetchall()
    assert rows == [
        (f"channel:{channel.id}", "messages", {"count": 1, "last_position": 1}),
        (f"access:{colleague.user_id}", "changed", {}),
    ]


async def test_another_organization_sees_nothing(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    channel = await create_channel(db, organization.tenant, NewChannel(name="T", kind="chat"))
    theirs = other_organization.tenant
    for way in (
        get_channel(db, theirs, channel.id),
        list_members(db, theirs, channel.id),
        update_channel(db, theirs, channel.id, ChannelChange(name="x")),
        delete_channel(db, theirs, channel.id),
        ingest(db, theirs, channel.id, [item(1)]),
        ingest(db, theirs.as_service(), channel.id, [item(1)]),
    ):
        with pytest.raises(RowMissing):
            await way
    assert not await channel_topics(db)["channel"](theirs, str(channel.id))


async def test_a_channel_of_many_messages_is_emptied_first(
    db: Database, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "DELETED_AT_ONCE", 4)
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    items = [item(n, reply_to="m1" if n > 1 else None) for n in range(1, 11)]
    await ingest(db, tenant, channel_id, items)
    real = db.tenant_batch

    def interrupted(who: Tenant, **more: bool):
        if who.role == "service":
            raise ConnectionError
        return real(who, **more)

    with monkeypatch.context() as patched:
        patched.setattr(db, "tenant_batch", interrupted)
        with pytest.raises(ConnectionError):
            await delete_channel(db, tenant, channel_id)
    assert (await get_channel(db, tenant, channel_id)).archived_at is not None
    before = db.trips.total
    await delete_channel(db, tenant, channel_id)
    assert db.trips.total - before == 2 + 3 + 1  # look and archive, three times four, the channel
    with pytest.raises(RowMissing):
        await get_channel(db, tenant, channel_id)
