"""What would become of a message: which rules match and why, which guard stops it, the reply.

Nothing is claimed, logged, drafted or sent.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from tidings.ai.gateway import Gateway
from tidings.base import clock
from tidings.base.errors import FieldProblem, InputInvalid, RowMissing
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.replies.compose import Reply, compose, filled
from tidings.replies.decide import (
    SENTENCES,
    Check,
    Facts,
    Match,
    checks,
    first_match,
    in_order,
    message_guard,
)
from tidings.replies.facts import read_facts
from tidings.replies.rule import Rule, RuleDraft, check_rule, cooldown_of
from tidings.replies.rules import as_rule
from tidings.replies.smart import said_before

sql = load_queries("tidings.replies")

LONGEST_BODY = 20_000
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
RECENT = 10


class InlineMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is not stored; `channel_id` gives it the hours of one of your channels."""

    body: str
    subject: str = ""
    sender_id: str = "somebody"
    sender_name: str = ""
    sender_email: str | None = None
    channel_id: UUID | None = None
    automatic: str | None = None


class TestRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message or one given here; `rule` is tried alone instead of yours.

    `at` (aware) is the moment to pretend; None: when the message was taken in, or now.
    """

    __test__ = False

    message_id: UUID | None = None
    message: InlineMessage | None = None
    rule: RuleDraft | None = None
    at: datetime | None = None


class Tried(msgspec.Struct, frozen=True):
    """One rule: every condition with whether it holds, in words."""

    rule_id: UUID
    name: str
    rule_type: str
    enabled: bool
    matches: bool
    conditions: list[Check]


class Stopped(msgspec.Struct, frozen=True):
    """The guard that would stop a reply, in words."""

    guard: str
    why: str


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of the message now. `winner` is the first enabled rule that matches."""

    at: datetime
    rules: list[Tried]
    winner: UUID | None
    winner_name: str | None
    action: str | None
    stopped: Stopped | None
    reply: str | None
    proposals: list[str]
    ai_customized: bool
    ai_note: str | None


async def explain(
    db: Database, gateway: Gateway, tenant: Tenant, request: TestRequest
) -> Explained:
    """Explain one message with the tenant's own rules, the reply as the engine would make it.

    Raises `InputInvalid`, `RowMissing` for a message or channel that the tenant does not see.
    """
    _check(request)
    given = _unsaved(request.rule, tenant) if request.rule is not None else None
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        stored = batch.add(sql.message_to_explain, {"message_id": request.message_id})
        channel_id = request.message.channel_id if request.message else None
        channel = batch.add(sql.channel_hours, {"channel_id": channel_id})
        own = batch.add(sql.list_rules, {"channel_id": None})
    rules = [given] if given is not None else [as_rule(row) for row in own.rows]
    if request.message is not None:
        row = _row(request.message, channel.optional())
    elif (found := stored.optional()) is not None:
        row = found
    else:
        raise RowMissing("There is no such message in your channels.")
    (facts,) = read_facts([row], rules)
    if request.at is not None:
        facts = msgspec.structs.replace(
            facts, at=request.at, sent_at=request.at - (facts.at - facts.sent_at)
        )
    match = _match(facts, rules)
    guard = await _guard(db, tenant, match, is_stored=request.message is None)
    reply = Reply()
    if match is not None:
        asked = [facts.message_id] if match.proposes and request.message is None else []
        before = await said_before(db, tenant, asked)
        (reply,) = await compose(gateway, tenant, [match], before)
    return _explained(facts, rules, match, guard, reply)


async def try_recent(db: Database, tenant: Tenant, draft: RuleDraft) -> list[dict[str, Any]]:
    """A rule that may not be saved yet, held against what came in last: one round trip, no engine.

    Each {message: Facts, matches, conditions, guard (a sentence or None), reply, proposes}.
    """
    rule = _unsaved(check_rule(draft), tenant)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        rows = batch.add(sql.recent_messages, {"limit": RECENT})
    tried = []
    for facts in read_facts(rows.rows, [rule]):
        held = list(checks(rule, facts))
        guard = message_guard(facts)
        matched = all(check.holds for check in held)
        tried.append(
            {
                "message": facts,
                "matches": matched,
                "conditions": held,
                "guard": SENTENCES[guard] if guard else None,
                "reply": filled(rule, facts) if matched else None,
                "proposes": rule.rule_type == "smart_reply",
            }
        )
    return tried


def _check(request: TestRequest) -> None:
    if (request.message_id is None) == (request.message is None):
        raise InputInvalid(
            "Name a message_id or give a message, one of the two.",
            errors=[FieldProblem("message", "or message_id, one of the two")],
        )
    if request.at is not None and request.at.tzinfo is None:
        raise InputInvalid(errors=[FieldProblem("at", "must have an offset, such as Z")])
    if request.at is not None and not EARLIEST <= request.at <= LATEST:
        raise InputInvalid(errors=[FieldProblem("at", "must be between 1970 and 2200")])
    if request.message is not None:
        check_text("message.body", request.message.body, longest=LONGEST_BODY)
        for name in ("subject", "sender_id", "sender_name"):
            check_text(f"message.{name}", getattr(request.message, name), longest=500)
    if request.rule is not None:
        check_rule(request.rule)


def _unsaved(draft: RuleDraft, tenant: Tenant) -> Rule:
    now = clock.now()
    fields = {name: getattr(draft, name) for name in RuleDraft.__struct_fields__}
    fields |= {"enabled": True, "cooldown": cooldown_of(draft)}
    fields |= {"enabled_at": now, "created_at": now, "updated_at": now}
    return Rule(**fields, id=uuid7(), user_id=tenant.user_id)


def _row(message: InlineMessage, channel: dict[str, Any] | None) -> dict[str, Any]:
    if message.channel_id is not None and channel is None:
        raise RowMissing("There is no such channel of yours.")
    now = clock.now()
    hours = channel or {"timezone": "UTC", "business_hours": [], "holidays": []}
    given = {name: getattr(message, name) for name in InlineMessage.__struct_fields__}
    given |= {"message_id": uuid7(), "channel_id": message.channel_id or uuid7()}
    return given | {"at": now, "sent_at": now} | hours


def _match(facts: Facts, rules: Sequence[Rule]) -> Match | None:
    rule = first_match(in_order(rules), facts)
    return None if rule is None else Match(facts, rule, message_guard(facts))


async def _guard(
    db: Database, tenant: Tenant, match: Match | None, *, is_stored: bool
) -> str | None:
    if match is None or match.guard is not None or not is_stored:
        return None if match is None else match.guard
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.guards, {"claims": msgspec.json.encode([match.claim]).decode()})
    row = found.optional()
    return row["guard"] if row else None


def _explained(
    facts: Facts, rules: Sequence[Rule], match: Match | None, guard: str | None, reply: Reply
) -> Explained:
    tried = []
    for rule in in_order(rules):
        held = list(checks(rule, facts))
        matched = all(check.holds for check in held)
        tried.append(Tried(rule.id, rule.name, rule.rule_type, rule.enabled, matched, held))
    repeated = "It was considered already; the log says what became of it."
    return Explained(
        at=facts.at,
        rules=tried,
        winner=match.rule.id if match else None,
        winner_name=match.rule.name if match else None,
        action=match.rule.action if match else None,
        stopped=Stopped(guard, SENTENCES.get(guard, repeated)) if guard else None,
        reply=reply.text,
        proposals=reply.proposals,
        ai_customized=reply.ai_customized,
        ai_note=reply.note,
    )
