"""Reading what is new in a channel: each message once, whoever is killed or repeated.

The position up to which a channel was read moves in the transaction of what was read, under the
row's lock: of two jobs at once the second waits and finds nothing left to do.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from tidings.ai.engine_name import LOCAL
from tidings.ai.engines.local.topics import Topic, topics
from tidings.ai.engines.local.utterances import Said, Utterance, read_utterances
from tidings.ai.gateway import Gateway
from tidings.base import clock
from tidings.base.errors import (
    AiForbidden,
    EngineUnknown,
    SecretUnreadable,
    SourceUnconfigured,
)
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Statements, Transaction
from tidings.intelligence.advance import DayEnd, Mentioned, advance, mention
from tidings.intelligence.state import MOST_TOPICS, Message, State, to_columns
from tidings.intelligence.words import words_of
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue
from tidings.realtime.outbox import publish

sql = load_queries("tidings.intelligence")

READ = "intelligence.read"
REFINE = "intelligence.refine"
PAGE = 500
CONTEXT = 8
OF_THREAD = 3
TALK = 100
"""Messages that are one talk: a page of so many more may be about so many more topics."""
DEBOUNCE = timedelta(seconds=20)
"""How long a provider is not asked after something was read: a burst is one question."""


class ReadArgs(msgspec.Struct, frozen=True):
    """The arguments of the job; `position` is where the batch ended that it is about."""

    channel_id: UUID
    position: int = 0


class Locked(msgspec.Struct, frozen=True):
    """A channel's state, held for a transaction, and what kind of channel it is."""

    state: State
    kind: str


class Reader:
    """Brings channels up to date by the local engine; built once by the wiring."""

    def __init__(self, db: Database, gateway: Gateway, *, page: int = PAGE) -> None:
        """`page` is how many messages one transaction reads."""
        self._db = db
        self._gateway = gateway
        self._page = page

    async def run(self, context: JobContext, args: ReadArgs) -> None:
        """Read what is new; a provider is asked later, where the organization has one."""
        try:
            engine = await self._gateway.engine_for(context.tenant, None)
        except AiForbidden:
            return  # turned off: what comes is read once it is on again
        except (EngineUnknown, SecretUnreadable, SourceUnconfigured):
            engine = LOCAL  # no provider can be asked; what we read ourselves needs none
        await self.read(context.tenant, args.channel_id, refines=engine != LOCAL)

    async def read(self, tenant: Tenant, channel_id: UUID, *, refines: bool = False) -> int:
        """Read all that is new, page by page; returns how many messages that were.

        `refines` enqueues the provider's turn with the last page.
        """
        total = 0
        while True:
            taken = await self._read_page(tenant, channel_id, refines=refines)
            total += taken
            if taken < self._page:
                return total

    async def _read_page(self, tenant: Tenant, channel_id: UUID, *, refines: bool) -> int:
        """One page, one transaction, three round trips whatever is in it."""
        async with self._db.tenant_transaction(tenant) as transaction:
            locked = await lock(transaction, channel_id)
            if locked is None:
                return 0
            params = {
                "channel_id": channel_id,
                "after": locked.state.position,
                "limit": self._page,
                "context": CONTEXT,
                "of_thread": OF_THREAD,
            }
            messages = await transaction.fetch(sql.messages_to_read, params, row=Message)
            taken = sum(message.is_new for message in messages)
            if not taken:
                return 0
            state, ends, mentioned = await asyncio.to_thread(_digest, locked, messages)
            for end in ends:
                params = {"channel_id": channel_id, **msgspec.structs.asdict(end)}
                transaction.queue(sql.note_day_end, params)
            save(transaction, channel_id, state)
            if mentioned:
                transaction.queue(sql.note_topics, _topic_rows(channel_id, mentioned))
            if refines and taken < self._page:
                ask_later(transaction, channel_id)
        return taken


async def lock(transaction: Transaction, channel_id: UUID) -> Locked | None:
    """A channel's state, for this transaction alone; None when there is no such channel."""
    transaction.queue(sql.begin_intelligence, {"channel_id": channel_id})
    row = await transaction.optional(sql.lock_intelligence, {"channel_id": channel_id})
    if row is None:
        return None
    return Locked(msgspec.convert(row, State, str_keys=True), row["kind"])


def save(statements: Statements, channel_id: UUID, state: State) -> None:
    """Write the state and tell who listens to the channel."""
    columns = to_columns(state)
    del columns["refined_position"]
    statements.queue(sql.save_intelligence, {"channel_id": channel_id, **columns})
    tell(statements, channel_id, state)


def tell(statements: Statements, channel_id: UUID, state: State) -> None:
    """The event that pages wait for; what it is about is read by those who may."""
    payload = {
        "position": state.position,
        "current_sentiment": state.current_sentiment,
        "sentiment_score": state.sentiment_score,
        "engagement_trend": state.engagement_trend,
        "open_questions": len(state.open_questions),
        "engine": state.engine,
    }
    publish(statements, f"channel:{channel_id}", "intelligence", payload)


def ask_later(statements: Statements, channel_id: UUID, *, missed: int = 0) -> None:
    """Enqueue the provider's turn, unless one waits already."""
    enqueue(
        statements,
        NewJob(
            kind=REFINE,
            args={"channel_id": channel_id, "missed": missed},
            run_at=clock.now() + DEBOUNCE,
            unique_key=str(channel_id),
            max_attempts=3,
        ),
    )


def _digest(
    locked: Locked, messages: Sequence[Message]
) -> tuple[State, list[DayEnd], list[Mentioned]]:
    """The state after a page, and on its way. Work of ours, in a thread."""
    people = [message for message in messages if message.is_of_a_person]
    said = [Said(one.name, words_of(one.body), one.sent_at) for one in people]
    new = [n for n, one in enumerate(people) if one.is_new]
    before = [said[n] for n, one in enumerate(people) if not one.is_new]
    utterances: list[Utterance] = read_utterances([said[n] for n in new], before) if new else []
    found: list[Topic] = topics(said, MOST_TOPICS * (1 + len(new) // TALK)) if new else []
    state, ends = advance(locked.state, messages, utterances, locked.kind, clock.now())
    state, mentioned = mention(state, people, found) if new else (state, [])
    return state, ends, mentioned


def _topic_rows(channel_id: UUID, mentioned: Sequence[Mentioned]) -> dict[str, Any]:
    return {
        "channel_id": channel_id,
        "keys": [one.key for one in mentioned],
        "topics": [one.topic for one in mentioned],
        "first_ats": [one.first_at for one in mentioned],
        "last_ats": [one.last_at for one in mentioned],
        "counts": [one.count for one in mentioned],
        "confidences": [one.confidence for one in mentioned],
        "message_ids": [msgspec.json.encode(one.message_ids).decode() for one in mentioned],
    }
