"""A provider's turn: one question for a burst of messages, and only the newest answer counts."""

from uuid import UUID

import msgspec

from tidings.ai.engine_name import LOCAL
from tidings.ai.gateway import Gateway
from tidings.base import clock
from tidings.base.errors import AiForbidden
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.intelligence.advance import conclude
from tidings.intelligence.read import Reader, ask_later, lock, save, tell
from tidings.intelligence.refining import MESSAGES, REFINE_CHANNEL, Refinement, Shown, filled
from tidings.intelligence.state import Message, State, to_columns
from tidings.queue.context import JobContext

sql = load_queries("tidings.intelligence")

ANALYZE = "intelligence.analyze"
MOST_MISSED = 3
"""So often the answer may come too late because the channel went on; then its next burst asks."""

_REFINED = (
    "position",
    "current_sentiment",
    "sentiment_score",
    "sentiment_reason",
    "sentiment_evidence",
    "detected_topics",
    "topic_confidence",
    "suggested_followups",
    "engine",
)


class RefineArgs(msgspec.Struct, frozen=True):
    """The arguments of both jobs; `missed` counts the answers that came too late so far."""

    channel_id: UUID
    missed: int = 0


class Refiner:
    """Lets a provider read where channels stand; built once by the wiring."""

    def __init__(self, db: Database, gateway: Gateway, reader: Reader) -> None:
        """`reader` brings a channel up to date before it is analysed on demand."""
        self._db = db
        self._gateway = gateway
        self._reader = reader

    async def run(self, context: JobContext, args: RefineArgs) -> None:
        """Ask once. What was written meanwhile makes the answer old: it is asked for again."""
        engine = await self._engine(context.tenant)
        if engine == LOCAL:
            return
        found = await self._ask(context, args.channel_id, engine)
        if found is None:
            return
        position, refinement = found
        async with self._db.tenant_transaction(context.tenant) as transaction:
            is_newest = await self._apply(transaction, args.channel_id, position, refinement)
            # Ended first, in the same transaction: its unique key is free for the next one, also
            # for a reading that waits for the row.
            context.finish(transaction, {"channel_id": str(args.channel_id)})
            if not is_newest and args.missed < MOST_MISSED:
                ask_later(transaction, args.channel_id, missed=args.missed + 1)

    async def analyze(self, context: JobContext, args: RefineArgs) -> None:
        """Bring a channel up to date on demand, and let the provider read it at once."""
        tenant, channel_id = context.tenant, args.channel_id
        engine = await self._gateway.engine_for(tenant, None)
        await context.progress("read", 0, 1)
        await self._reader.read(tenant, channel_id)
        found = None
        if engine != LOCAL:
            await context.progress("refine", 0, 1)
            found = await self._ask(context, channel_id, engine)
        async with self._db.tenant_transaction(tenant) as transaction:
            if found is not None:
                await self._apply(transaction, channel_id, *found)
            elif engine == LOCAL:
                await _look_again(transaction, channel_id)
            url = f"/v1/channels/{channel_id}/intelligence"
            context.finish(transaction, {"channel_id": str(channel_id), "url": url})

    async def _engine(self, tenant: Tenant) -> str:
        try:
            return await self._gateway.engine_for(tenant, None)
        except AiForbidden:
            return LOCAL

    async def _ask(
        self, context: JobContext, channel_id: UUID, engine: str
    ) -> tuple[int, tuple[Refinement, str]] | None:
        """What the provider makes of the newest messages, and up to which position that is."""
        async with self._db.tenant_transaction(context.tenant) as transaction:
            locked = await lock(transaction, channel_id)
            if locked is None or locked.state.refined_position >= locked.state.position:
                return None
            position = locked.state.position
            params = {"channel_id": channel_id, "position": position, "limit": MESSAGES}
            messages = await transaction.fetch(sql.last_messages, params, row=Message)
        if not messages:
            return None
        completed = await self._gateway.complete(
            context.tenant,
            REFINE_CHANNEL,
            Shown(messages),
            engine=engine,
            run_id=context.run_id,
            may_fall_back=True,
        )
        return position, (completed.answer, completed.engine)

    async def _apply(
        self,
        transaction: Transaction,
        channel_id: UUID,
        position: int,
        answered: tuple[Refinement, str],
    ) -> bool:
        """Write the answer unless the channel was read further; whether it is up to date."""
        locked = await lock(transaction, channel_id)
        if locked is None:
            return True
        if locked.state.position != position or locked.state.refined_position >= position:
            return locked.state.refined_position >= locked.state.position
        state = _refined(locked.state, *answered)
        columns = to_columns(state)
        transaction.queue(
            sql.refine_intelligence,
            {"channel_id": channel_id, **{name: columns[name] for name in _REFINED}},
        )
        tell(transaction, channel_id, state)
        return True


def _refined(state: State, refinement: Refinement, engine: str) -> State:
    """The state with what of the answer stands; the rest stays as it was read here."""
    if (mood := refinement.mood) is not None:
        state.current_sentiment, state.sentiment_score = mood.sentiment, mood.score
        state.sentiment_reason, state.sentiment_evidence = mood.reason, mood.evidence
        state.engine = engine
    if refinement.topics:
        state.detected_topics = refinement.topics
        state.topic_confidence = {one.topic: one.confidence for one in refinement.topics}
    state.suggested_followups = filled(refinement.followups, state.suggested_followups)
    return state


async def _look_again(transaction: Transaction, channel_id: UUID) -> None:
    """Judge the same figures by the time that it is now."""
    locked = await lock(transaction, channel_id)
    if locked is not None and locked.state.position:
        save(transaction, channel_id, conclude(locked.state, clock.now()))
