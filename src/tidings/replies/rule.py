"""A rule: what it matches, what it says, and what is refused when it is saved."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.base.text import text_problem
from tidings.base.zones import NO_ZONE, is_zone
from tidings.replies.keywords import KeywordMode, keyword_problem
from tidings.replies.template import template_problem

RuleType = Literal["smart_reply", "rule_based", "out_of_office", "template"]
Action = Literal["draft", "send"]
Sentiment = Literal["positive", "neutral", "negative"]

MOST_ITEMS = 100
"""Entries of one condition."""
LONGEST_ITEM = 320
LONGEST_NAME = 200
LONGEST_TEMPLATE = 4000
HOUR, DAY = 3600, 86_400
SHORTEST_COOLDOWN, LONGEST_COOLDOWN = 60, 30 * DAY
"""Seconds. Never none: two machines that answer each other must end."""
HIGHEST_PRIORITY = 1_000_000

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class TimeRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times of day, "HH:MM": `start` inclusive, `end` exclusive, over midnight when start > end.

    `days` are those on which it starts, 1 (Monday) to 7; empty is every day. `timezone` None is
    the rule's.
    """

    start: str
    end: str
    timezone: str | None = None
    days: list[Annotated[int, msgspec.Meta(ge=1, le=7)]] = []


class Conditions(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={"time_range": "timeRange"},
):
    """Each that is given must hold; of a list, one entry is enough; none given matches everything.

    `business_hours` and `holidays` "on" | "off" are the channel's own; `holidays` may also list
    local dates of the rule's zone.
    """

    keywords: list[str] = []
    keyword_mode: KeywordMode = "words"
    senders: list[str] = []
    channels: list[UUID] = []
    time_range: TimeRange | None = None
    business_hours: Literal["outside", "inside"] | None = None
    holidays: Literal["on", "off"] | list[date] | None = None
    sentiment: list[Sentiment] = []
    language: list[str] = []


class RuleDraft(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"away_from": "from", "away_until": "until"},
):
    """What its owner says of a rule. `cooldown` in seconds; None is the default of its type.

    `rule_based` may be personalised, `template` goes out as it is filled, `out_of_office` also
    keeps to its days (both inclusive, in `timezone`), `smart_reply` proposes answers to its owner.
    """

    name: str
    rule_type: RuleType = "rule_based"
    enabled: bool = True
    trigger_conditions: Conditions = Conditions()
    response_template: str = ""
    ai_customize: bool = False
    priority: int = 0
    action: Action = "draft"
    cooldown: int | None = None
    timezone: str = "UTC"
    away_from: date | None = None
    away_until: date | None = None


class Rule(RuleDraft, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A stored rule; it answers what is taken in after `enabled_at`, when it was turned on last."""

    id: UUID
    user_id: UUID
    version: int = 1
    enabled_at: datetime
    times_triggered: int = 0
    last_triggered_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def seconds_between(self) -> int:
        """The cooldown that holds."""
        return cooldown_of(self)


def cooldown_of(draft: RuleDraft) -> int:
    """Seconds in which one sender gets no second reply: a day out of office, else an hour."""
    if draft.cooldown is not None:
        return draft.cooldown
    return DAY if draft.rule_type == "out_of_office" else HOUR


def check_rule(draft: RuleDraft) -> RuleDraft:
    """The rule itself, or `InputInvalid` that names every field that is wrong."""
    problems = [FieldProblem(field, message) for field, message in _problems(draft)]
    if problems:
        raise InputInvalid("The rule is not valid; see errors.", errors=problems)
    return draft


def _problems(draft: RuleDraft) -> Iterator[tuple[str, str]]:
    if not draft.name.strip():
        yield "name", "is empty"
    elif problem := _text(draft.name, LONGEST_NAME):
        yield "name", problem
    if not is_zone(draft.timezone):
        yield "timezone", NO_ZONE
    if abs(draft.priority) > HIGHEST_PRIORITY:
        yield "priority", f"must be between -{HIGHEST_PRIORITY} and {HIGHEST_PRIORITY}"
    if not SHORTEST_COOLDOWN <= cooldown_of(draft) <= LONGEST_COOLDOWN:
        yield "cooldown", f"must be between {SHORTEST_COOLDOWN} and {LONGEST_COOLDOWN} seconds"
    yield from _kind_problems(draft)
    yield from _template_problems(draft)
    yield from _condition_problems(draft.trigger_conditions)


def _kind_problems(draft: RuleDraft) -> Iterator[tuple[str, str]]:
    if draft.rule_type == "smart_reply" and draft.action == "send":
        yield "action", "must be draft: a smart reply proposes answers and never sends"
    if draft.rule_type == "template" and draft.ai_customize:
        yield "ai_customize", "is not for a template, which goes out as it is"
    if draft.rule_type != "out_of_office":
        if draft.away_from is not None:
            yield "from", "is only for out_of_office"
        if draft.away_until is not None:
            yield "until", "is only for out_of_office"
    elif draft.away_from and draft.away_until and draft.away_from > draft.away_until:
        yield "until", "is before from"


def _template_problems(draft: RuleDraft) -> Iterator[tuple[str, str]]:
    template = draft.response_template
    if draft.rule_type != "smart_reply" and not template.strip():
        yield "response_template", "is empty"
        return
    problem = _text(template, LONGEST_TEMPLATE)
    problem = problem or template_problem(template, has_until=draft.away_until is not None)
    if problem:
        yield "response_template", problem


def _condition_problems(conditions: Conditions) -> Iterator[tuple[str, str]]:
    for name in ("keywords", "senders", "language"):
        for item in getattr(conditions, name):
            said = item.strip().lstrip("@" if name == "senders" else "")
            problem = _text(item, LONGEST_ITEM) if said else "has an empty entry"
            if problem:
                yield f"trigger_conditions.{name}", problem
                break
    for name in ("keywords", "senders", "channels", "sentiment", "language", "holidays"):
        found = getattr(conditions, name)
        if isinstance(found, list) and len(found) > MOST_ITEMS:
            yield f"trigger_conditions.{name}", f"has more than {MOST_ITEMS} entries"
    for keyword in conditions.keywords:
        if problem := keyword_problem(keyword, conditions.keyword_mode):
            yield "trigger_conditions.keywords", problem
            break
    if not all(_LANGUAGE.fullmatch(code) for code in conditions.language):
        yield "trigger_conditions.language", "must hold codes such as en or de"
    if conditions.time_range is not None:
        yield from _range_problems(conditions.time_range)


def _range_problems(found: TimeRange) -> Iterator[tuple[str, str]]:
    for name in ("start", "end"):
        if _TIME.fullmatch(getattr(found, name)) is None:
            yield f"trigger_conditions.timeRange.{name}", "must be a time such as 09:00"
    if found.start == found.end:
        yield "trigger_conditions.timeRange.end", "must differ from start"
    if found.timezone is not None and not is_zone(found.timezone):
        yield "trigger_conditions.timeRange.timezone", NO_ZONE


def _text(value: str, longest: int) -> str | None:
    if len(value) > longest:
        return f"is longer than {longest} characters"
    return text_problem(value)
