"""The job `replies.consider`: what came into a channel, held against the rules of its members.

Read, decide, compose outside of any transaction; then one transaction claims the replies, drafts
their approvals, logs everything and moves the channel on. A kill before its commit leaves nothing,
and after it there is nothing left to do.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from tidings.ai.gateway import Gateway
from tidings.approvals.draft import Channel, NewApproval, draft
from tidings.base import clock
from tidings.base.errors import InputInvalid, StateConflict
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Row, Transaction
from tidings.queue.context import JobContext
from tidings.realtime.outbox import publish
from tidings.replies.compose import Reply, compose
from tidings.replies.decide import Match, checks, decide
from tidings.replies.facts import hours_of, read_facts
from tidings.replies.recipient import is_elsewhere, recipient_of, subject_of
from tidings.replies.rules import as_rule
from tidings.replies.smart import said_before

sql = load_queries("tidings.replies")

KIND = "replies.consider"
PROPOSED = "proposals"
"""The event of a channel that says that answers were proposed, without whose they are."""
PAGE = 500
"""Messages considered in one transaction."""
SEND_WITHIN, DECIDE_WITHIN = timedelta(days=1), timedelta(days=3)
"""After that, an answer that nobody is waiting for any more does not leave."""
_QUOTE = 200

Key = tuple[UUID, UUID]
"""A message and the owner of the rule that answers it."""


class Args(msgspec.Struct, frozen=True):
    """The arguments of the job: a channel, and the position of the message taken in last."""

    channel_id: UUID
    position: int


class Considered(msgspec.Struct, frozen=True):
    """What came of a job."""

    messages: int = 0
    replies: int = 0
    stopped: int = 0


class _Page(msgspec.Struct, frozen=True):
    """Messages after the noted position: which channel, from where to where, what matched."""

    kind: Channel
    start: int
    end: int
    messages: int
    matches: list[Match]


class Considerer:
    """Answers messages by rules; built once by the wiring."""

    def __init__(self, db: Database, gateway: Gateway) -> None:
        """The gateway personalises what is to be personalised."""
        self._db = db
        self._gateway = gateway

    async def run(self, context: JobContext, args: Args) -> None:
        """Consider everything up to the job's position, page by page, each exactly once."""
        total, tried = Considered(), -1
        while (page := await self._read(context.tenant, args)) is not None:
            context.raise_if_cancelled()
            try:
                done = await self._consider(context, args, page, total)
            except StateConflict:
                if page.start == tried:
                    raise
                tried = page.start  # another worker was first: look again at what is left
                continue
            total = _sum(total, done)
            if page.end >= args.position:
                return

    async def _read(self, tenant: Tenant, args: Args) -> _Page | None:
        params = {"channel_id": args.channel_id}
        async with self._db.tenant_batch(tenant, repeatable=True) as batch:
            channel = batch.add(sql.channel_to_consider, params)
            rules = batch.add(sql.rules_of_channel, params)
            rows = batch.add(
                sql.messages_to_consider, params | {"until": args.position, "limit": PAGE}
            )
        there = channel.optional()
        if there is None or there["position"] >= args.position:
            return None
        found = rows.rows
        matches = await asyncio.to_thread(_decide, there, found, rules.rows) if rules.rows else []
        return _Page(
            kind=there["kind"],
            start=there["position"],
            end=found[-1]["position"] if len(found) == PAGE else args.position,
            messages=len(found),
            matches=matches,
        )

    async def _consider(
        self, context: JobContext, args: Args, page: _Page, total: Considered
    ) -> Considered:
        tenant = context.tenant
        guards = await self._guards(tenant, page.matches)
        open_matches = [match for match in page.matches if guards[_key(match)] is None]
        answered = [match.facts.message_id for match in open_matches if match.proposes]
        before = await said_before(self._db, tenant, answered)
        made = await compose(self._gateway, tenant, open_matches, before)
        replies = dict(zip(map(_key, open_matches), made, strict=True))
        is_last = page.end >= args.position
        async with self._db.tenant_transaction(tenant) as transaction:
            at = await _claim(transaction, args.channel_id, page, open_matches, guards)
            rows = [
                row
                for match in page.matches
                if (row := _settle(transaction, match, page, guards, replies, at)) is not None
            ]
            if rows:
                transaction.queue(sql.insert_log, {"rows": msgspec.json.encode(rows).decode()})
            if proposed := sum(row["outcome"] == "proposed" for row in rows):
                # Whoever reads the channel may have something to choose from.
                publish(transaction, f"channel:{args.channel_id}", PROPOSED, {"count": proposed})
            stopped = sum(row["outcome"] == "stopped" for row in rows)
            done = Considered(page.messages, len(rows) - stopped, stopped)
            if is_last:
                context.finish(transaction, _sum(total, done))
        return done

    async def _guards(self, tenant: Tenant, matches: Sequence[Match]) -> dict[Key, str | None]:
        """What stops each match by now; so nothing is composed that could not be said anyway."""
        guards: dict[Key, str | None] = {_key(match): match.guard for match in matches}
        claims = _claims([match for match in matches if match.guard is None])
        if claims:
            async with self._db.tenant_batch(tenant, repeatable=True) as batch:
                found = batch.add(sql.guards, {"claims": claims})
            guards |= {(row["message_id"], row["user_id"]): row["guard"] for row in found.rows}
        return guards


