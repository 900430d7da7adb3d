"""The messages of a question, exactly as far as its key says."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Pending, Row
from tidings.summaries.ask import Question
from tidings.summaries.windows import WINDOW_MESSAGES, Message, Span, most_of_each

sql = load_queries("tidings.summaries")


class Gathered(msgspec.Struct, frozen=True):
    """What there is to read: by channel, in the order of taking in; names of the channels."""

    messages: list[Message]
    channels: dict[UUID, str]
    left_out: int


async def gather(
    db: Database, tenant: Tenant, question: Question, spans: Sequence[Span]
) -> Gathered:
    """The messages of the spans, in one round trip.

    Positions are given without gaps and never change, so that reading up to one is exact although
    messages come meanwhile.
    """
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        named = batch.add(sql.channel_names, {"ids": [span.channel_id for span in spans]})
        found = _messages(batch, question, spans)
    messages = [msgspec.convert(row, Message) for row in found.rows]
    return Gathered(messages, {row["id"]: row["name"] for row in named.rows}, _left_out(messages))


def _messages(batch: Batch, question: Question, spans: Sequence[Span]) -> Pending[Row]:
    bounds = {"most": most_of_each(len(spans)), "window": WINDOW_MESSAGES}
    if question.thread_id is not None:
        (span,) = spans
        thread = {"thread_id": question.thread_id, "last": span.last_position}
        return batch.add(sql.thread_messages, {**thread, **bounds})
    wanted = {
        "channel_ids": [span.channel_id for span in spans],
        "lasts": [span.last_position for span in spans],
        **bounds,
    }
    if question.from_at is None:
        afters = [span.after_position for span in spans]
        return batch.add(sql.channel_messages, {**wanted, "afters": afters})
    period = {"from_at": question.from_at, "until_at": question.until_at}
    return batch.add(sql.period_messages, {**wanted, **period})


def _left_out(messages: Sequence[Message]) -> int:
    """How many older ones there are: each channel's first message knows its place."""
    firsts: dict[UUID, int] = {}
    for message in messages:
        firsts.setdefault(message.channel_id, message.ordinal)
    return sum(firsts.values())
