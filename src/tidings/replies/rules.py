"""A person's rules: made, read, changed, put in order, removed. Nobody else's are in reach."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, StateConflict, VersionStale
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Row, Transaction
from tidings.replies.rule import Rule, RuleDraft, check_rule, cooldown_of

sql = load_queries("tidings.replies")

MOST_RULES = 100
"""Rules of one person."""


def as_rule(row: Row) -> Rule:
    """A stored rule."""
    return msgspec.convert(row, Rule)


async def create_rule(transaction: Transaction, draft: RuleDraft) -> Rule:
    """Make a rule of the acting user: one round trip.

    Raises `InputInvalid`, also for channels that they do not see, `RoleForbidden` for viewers,
    `StateConflict` when they have 100.
    """
    _may_write(transaction.tenant)
    params = _params(check_rule(draft)) | {"id": uuid7(), "most": MOST_RULES}
    row = await transaction.one(sql.insert_rule, params)
    _require_channels(row)
    if row["id"] is None:
        raise StateConflict(f"You have {MOST_RULES} rules already; remove one first.")
    return as_rule(row)


async def list_rules(db: Database, tenant: Tenant, channel_id: UUID | None = None) -> list[Rule]:
    """The tenant's own rules as they are tried; `channel_id`: those whose conditions name it."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_rules, {"channel_id": channel_id})
    return [as_rule(row) for row in found.rows]


async def get_rule(db: Database, tenant: Tenant, rule_id: UUID) -> Rule:
    """One of the tenant's own rules. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_rule, {"id": rule_id})
    row = found.optional()
    if row is None:
        raise RowMissing("There is no such rule of yours.")
    return as_rule(row)


async def replace_rule(
    db: Database, tenant: Tenant, rule_id: UUID, draft: RuleDraft, version: int | None
) -> Rule:
    """Change a rule that is still at `version` (None: whatever it is at).

    Raises `RowMissing`, `VersionStale`, `InputInvalid`.
    """
    _may_write(tenant)
    params = _params(check_rule(draft)) | {"id": rule_id, "version": version}
    async with db.tenant_batch(tenant) as batch:
        changed = batch.add(sql.update_rule, params)
        there = batch.add(sql.get_rule, {"id": rule_id})
    row = there.optional()
    if row is not None:
        _require_channels(changed.one())
    if row is None or changed.one()["id"] is None:
        raise _absent_or_stale(row)
    return as_rule(row)


async def switch_rule(db: Database, tenant: Tenant, rule_id: UUID, *, enabled: bool) -> None:
    """Turn a rule on or off. Raises `RowMissing`."""
    _may_write(tenant)
    async with db.tenant_batch(tenant) as batch:
        switched = batch.add(sql.switch_rule, {"id": rule_id, "enabled": enabled})
    if switched.optional() is None:
        raise RowMissing("There is no such rule of yours.")


async def delete_rule(db: Database, tenant: Tenant, rule_id: UUID, version: int | None) -> None:
    """Remove a rule; what it did stays in the log. Raises `RowMissing`, `VersionStale`."""
    _may_write(tenant)
    async with db.tenant_batch(tenant) as batch:
        deleted = batch.add(sql.delete_rule, {"id": rule_id, "version": version})
        there = batch.add(sql.get_rule, {"id": rule_id})
    if deleted.count == 0:
        raise _absent_or_stale(there.optional())


async def reorder_rules(db: Database, tenant: Tenant, ids: Sequence[UUID]) -> list[Rule]:
    """Let the rules be tried in this order: all of the tenant's, each once; none changes nothing.

    Raises `VersionStale` when it is not of all of them: others were made or removed meanwhile.
    """
    _may_write(tenant)
    async with db.tenant_batch(tenant) as batch:
        moved = batch.add(sql.reorder_rules, {"ids": list(ids)})
        rules = batch.add(sql.list_rules, {"channel_id": None})
    if ids and not moved.count == len(rules.rows) == len(ids):
        raise VersionStale("Name every rule of yours once; read the list again.")
    return [as_rule(row) for row in rules.rows]


def _params(draft: RuleDraft) -> dict[str, Any]:
    return {
        "name": draft.name.strip(),
        "rule_type": draft.rule_type,
        "enabled": draft.enabled,
        "trigger_conditions": msgspec.json.encode(draft.trigger_conditions).decode(),
        "response_template": draft.response_template.strip(),
        "ai_customize": draft.ai_customize,
        "priority": draft.priority,
        "action": draft.action,
        "cooldown": cooldown_of(draft),
        "timezone": draft.timezone,
        "away_from": draft.away_from,
        "away_until": draft.away_until,
    }


def _require_channels(row: Row) -> None:
    """Refuse channels that are not there, another organization's, or out of sight: all alike."""
    if unseen := row["unseen_channels"]:
        raise InputInvalid.of(
            "trigger_conditions.channels",
            f"names {unseen[0]}, which is no channel that you see: leave it out, or have a member "
            "of it add you",
        )


def _absent_or_stale(row: Row | None) -> Exception:
    return VersionStale() if row is not None else RowMissing("There is no such rule of yours.")


def _may_write(tenant: Tenant) -> None:
    if not tenant.may_write:
        raise RoleForbidden
