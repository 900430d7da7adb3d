"""The messages of a question, exactly as far as its key says."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Pending, Row
from tidings.summaries.ask import Question
from tidings.summaries.windows import Message, Span, left_out

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
    skipped = left_out(spans)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        named = batch.add(sql.channel_names, {"ids": [span.channel_id for span in spans]})
        found = _messages(batch, question, spans, skipped)
    return Gathered(
        [msgspec.convert(row, Message) for row in found.rows],
        {row["id"]: row["name"] for row in named.rows},
        sum(skipped.values()),
    )


def _messages(
    batch: Batch, question: Question, spans: Sequence[Span], skipped: dict[UUID, int]
) -> Pending[Row]:
    if question.thread_id is not None:
        (span,) = spans
        return batch.add(
            sql.thread_messages,
            {
                "thread_id": question.thread_id,
                "last": span.last_position,
                "skipped": skipped.get(span.channel_id, 0),
            },
        )
    wanted = {
        "channel_ids": [span.channel_id for span in spans],
        "lasts": [span.last_position for span in spans],
        "skipped": [skipped.get(span.channel_id, 0) for span in spans],
    }
    if question.from_at is None:
        afters = [span.after_position for span in spans]
        return batch.add(sql.channel_messages, {**wanted, "afters": afters})
    period = {"from_at": question.from_at, "until_at": question.until_at}
    return batch.add(sql.period_messages, {**wanted, **period})
