"""Channels with messages, written straight into the tables, for those who read them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import Query
from tidings.db.transaction import Database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday

_CHANNEL = Query(
    "make_channel",
    "Makes a channel of the acting user.",
    "INSERT INTO tidings.channels (organization_id, id, name, kind, timezone, created_by) VALUES "
    "(tidings.current_organization(), %(id)s, %(name)s, %(kind)s, %(timezone)s, "
    "tidings.acting_user())",
)

_MESSAGES = Query(
    "add_messages",
    "Adds messages behind those that are there.",
    """
    WITH place AS (
        UPDATE tidings.channels AS c SET
            last_position = c.last_position + cardinality(%(ids)s::uuid[]),
            last_message_at = greatest(c.last_message_at, %(last_at)s)
        WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s
        RETURNING c.last_position - cardinality(%(ids)s::uuid[]) AS before)
    INSERT INTO tidings.messages (organization_id, id, channel_id, position, external_id,
        thread_id, direction, sender_id, sender_name, sender_email, body, sent_at, search)
    SELECT tidings.current_organization(), m.id, %(channel_id)s, place.before + m.n,
        m.external_id, %(thread_id)s, m.direction, m.sender, m.sender,
        CASE WHEN m.sender LIKE '%%@%%' THEN m.sender END, m.body, m.at,
        to_tsvector('english', m.body)
    FROM place CROSS JOIN unnest(%(ids)s::uuid[], %(external_ids)s::text[], %(senders)s::text[],
        %(bodies)s::text[], %(ats)s::timestamptz[], %(directions)s::text[]) WITH ORDINALITY
        AS m (id, external_id, sender, body, at, direction, n)
    """,
)

_THREAD = Query(
    "make_thread",
    "Makes a thread of a channel.",
    "INSERT INTO tidings.threads (organization_id, id, channel_id, external_id, subject, "
    "messages_count, first_message_at, last_message_at, last_position) VALUES "
    "(tidings.current_organization(), %(id)s, %(channel_id)s, %(external_id)s, %(subject)s, 0, "
    "%(at)s, %(at)s, 1)",
)


async def make_channel(
    db: Database,
    tenant: Tenant,
    *,
    name: str = "Support",
    kind: str = "chat",
    timezone: str = "UTC",
) -> UUID:
    """A channel that the tenant's user made and is a member of."""
    channel_id = uuid7()
    async with db.tenant_transaction(tenant) as transaction:
        given = {"id": channel_id, "name": name, "kind": kind, "timezone": timezone}
        transaction.queue(_CHANNEL, given)
    return channel_id


async def make_thread(
    db: Database, tenant: Tenant, channel_id: UUID, *, subject: str = "", at: datetime = NOON
) -> UUID:
    """A thread of a channel, still without messages."""
    thread_id = uuid7()
    async with db.tenant_transaction(tenant) as transaction:
        transaction.queue(
            _THREAD,
            {
                "id": thread_id,
                "channel_id": channel_id,
                "external_id": str(thread_id),
                "subject": subject,
                "at": at,
            },
        )
    return thread_id


async def add_messages(
    db: Database,
    tenant: Tenant,
    channel_id: UUID,
    said: Sequence[tuple[str, str]],
    *,
    thread_id: UUID | None = None,
    start: datetime = NOON,
    step: timedelta = timedelta(minutes=1),
    direction: str = "in",
) -> list[UUID]:
    """Messages of (sender, body), `step` apart; a sender with an @ is an address. Their ids."""
    ids = [uuid7() for _ in said]
    async with db.tenant_transaction(tenant) as transaction:
        transaction.queue(
            _MESSAGES,
            {
                "channel_id": channel_id,
                "thread_id": thread_id,
                "ids": ids,
                "external_ids": [str(one) for one in ids],
                "senders": [sender for sender, _ in said],
                "bodies": [body for _, body in said],
                "ats": [start + n * step for n in range(len(said))],
                "directions": [direction for _ in said],
                "last_at": start + (len(said) - 1) * step,
            },
        )
    return ids
