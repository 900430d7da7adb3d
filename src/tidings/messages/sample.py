"""The demo's channels: a support mailbox, a project's chat, and a phone; all of it made up.

Times are minutes before it is loaded, so that the inbox looks alive whenever that is.
"""

from datetime import timedelta
from importlib import resources
from typing import Any

import msgspec

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.messages.channels import NewChannel, create_channel, list_channels
from tidings.messages.hours import Hours
from tidings.messages.ingest import ingest
from tidings.messages.item import Attachment, MessageItem, Sender


async def load_messages_sample(db: Database, tenant: Tenant) -> int:
    """Make the sample's channels, those that are not there; how many messages were new."""
    raw = resources.files("tidings.messages").joinpath("sample.json").read_bytes()
    there = await list_channels(db, tenant, Page(200))
    names = {channel.name for channel in there.items}
    created = 0
    for each in msgspec.json.decode(raw):
        if each["name"] in names:
            continue
        hours = [msgspec.convert(one, Hours) for one in each["business_hours"]]
        new = NewChannel(
            name=each["name"], kind=each["kind"], timezone=each["timezone"], business_hours=hours
        )
        channel = await create_channel(db, tenant, new)
        items = [_item(one) for one in each["messages"]]
        created += (await ingest(db, tenant, channel.id, items)).created
    return created


def _item(raw: dict[str, Any]) -> MessageItem:
    sender_id, name = raw["from"]
    return MessageItem(
        external_id=raw["id"],
        sender=Sender(id=sender_id, name=name, email=sender_id if "@" in sender_id else None),
        direction="out" if raw.get("out") else "in",
        body=raw["body"],
        subject=raw.get("subject", ""),
        reply_to=raw.get("to"),
        sent_at=clock.now() - timedelta(minutes=raw["ago"]),
        attachments=[Attachment(name=name, bytes=size) for name, size in raw.get("files", [])],
        headers={"Auto-Submitted": "auto-replied"} if raw.get("auto") else {},
    )
