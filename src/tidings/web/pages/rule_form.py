"""A rule as a form: what was typed, the rule that it makes, and the words for a row of the list."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec
from litestar.datastructures import FormMultiDict

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.messages.channels import Channel
from tidings.replies.keywords import KeywordMode
from tidings.replies.rule import (
    DAY,
    HOUR,
    Action,
    Conditions,
    Rule,
    RuleDraft,
    RuleType,
    Sentiment,
    TimeRange,
    cooldown_of,
)

DAYS = ((1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (7, "Sun"))
COOLDOWNS = (
    (60, "a minute"),
    (600, "10 minutes"),
    (HOUR, "an hour"),
    (6 * HOUR, "6 hours"),
    (DAY, "a day"),
    (7 * DAY, "a week"),
)
TYPES: Mapping[str, str] = {
    "rule_based": "reply",
    "template": "template, as it is",
    "out_of_office": "out of office",
    "smart_reply": "propose answers to me",
}
_LISTS = ("keywords", "senders", "channels", "days", "sentiment", "language", "holiday_dates")
_CHECKS = ("enabled", "ai_customize")


def blank() -> dict[str, Any]:
    """The form of a new rule."""
    return from_rule(RuleDraft(name=""))


def from_rule(rule: RuleDraft) -> dict[str, Any]:
    """What the form shows of a rule."""
    conditions = rule.trigger_conditions
    span = conditions.time_range
    holidays = conditions.holidays
    return {
        "name": rule.name,
        "rule_type": rule.rule_type,
        "enabled": rule.enabled,
        "response_template": rule.response_template,
        "ai_customize": rule.ai_customize,
        "priority": str(rule.priority),
        "action": rule.action,
        "cooldown": str(cooldown_of(rule)),
        "timezone": rule.timezone,
        "from": rule.away_from.isoformat() if rule.away_from else "",
        "until": rule.away_until.isoformat() if rule.away_until else "",
        "keywords": conditions.keywords,
        "keyword_mode": conditions.keyword_mode,
        "senders": conditions.senders,
        "channels": [str(channel) for channel in conditions.channels],
        "start": span.start if span else "",
        "end": span.end if span else "",
        "range_timezone": (span.timezone or "") if span else "",
        "days": [str(day) for day in span.days] if span else [],
        "business_hours": conditions.business_hours or "",
        "holidays": "dates" if isinstance(holidays, list) else holidays or "",
        "holiday_dates": [str(day) for day in holidays] if isinstance(holidays, list) else [],
        "sentiment": list(conditions.sentiment),
        "language": conditions.language,
    }


def typed(form: FormMultiDict) -> dict[str, Any]:
    """What was typed, as the form shows it again."""
    found: dict[str, Any] = {}
    for name in blank():
        values = [str(value) for value in form.getall(name, [])]
        if name in _LISTS:
            lines = (
                "\n".join(values).replace(",", "\n") if name != "keywords" else "\n".join(values)
            )
            found[name] = [line.strip() for line in lines.splitlines() if line.strip()]
        elif name in _CHECKS:
            found[name] = bool(values)
        else:
            found[name] = values[0].replace("\r\n", "\n") if values else ""
    return found


def draft_of(form: Mapping[str, Any]) -> RuleDraft:
    """The rule that a form makes. Raises `InputInvalid` for what no rule could hold."""
    reader = _Reader(form)
    draft = RuleDraft(
        name=form["name"],
        rule_type=reader.choice("rule_type", get_args(RuleType)),
        enabled=form["enabled"],
        trigger_conditions=_conditions(reader),
        response_template=form["response_template"],
        ai_customize=form["ai_customize"],
        priority=reader.number("priority"),
        action=reader.choice("action", get_args(Action)),
        cooldown=reader.number("cooldown"),
        timezone=form["timezone"].strip() or "UTC",
        away_from=reader.day("from", form["from"]),
        away_until=reader.day("until", form["until"]),
    )
    if draft.rule_type != "out_of_office":
        draft = msgspec.structs.replace(draft, away_from=None, away_until=None)
    if reader.problems:
        raise InputInvalid("The rule is not valid; see errors.", errors=reader.problems)
    return draft


def _conditions(reader: "_Reader") -> Conditions:
    form = reader.form
    span = None
    if form["start"] or form["end"]:
        span = TimeRange(
            form["start"][:5],
            form["end"][:5],
            timezone=form["range_timezone"].strip() or None,
            days=[int(day) for day in form["days"] if day in {str(n) for n, _ in DAYS}],
        )
    holidays: Literal["on", "off"] | list[date] | None = None
    if form["holidays"] == "dates":
        days = [reader.day("holidays", each) for each in form["holiday_dates"]]
        holidays = [day for day in days if day is not None]
    elif form["holidays"]:
        holidays = reader.choice("holidays", ("on", "off"))
    hours = form["business_hours"]
    return Conditions(
        keywords=form["keywords"],
        keyword_mode=reader.choice("keyword_mode", get_args(KeywordMode)),
        senders=form["senders"],
        channels=reader.uuids("channels"),
        time_range=span,
        business_hours=reader.choice("business_hours", ("outside", "inside")) if hours else None,
        holidays=holidays,
        sentiment=[each for each in get_args(Sentiment) if each in form["sentiment"]],
        language=[code.lower() for code in form["language"]],
    )


class _Reader:
    """Reads typed fields and keeps what is wrong with them."""

    def __init__(self, form: Mapping[str, Any]) -> None:
        self.form = form
        self.problems: list[FieldProblem] = []

    def choice(self, name: str, offered: Sequence[str]) -> Any:
        if self.form[name] not in offered:
            self.problems.append(FieldProblem(name, "is not one of the choices"))
            return offered[0]
        return offered[offered.index(self.form[name])]  # the very default is left out of JSON

    def number(self, name: str) -> int:
        text = self.form[name].strip() or "0"
        if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 9:
            self.problems.append(FieldProblem(name, "must be a whole number"))
            return 0
        return int(text)

    def day(self, name: str, text: str) -> date | None:
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.problems.append(FieldProblem(name, "must be a date such as 2026-12-24"))
            return None

    def uuids(self, name: str) -> list[UUID]:
        try:
            return [UUID(text) for text in self.form[name]]
        except ValueError:
            self.problems.append(FieldProblem(name, "is not one of the choices"))
            return []


def channel_choices(offered: Sequence[Channel], picked: Sequence[str]) -> list[tuple[str, str]]:
    """The channels to choose from: those that a rule names stay, also where they are out of sight.

    Without them, saving would make a rule for one channel a rule for all.
    """
    choices = [(str(channel.id), channel.name) for channel in offered]
    known = {value for value, _ in choices}
    return choices + [(each, "a channel out of sight") for each in picked if each not in known]


def field_errors(error: InputInvalid) -> dict[str, str]:
    """What is wrong by the form's own field names."""
    inner = {"timeRange.start": "start", "timeRange.end": "end"}
    inner["timeRange.timezone"] = "range_timezone"
    found: dict[str, str] = {}
    for problem in error.errors:
        name = problem.field.removeprefix("trigger_conditions.")
        found.setdefault(inner.get(name, name), f"It {problem.message}.")
    return found