def _decide(channel: Row, rows: list[Row], rule_rows: list[Row]) -> list[Match]:
    rules = [as_rule(row) for row in rule_rows]
    return decide(read_facts(rows, rules, hours_of(channel)), rules)


async def _claim(
    transaction: Transaction,
    channel_id: UUID,
    page: _Page,
    matches: Sequence[Match],
    guards: dict[Key, str | None],
) -> datetime:
    """Move the channel on and claim the replies; what is refused goes into `guards`."""
    params = {"channel_id": channel_id, "from": page.start, "to": page.end}
    claims = _claims(matches)
    if not claims:
        await transaction.fetch(sql.advance, params)
        return clock.now()
    rows = await transaction.fetch(sql.claim, params | {"claims": claims})
    guards |= {(row["message_id"], row["user_id"]): row["guard"] for row in rows}
    moment: datetime = rows[0]["claimed_at"] if rows else clock.now()
    return moment


def _settle(
    transaction: Transaction,
    match: Match,
    page: _Page,
    guards: Mapping[Key, str | None],
    replies: Mapping[Key, Reply],
    at: datetime,
) -> dict[str, Any] | None:
    """The row of the log; a reply that was granted is drafted along with it."""
    guard = guards[_key(match)]
    if guard == "repeated":
        return None
    stopped = _row(match, at) | {"outcome": "stopped", "guard": guard}
    if guard is not None:
        return stopped
    reply = replies[_key(match)]
    row = stopped | {
        "outcome": "proposed",
        "response_text": reply.text,
        "proposals": reply.proposals,
        "ai_customized": reply.ai_customized,
        "ai_note": reply.note,
    }
    if reply.text is None:
        return row
    new = _approval(match, reply.text, page.kind, at)
    try:
        approval_id = draft(transaction, new)
    except InputInvalid:
        return stopped | {"guard": "undeliverable"}
    outcome = "sent" if new.approved_by_rule else "drafted"
    return row | {"outcome": outcome, "approval_id": approval_id}


def _row(match: Match, at: datetime) -> dict[str, Any]:
    """A row of the log that says nothing yet of what became of the message."""
    facts, rule = match.facts, match.rule
    return {
        "id": uuid7(),
        "user_id": rule.user_id,
        "rule_id": rule.id,
        "rule_name": rule.name,
        "channel_id": facts.channel_id,
        "message_id": facts.message_id,
        "sender_id": facts.sender_id,
        "response_text": None,
        "proposals": [],
        "matched": [{"kind": check.kind, "why": check.why} for check in checks(rule, facts)],
        "ai_customized": False,
        "ai_note": None,
        "approval_id": None,
        "created_at": at,
    }


def _approval(match: Match, text: str, kind: Channel, at: datetime) -> NewApproval:
    facts, rule = match.facts, match.rule
    to = recipient_of(kind, facts.sender_id, facts.sender_email, facts.answer_to)
    sends = rule.action == "send" and not is_elsewhere(to, facts.sender_email)
    return NewApproval(
        type="email" if kind == "email" else "message",
        channel=kind,
        to=to,
        subject=subject_of(kind, facts.subject),
        content=text,
        message_id=facts.message_id,
        channel_id=facts.channel_id,
        reason=f"Rule “{rule.name}”",
        evidence=[{"message_id": str(facts.message_id), "quote": facts.body[:_QUOTE]}],
        rule_id=rule.id,
        is_automatic=True,
        expires_at=at + (SEND_WITHIN if sends else DECIDE_WITHIN),
        approved_by_rule=sends,
    )


def _claims(matches: Sequence[Match]) -> str:
    """The claims as JSON, empty text for none."""
    if not matches:
        return ""
    return msgspec.json.encode([match.claim for match in matches]).decode()


def _key(match: Match) -> Key:
    return match.facts.message_id, match.rule.user_id


def _sum(one: Considered, other: Considered) -> Considered:
    return Considered(
        one.messages + other.messages, one.replies + other.replies, one.stopped + other.stopped
    )
