"""What is refused when a rule is saved, field by field."""

from datetime import date

import msgspec
import pytest

from tidings.base.errors import InputInvalid
from tidings.replies.rule import Conditions, RuleDraft, TimeRange, check_rule, cooldown_of

GOOD = RuleDraft(name="Invoices", response_template="Thank you, {sender_name}.")


def test_a_good_one():
    assert check_rule(GOOD) is GOOD
    assert cooldown_of(GOOD) == 3600
    assert cooldown_of(msgspec.structs.replace(GOOD, rule_type="out_of_office")) == 86_400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"priority": 10**7}, "priority"),
        ({"cooldown": 59}, "cooldown"),
        ({"cooldown": 10**8}, "cooldown"),
        ({"response_template": " "}, "response_template"),
        ({"response_template": "x" * 4001}, "response_template"),
        ({"response_template": "Hi {name}"}, "response_template"),
        ({"response_template": "Back {until}"}, "response_template"),
        ({"rule_type": "smart_reply", "action": "send"}, "action"),
        ({"rule_type": "template", "ai_customize": True}, "ai_customize"),
        ({"away_from": date(2026, 1, 1)}, "from"),
        ({"away_until": date(2026, 1, 1)}, "until"),
        (
            {
                "rule_type": "out_of_office",
                "away_from": date(2026, 1, 2),
                "away_until": date(2026, 1, 1),
            },
            "until",
        ),
    ],
)
def test_fields(change, field):
    with pytest.raises(InputInvalid) as refused:
        check_rule(msgspec.structs.replace(GOOD, **change))
    assert [problem.field for problem in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        ({"keywords": [""]}, "keywords"),
        ({"keywords": ["x" * 321]}, "keywords"),
        ({"keywords": ["a"] * 101}, "keywords"),
        ({"keywords": ["("], "keyword_mode": "regex"}, "keywords"),
        ({"senders": [" "]}, "senders"),
        ({"senders": ["@"]}, "senders"),
        ({"language": ["English"]}, "language"),
        ({"time_range": TimeRange("9:00", "10:00")}, "timeRange.start"),
        ({"time_range": TimeRange("09:00", "24:00")}, "timeRange.end"),
        ({"time_range": TimeRange("09:00", "09:00")}, "timeRange.end"),
        ({"time_range": TimeRange("09:00", "10:00", timezone="X")}, "timeRange.timezone"),
    ],
)
def test_conditions(conditions, field):
    rule = msgspec.structs.replace(GOOD, trigger_conditions=Conditions(**conditions))
    with pytest.raises(InputInvalid) as refused:
        check_rule(rule)
    assert [each.field for each in refused.value.errors] == [f"trigger_conditions.{field}"]
