"""The text of each reply: its template filled in, then personalised where the rule asks for it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from tidings.ai.gateway import Gateway
from tidings.ai.operation import Operation
from tidings.ai.responses import Store
from tidings.base.errors import (
    AiForbidden,
    AnswerUnreadable,
    BudgetExceeded,
    EngineUnknown,
    InputInvalid,
    PriceUnknown,
    ProviderFailed,
    SecretUnreadable,
    SourceUnconfigured,
    TidingsError,
)
from tidings.base.tenant import Tenant
from tidings.replies.decide import Facts, Match
from tidings.replies.personalise import PERSONALISE, ToPersonalise
from tidings.replies.propose import PROPOSE, Line, ToAnswer
from tidings.replies.rule import Rule
from tidings.replies.template import Filling, fill

log = logging.getLogger(__name__)

I = TypeVar("I")  # noqa: E741 - input
A = TypeVar("A")

ANSWERS = Store("auto_replies", 600)
"""A job that is killed and repeated pays once."""

_TEMPLATE_STANDS = (
    AiForbidden,
    AnswerUnreadable,
    BudgetExceeded,
    EngineUnknown,
    InputInvalid,
    PriceUnknown,
    ProviderFailed,
    SecretUnreadable,
    SourceUnconfigured,
)


class Reply(msgspec.Struct, frozen=True):
    """What is said: `text` to the sender, or `proposals` to the owner; `note` on the engine."""

    text: str | None = None
    proposals: list[str] = []
    ai_customized: bool = False
    note: str | None = None


def filled(rule: Rule, facts: Facts) -> str:
    """The rule's template with its variables."""
    filling = Filling(facts.sender_name, facts.at, rule.timezone, rule.away_until)
    return fill(rule.response_template, filling)


async def compose(
    gateway: Gateway, tenant: Tenant, matches: Sequence[Match], before: Mapping[UUID, ToAnswer]
) -> list[Reply]:
    """A reply to each match, in order. Never inside a transaction: engines are asked.

    `before` holds, by message, what was said before those that answers are proposed to. Whatever
    an engine fails at, the template stands, and the reply says so.
    """
    asking = [match for match in matches if match.proposes or match.rule.ai_customize]
    engine, failure = "", None
    if asking:
        try:
            engine = await gateway.engine_for(tenant, None)
        except _TEMPLATE_STANDS as error:
            failure = error
    return await asyncio.gather(
        *(
            _reply(gateway, tenant, match, before.get(match.facts.message_id), engine, failure)
            for match in matches
        )
    )


async def _reply(
    gateway: Gateway,
    tenant: Tenant,
    match: Match,
    before: ToAnswer | None,
    engine: str,
    failure: TidingsError | None,
) -> Reply:
    facts, rule = match.facts, match.rule
    text = None if match.proposes else filled(rule, facts)
    if text is not None and not rule.ai_customize:
        return Reply(text)
    try:
        if failure is not None:
            raise failure
        if text is None:
            alone = ToAnswer(Line(facts.sender_name or facts.sender_id, facts.said))
            answers, by = await _ask(gateway, tenant, PROPOSE, before or alone, engine)
            return Reply(proposals=answers, note=by)
        source = ToPersonalise(text, facts.sender_name, facts.said)
        personal, by = await _ask(gateway, tenant, PERSONALISE, source, engine)
        is_changed = personal != text
        return Reply(personal, ai_customized=is_changed, note=by if is_changed else None)
    except _TEMPLATE_STANDS as error:
        log.warning("auto-reply of rule %s: %s", rule.id, error.message)
        return Reply(text, note=f"not personalised: {error.code}" if text else error.code)


async def _ask(
    gateway: Gateway, tenant: Tenant, operation: Operation[I, A], source: I, engine: str
) -> tuple[A, str]:
    completed = await gateway.complete(
        tenant, operation, source, engine=engine, run_id=None, store=ANSWERS, may_fall_back=True
    )
    return completed.answer, completed.engine