def summary(rule: Rule, channels: Mapping[UUID, str]) -> str:
    """When a rule answers, in words."""
    conditions = rule.trigger_conditions
    parts = [
        _listed("", [f"“{each}”" for each in conditions.keywords], " in it"),
        _listed("from ", conditions.senders),
        _listed(
            "in ", [channels.get(each, "a channel out of sight") for each in conditions.channels]
        ),
        f"{'/'.join(conditions.sentiment)}" if conditions.sentiment else "",
        _listed("in ", conditions.language),
    ]
    if (span := conditions.time_range) is not None:
        days = ", ".join(name for day, name in DAYS if day in span.days)
        parts.append(f"{span.start}–{span.end} {span.timezone or rule.timezone} {days}".strip())
    if conditions.business_hours:
        parts.append(f"{conditions.business_hours} business hours")
    if isinstance(conditions.holidays, list):
        parts.append(_listed("on ", [_day(day) for day in conditions.holidays]))
    elif conditions.holidays:
        parts.append("on holidays" if conditions.holidays == "on" else "not on holidays")
    if rule.away_from or rule.away_until:
        parts.append(f"away {_day(rule.away_from)} to {_day(rule.away_until)}")
    return "; ".join(part for part in parts if part) or "every message"


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else "…"


def _listed(before: str, items: Sequence[str], after: str = "") -> str:
    if not items:
        return ""
    shown = " or ".join(items[:3])
    more = f" or {len(items) - 3} more" if len(items) > 3 else ""
    return f"{before}{shown}{more}{after}"
