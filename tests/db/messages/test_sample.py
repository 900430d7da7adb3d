"""The demo's channels."""

from tidings.base.cursor import Page
from tidings.db.transaction import Database
from tidings.messages.channels import list_channels
from tidings.messages.read import list_messages, list_threads
from tidings.messages.sample import load_messages_sample

from factories.organizations import Organization


async def test_it_is_loaded_once(db: Database, organization: Organization) -> None:
    assert await load_messages_sample(db, organization.tenant) == 31
    assert await load_messages_sample(db, organization.tenant) == 0
    channels = (await list_channels(db, organization.tenant, Page(10))).items
    assert [channel.name for channel in channels] == [
        "Front desk phone",
        "Support",
        "Northwind rollout",
    ]
    threads = (await list_threads(db, organization.tenant, channels[1].id, Page(10))).items
    assert [thread.messages_count for thread in threads] == [2, 4, 4]
    found = await list_messages(db, organization.tenant, channels[1].id, Page(20))
    assert [one.automatic for one in found.items].count("own") == 1
