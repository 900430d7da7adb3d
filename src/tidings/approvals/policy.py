"""The send policy: when and how much leaves, and what needs no person."""

import re
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from tidings.approvals.draft import Channel
from tidings.base.changes import given_fields
from tidings.base.errors import FieldProblem, InputInvalid, RoleForbidden, VersionStale
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.tenancy import audit

sql = load_queries("tidings.approvals")

Automation = Literal["manual", "assisted", "guarded", "full"]

NO_LIMIT = 999_999
"""As good as none: for a channel that has one limit but not the other."""

_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


class Limit(msgspec.Struct, frozen=True):
    """At most so many in any hour, in a day of the organization's zone, and so far apart."""

    per_hour: int
    per_day: int
    gap_seconds: int


class Guard(msgspec.Struct, frozen=True, omit_defaults=True):
    """Conditions of `guarded`, all of which must hold; with none nothing is approved by itself."""

    channels: list[str] | None = None
    replies_only: bool | None = None
    least_score: int | None = None


class SendPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """An organization's policy. Hours are "HH:MM" in `time_zone`, the end exclusive."""

    approval_required: bool
    automation: Automation
    guard: Guard
    daily_cap: int
    hours_start: str
    hours_end: str
    replies_any_hour: bool
    limits: dict[str, Limit]
    version: int
    updated_at: datetime
    time_zone: str
    sent_today: int


class PolicyChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; what is not named stays."""

    approval_required: bool | msgspec.UnsetType = msgspec.UNSET
    automation: Automation | msgspec.UnsetType = msgspec.UNSET
    guard: Guard | msgspec.UnsetType = msgspec.UNSET
    daily_cap: int | msgspec.UnsetType = msgspec.UNSET
    hours_start: str | msgspec.UnsetType = msgspec.UNSET
    hours_end: str | msgspec.UnsetType = msgspec.UNSET
    replies_any_hour: bool | msgspec.UnsetType = msgspec.UNSET
    limits: dict[str, Limit] | msgspec.UnsetType = msgspec.UNSET


async def get_policy(db: Database, tenant: Tenant) -> SendPolicy:
    """The policy, and how much was sent today."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.read_policy)
    return _policy(found.one())


async def change_policy(
    transaction: Transaction,
    change: PolicyChange,
    *,
    version: int | None = None,
    kind: audit.ActorKind = "person",
) -> SendPolicy:
    """Change the policy, by admins; the audit log gets what it was and what it is.

    `version` is the one that was seen. Raises `InputInvalid`, `RoleForbidden`, `VersionStale`.
    """
    if not transaction.tenant.is_admin:
        raise RoleForbidden("Only an admin or owner may change the send policy.")
    before = _policy(await transaction.one(sql.read_policy))
    if version is not None and version != before.version:
        raise VersionStale
    given = given_fields(change)
    after = msgspec.structs.replace(before, **given)
    _check(after)
    row = await transaction.optional(sql.change_policy, _params(after))
    if row is None:
        raise VersionStale
    diff = {
        name: [_plain(getattr(before, name)), _plain(getattr(after, name))]
        for name in given
        if getattr(before, name) != getattr(after, name)
    }
    audit.record(transaction, "send_policy.changed", "send_policy:organization", diff, kind=kind)
    return msgspec.structs.replace(after, version=row["version"])


def _policy(row: dict[str, Any]) -> SendPolicy:
    hours = {name: _as_hour(row[name]) for name in ("hours_start", "hours_end")}
    return msgspec.convert({**row, **hours}, SendPolicy)


def _params(policy: SendPolicy) -> dict[str, Any]:
    return {
        "approval_required": policy.approval_required,
        "automation": policy.automation,
        "guard": msgspec.json.encode(policy.guard).decode(),
        "daily_cap": policy.daily_cap,
        "hours_start": _minutes("hours_start", policy.hours_start),
        "hours_end": _minutes("hours_end", policy.hours_end),
        "replies_any_hour": policy.replies_any_hour,
        "limits": msgspec.json.encode(policy.limits).decode(),
        "version": policy.version,
    }


_BOUNDS = {"per_hour": NO_LIMIT, "per_day": NO_LIMIT, "gap_seconds": 86_400}


def _check(policy: SendPolicy) -> None:
    problems = [*_wrong_limits(policy.limits), *_wrong_guard(policy.guard)]
    if not 0 <= policy.daily_cap <= 1_000_000:
        problems.append(FieldProblem("daily_cap", "must be between 0 and 1,000,000"))
    start = _minutes("hours_start", policy.hours_start)
    if start >= _minutes("hours_end", policy.hours_end):
        problems.append(FieldProblem("hours_end", "must be after hours_start"))
    if problems:
        raise InputInvalid(errors=problems)


def _wrong_limits(limits: dict[str, Limit]) -> list[FieldProblem]:
    unknown = [name for name in limits if name not in get_args(Channel)]
    return [
        *(FieldProblem("limits", f"{name[:40]} is not a channel") for name in unknown),
        *(
            FieldProblem(f"limits.{name}.{field}", f"must be between 0 and {most:,}")
            for name, limit in limits.items()
            for field, most in _BOUNDS.items()
            if not 0 <= getattr(limit, field) <= most
        ),
    ]


def _wrong_guard(guard: Guard) -> list[FieldProblem]:
    problems = []
    if not set(guard.channels or ()) <= set(get_args(Channel)):
        problems.append(FieldProblem("guard.channels", "holds what is not a channel"))
    if not 0 <= (guard.least_score or 0) <= 100:
        problems.append(FieldProblem("guard.least_score", "must be between 0 and 100"))
    return problems


def _minutes(field: str, hour: str) -> int:
    if not _HOUR.fullmatch(hour):
        raise InputInvalid.of(field, 'must be like "08:00"')
    return int(hour[:2]) * 60 + int(hour[3:])


def _as_hour(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
