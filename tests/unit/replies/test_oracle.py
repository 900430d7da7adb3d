"""Rules against an oracle without sorting, patterns and shortcuts: it tries everything."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.replies.decide import decide
from tidings.replies.hours import Hours, Span
from tidings.replies.rule import Conditions, Rule, TimeRange
from unit.replies.test_times import ZONES, moments, open_minutes, spans, text

from factories.replies import NOON, make_facts, make_rule

WORDS = ["invoice", "late", "Paid", "due", "hello", "INVOICE"]
SENDERS = ["bo@example.com", "ana@mail.example.com", "u1", "Kim@Example.org"]
ENTRIES = ["bo@example.com", "@example.com", "@mail.example.com", "U1", "kim@example.org", "zoe"]
PHRASES = ["invoice", "past due", "late invoice", "paid", "hell", "due due"]
CHANNELS = [UUID(int=n) for n in (2, 3)]


def few(values):
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


conditions = st.fixed_dictionaries(
    {
        "keywords": few(PHRASES),
        "senders": few(ENTRIES),
        "channels": few(CHANNELS),
        "sentiment": few(["positive", "negative"]),
        "language": few(["en", "de"]),
        "business_hours": st.sampled_from([None, None, "inside", "outside"]),
        "time_range": st.none() | st.tuples(spans, st.sampled_from(ZONES)),
    }
)
messages = st.fixed_dictionaries(
    {
        "words": st.lists(st.sampled_from([*WORDS, "past"]), max_size=4),
        "sender_id": st.sampled_from(SENDERS),
        "channel_id": st.sampled_from(CHANNELS),
        "at": moments,
        "sentiment": st.sampled_from([None, "positive", "negative"]),
        "language": st.sampled_from([None, "en", "de"]),
        "open": st.none() | st.tuples(spans, st.sampled_from(ZONES)),
    }
)
rules = st.tuples(
    conditions,
    st.integers(0, 2),  # priority
    st.integers(0, 2),  # age
    st.booleans(),  # enabled
    st.integers(1, 2),  # owner
)


def is_open(at: datetime, span, zone: str) -> bool:
    start, end, days = span
    local = at.astimezone(ZoneInfo(zone))
    minute = (local.date(), local.hour, local.minute)
    return minute in open_minutes(local.date(), start, end, days)


def says(words: list[str], phrase: str) -> bool:
    """Whether the words of the phrase stand side by side."""
    said, wanted = [word.lower() for word in words], phrase.split()
    return wanted in [said[place : place + len(wanted)] for place in range(len(said))]


def names(entry: str, sender: str) -> bool:
    if entry[0] == "@":
        return "@" in sender and sender.lower().split("@")[1] == entry[1:]
    return entry.lower() == sender.lower()


def holds(asked, message) -> bool:
    words, senders = asked["keywords"], asked["senders"]
    if words and not [each for each in words if says(message["words"], each)]:
        return False
    if senders and not [each for each in senders if names(each, message["sender_id"])]:
        return False
    for name, value in (
        ("channels", message["channel_id"]),
        ("sentiment", message["sentiment"]),
        ("language", message["language"]),
    ):
        if asked[name] and value not in asked[name]:
            return False
    if asked["time_range"] and not is_open(message["at"], *asked["time_range"]):
        return False
    inside = message["open"] is None or is_open(message["at"], *message["open"])
    return asked["business_hours"] in (None, "inside" if inside else "outside")


def as_rule(number: int, drawn) -> Rule:
    asked, priority, age, enabled, owner = drawn
    span = asked["time_range"]
    if span is not None:
        (start, end, days), zone = span
        span = TimeRange(text(start), text(end), timezone=zone, days=days)
    return make_rule(
        number,
        priority=priority,
        created_at=NOON.replace(second=age),
        enabled=enabled,
        user_id=UUID(int=owner),
        timezone="Asia/Tokyo",
        trigger_conditions=Conditions(**asked | {"time_range": span}),
    )


def as_facts(drawn):
    hours = Hours()
    if drawn["open"] is not None:
        (start, end, days), zone = drawn["open"]
        hours = Hours(zone, [Span(text(start), text(end), days)])
    fields = {name: value for name, value in drawn.items() if name not in ("words", "open")}
    return make_facts(" ".join(drawn["words"]), sender_email=None, hours=hours, **fields)


def winner(several, owner: int, message) -> int | None:
    """The number of the rule that answers: no other that holds is before it."""
    candidates = [
        number
        for number, (asked, _, _, enabled, whose) in enumerate(several)
        if enabled and whose == owner and holds(asked, message)
    ]

    def is_before(one: int, other: int) -> bool:
        (_, priority, age, _, _), (_, least, older, _, _) = several[one], several[other]
        return (-priority, age, one) < (-least, older, other)

    for number in candidates:
        if not [other for other in candidates if is_before(other, number)]:
            return number
    return None


@settings(max_examples=150, deadline=None)
@given(st.lists(rules, max_size=5), st.lists(messages, min_size=1, max_size=3))
def test_every_message_gets_the_rule_that_the_oracle_says(several, said):
    facts = [as_facts(message) for message in said]
    decided = decide(facts, [as_rule(n, each) for n, each in enumerate(several)])
    found = {
        (match.facts.message_id, match.rule.user_id.int): match.rule.id.int - 100
        for match in decided
    }
    expected = {
        (fact.message_id, owner): number
        for fact, message in zip(facts, said, strict=True)
        for owner in (1, 2)
        if (number := winner(several, owner, message)) is not None
    }
    assert found == expected
