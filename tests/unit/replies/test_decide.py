"""Which rule answers which message, without a database."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.replies.decide import (
    SENTENCES,
    Guard,
    checks,
    decide,
    first_match,
    in_order,
    matches,
    message_guard,
)
from tidings.replies.facts import read_facts
from tidings.replies.rule import Conditions

from factories.replies import CHANNEL, NOON, make_facts, make_rule

FACTS = ("message_id", "channel_id", "sender_id", "sender_name", "body", "at", "sent_at")


def asks(**conditions):
    return make_rule(trigger_conditions=Conditions(**conditions))


def test_who_quotes_a_word_did_not_say_it():
    body = "Thank you.\n\nOn 2 March 2026 Bo wrote:\n> Where is my invoice?"
    row = {field: getattr(make_facts(body=body), field) for field in FACTS} | {"body": body}
    (facts,) = read_facts([row], [], make_facts().hours)
    assert (facts.body, facts.said) == (body, "Thank you.")
    assert matches(asks(keywords=["thank you"]), facts)
    assert not matches(asks(keywords=["invoice"]), facts)


@pytest.mark.parametrize(
    ("conditions", "facts", "expected"),
    [
        ({}, {}, True),
        ({"keywords": ["invoice"]}, {"body": "My INVOICE, please"}, True),
        ({"keywords": ["invoice"]}, {"body": "My invoices"}, False),
        ({"keywords": ["invoice"]}, {"body": "x", "subject": "Invoice 12"}, True),
        ({"keywords": ["refund", "past due"]}, {"body": "it is past\n due"}, True),
        ({"keywords": ["past due"]}, {"body": "past and due"}, False),
        ({"keywords": ["voice"], "keyword_mode": "anywhere"}, {"body": "invoices"}, True),
        ({"keywords": [r"inv-\d+"], "keyword_mode": "regex"}, {"body": "see INV-12"}, True),
        ({"keywords": ["c++"]}, {"body": "I write C++."}, True),
        ({"keywords": ["請求書"]}, {"body": "この請求書について"}, True),
        ({"keywords": ["straße"]}, {"body": "Die STRASSE"}, True),
        ({"senders": ["bo@example.com"]}, {}, True),
        ({"senders": ["@example.com"]}, {}, True),
        ({"senders": ["@Example.com "]}, {}, True),
        ({"senders": ["@ample.com"]}, {}, False),
        ({"senders": ["@example.com"]}, {"sender_id": "U1", "sender_email": None}, False),
        ({"senders": ["u1"]}, {"sender_id": "U1", "sender_email": None}, True),
        ({"channels": [CHANNEL]}, {}, True),
        ({"channels": [UUID(int=9)]}, {}, False),
        ({"sentiment": ["negative"]}, {"sentiment": "negative"}, True),
        ({"sentiment": ["negative"]}, {}, False),
        ({"language": ["de", "en"]}, {"language": "en"}, True),
        ({"language": ["de"]}, {"language": None}, False),
        ({"keywords": ["hello"], "senders": ["@other.com"]}, {}, False),
    ],
)
def test_conditions(conditions, facts, expected):
    found = make_facts(**facts)
    rule = asks(**conditions)
    assert matches(rule, found) is expected
    assert len(list(checks(rule, found))) == len(set(conditions) - {"keyword_mode"})
    assert all(check.why for check in checks(rule, found))


ORDER = st.lists(
    st.tuples(st.integers(-2, 2), st.integers(0, 3), st.booleans(), st.booleans()), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(ORDER)
def test_the_first_that_matches_wins(several):
    rules = [
        make_rule(
            n,
            priority=priority,
            created_at=NOON + timedelta(seconds=age),
            enabled=enabled,
            trigger_conditions=Conditions(keywords=["hello" if hits else "nothing"]),
        )
        for n, (priority, age, enabled, hits) in enumerate(several)
    ]
    candidates = [
        rule for rule, (_, _, enabled, hits) in zip(rules, several, strict=True) if enabled and hits
    ]
    best = None
    for rule in candidates:
        if best is None or (
            rule.priority > best.priority
            or (rule.priority == best.priority and rule.created_at < best.created_at)
        ):
            best = rule
    assert first_match(in_order(rules), make_facts()) is best


@pytest.mark.parametrize(
    ("facts", "guard"),
    [
        ({}, None),
        ({"direction": "out"}, "own"),
        ({"automatic": "own"}, "own"),
        ({"is_ours": True}, "own"),
        ({"automatic": "reply"}, "automatic"),
        ({"automatic": "list"}, "automatic"),
        ({"automatic": "bounce"}, "automatic"),
        ({"sent_at": NOON - timedelta(days=2)}, "old"),
        ({"sent_at": NOON + timedelta(days=2)}, None),
    ],
)
def test_guards_that_no_rule_can_lift(facts, guard):
    assert message_guard(make_facts(**facts)) == guard


def test_every_guard_says_itself():
    assert set(SENTENCES) == set(Guard.__args__)


def test_what_no_rule_matches_is_not_there():
    rule = asks(keywords=["invoice"])
    decided = decide([make_facts("My invoice?"), make_facts("Thanks")], [rule])
    assert [(match.facts.body, match.guard) for match in decided] == [("My invoice?", None)]


def test_each_owner_has_rules_of_their_own():
    rules = [make_rule(1), make_rule(2, user_id=UUID(int=5)), make_rule(3, user_id=UUID(int=5))]
    decided = decide([make_facts()], rules)
    assert [match.rule for match in decided] == rules[:2]


def test_what_waited_before_a_rule_was_on_is_not_its():
    late, early = make_rule(1, enabled_at=NOON + timedelta(seconds=1)), make_rule(2)
    assert decide([make_facts()], [late]) == []
    assert [match.rule for match in decide([make_facts()], [late, early])] == [early]
    on_time = decide([make_facts(at=late.enabled_at)], [late, early])
    assert [match.rule for match in on_time] == [late]


def test_out_of_office_without_days_is_always():
    assert matches(make_rule(rule_type="out_of_office"), make_facts())
