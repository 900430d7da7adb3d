"""Which rule answers a message, and what forbids any answer. No database, no clock, no network."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from tidings.replies.hours import Hours, Span, is_open, is_within, local_day
from tidings.replies.keywords import found_keyword
from tidings.replies.rule import Conditions, Rule

Guard = Literal[
    "automatic",
    "own",
    "old",
    "answered",
    "covered",
    "cooldown",
    "rate",
    "loop",
    "do_not_contact",
    "undeliverable",
]

OLD = timedelta(days=1)
"""A message that was sent so long before it was taken in came from an archive: nobody waits."""

SENTENCES: dict[str, str] = {
    "automatic": "It is an automatic message: another reply, a mailing list or a bounce.",
    "own": "It is our own: sent by us, from the address of one of our members, or answered there.",
    "old": "It is more than a day old.",
    "answered": "It was answered meanwhile.",
    "covered": "One reply answers several messages in a row.",
    "cooldown": "This sender had a reply of this rule within its cooldown.",
    "rate": "There were 10 replies in this minute.",
    "loop": "This sender had 5 automatic replies on end, and no person answered in between.",
    "do_not_contact": "The sender is on do-not-contact.",
    "undeliverable": "The sender has no address that this channel can send to.",
}
"""Every guard in words."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A message as conditions see it. `at` (aware) is when it was taken in; `hours` its channel's.

    `sentiment` and `language` None are not known, so a condition on them does not hold.
    """

    message_id: UUID
    channel_id: UUID
    position: int = 0
    sender_id: str
    sender_name: str = ""
    sender_email: str | None = None
    answer_to: str | None = None
    """Where its sender wants answers, if not where it came from (mail's Reply-To)."""
    subject: str = ""
    body: str
    own_words: str | None = None
    """What of the body its sender wrote themself; None: all of it."""
    at: datetime
    sent_at: datetime
    direction: Literal["in", "out"] = "in"
    automatic: str | None = None
    is_ours: bool = False
    hours: Hours = Hours()
    sentiment: str | None = None
    language: str | None = None

    @property
    def said(self) -> str:
        """What conditions and answers go by: who quotes a word did not say it."""
        return self.body if self.own_words is None else self.own_words


class Check(msgspec.Struct, frozen=True):
    """One condition: whether it holds, and why in words."""

    kind: str
    holds: bool
    why: str


def checks(rule: Rule, facts: Facts) -> Iterator[Check]:
    """Every condition that the rule has, held against the message."""
    conditions = rule.trigger_conditions
    if rule.rule_type == "out_of_office":
        yield from _away(rule, facts)
    yield from _words(conditions, facts)
    yield from _times(rule, conditions, facts)
    if conditions.sentiment:
        holds = facts.sentiment in conditions.sentiment
        yield Check("sentiment", holds, f"It reads {facts.sentiment or 'as nothing in particular'}")
    if conditions.language:
        holds = facts.language in conditions.language
        yield Check("language", holds, f"Its language is {facts.language or 'not known'}")


def matches(rule: Rule, facts: Facts) -> bool:
    """Whether every condition holds; a rule without conditions matches everything."""
    return all(check.holds for check in checks(rule, facts))


def in_order(rules: Sequence[Rule]) -> list[Rule]:
    """By priority, the highest first; of two alike the oldest."""
    return sorted(rules, key=lambda rule: (-rule.priority, rule.created_at, rule.id))


def first_match(rules: Sequence[Rule], facts: Facts) -> Rule | None:
    """The enabled rule that answers the message, of one owner's `in_order`."""
    return next((rule for rule in rules if rule.enabled and matches(rule, facts)), None)


def message_guard(facts: Facts) -> Guard | None:
    """What forbids any answer, whatever the rules say (RFC 3834 section 2)."""
    if facts.direction == "out" or facts.automatic == "own" or facts.is_ours:
        return "own"
    if facts.automatic is not None:
        return "automatic"
    if facts.at - facts.sent_at > OLD:
        return "old"
    return None


class Match(msgspec.Struct, frozen=True):
    """A message, the rule of one owner that matched it, and the guard that stops it so far."""

    facts: Facts
    rule: Rule
    guard: Guard | None = None

    @property
    def proposes(self) -> bool:
        """Whether it only proposes answers to its owner."""
        return self.rule.rule_type == "smart_reply"

    @property
    def claim(self) -> dict[str, object]:
        """What the database is asked for the right to reply."""
        return {
            "user_id": self.rule.user_id,
            "rule_id": self.rule.id,
            "message_id": self.facts.message_id,
            "sender_id": self.facts.sender_id,
            "sender_email": self.facts.sender_email,
            "cooldown": self.rule.seconds_between,
            "proposes": self.proposes,
        }


def decide(messages: Sequence[Facts], rules: Sequence[Rule]) -> list[Match]:
    """For each message (oldest first) and each owner of rules, the match, if there is one.

    A rule answers nothing that was taken in before it was turned on.
    """
    owners: dict[UUID, list[Rule]] = {}
    for each in in_order(rules):
        owners.setdefault(each.user_id, []).append(each)
    return [
        Match(facts, rule, message_guard(facts))
        for facts in messages
        for own in owners.values()
        if (rule := first_match([one for one in own if one.enabled_at <= facts.at], facts))
    ]


def _away(rule: Rule, facts: Facts) -> Iterator[Check]:
    if rule.away_from is None and rule.away_until is None:
        return
    today = local_day(facts.at, rule.timezone)
    holds = (rule.away_from is None or rule.away_from <= today) and (
        rule.away_until is None or today <= rule.away_until
    )
    since = f"from {rule.away_from}" if rule.away_from else "from ever"
    until = f"until {rule.away_until}" if rule.away_until else "on"
    yield Check("away", holds, f"It is {today} there; away {since} {until}")


def _words(conditions: Conditions, facts: Facts) -> Iterator[Check]:
    if conditions.keywords:
        text = f"{facts.subject}\n{facts.said}"
        found = found_keyword(text, conditions.keywords, conditions.keyword_mode)
        why = "None of the keywords is in it" if found is None else f"“{found}” is in it"
        yield Check("keywords", found is not None, why)
    if conditions.senders:
        named = sender_in(conditions.senders, facts)
        why = f"{facts.sender_id} is not listed" if named is None else f"{named} is listed"
        yield Check("senders", named is not None, why)
    if conditions.channels:
        holds = facts.channel_id in conditions.channels
        yield Check("channels", holds, "Its channel is listed" if holds else "Another channel")


def sender_in(senders: Sequence[str], facts: Facts) -> str | None:
    """The entry that names the sender: an id or address exactly, or `@domain` of the address."""
    who = {facts.sender_id.casefold()}
    if facts.sender_email:
        who.add(facts.sender_email.casefold())
    domains = {f"@{each.rpartition('@')[2]}" for each in who if "@" in each}
    for entry in senders:
        wanted = entry.strip().casefold()
        if wanted in (domains if wanted.startswith("@") else who):
            return entry
    return None


def _times(rule: Rule, conditions: Conditions, facts: Facts) -> Iterator[Check]:
    if (span := conditions.time_range) is not None:
        zone = span.timezone or rule.timezone
        holds = is_within(facts.at, zone, Span(span.start, span.end, span.days))
        side = "within" if holds else "outside of"
        yield Check("timeRange", holds, f"It is {side} {span.start} to {span.end} in {zone}")
    if conditions.business_hours is not None:
        inside = is_open(facts.at, facts.hours)
        holds = inside == (conditions.business_hours == "inside")
        yield Check("business_hours", holds, f"The channel is {'open' if inside else 'closed'}")
    if conditions.holidays is not None:
        yield _holidays(rule, conditions, facts)


def _holidays(rule: Rule, conditions: Conditions, facts: Facts) -> Check:
    if isinstance(conditions.holidays, list):
        today = local_day(facts.at, rule.timezone)
        holds = not conditions.holidays or today in conditions.holidays
        return Check("holidays", holds, f"{today} is {'' if holds else 'not '}listed")
    today = local_day(facts.at, facts.hours.timezone)
    is_holiday = today in facts.hours.holidays
    holds = is_holiday == (conditions.holidays == "on")
    return Check("holidays", holds, f"{today} is {'a' if is_holiday else 'no'} holiday there")
