"""Rules for the demo: one of each kind, none of which sends by itself."""

from datetime import timedelta

from tidings.base import clock
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.replies.rule import Conditions, RuleDraft, TimeRange
from tidings.replies.rules import create_rule, list_rules


def sample_rules() -> list[RuleDraft]:
    """The rules, the first tried first."""
    today = clock.now().date()
    return [
        RuleDraft(
            name="Away at the fair",
            rule_type="out_of_office",
            priority=40,
            enabled=False,
            away_from=today + timedelta(days=14),
            away_until=today + timedelta(days=18),
            response_template="Hello {sender_name}, I am away until {until} and will answer then.",
        ),
        RuleDraft(
            name="Invoices",
            priority=30,
            ai_customize=True,
            trigger_conditions=Conditions(keywords=["invoice", "past due", "payment"]),
            response_template="Thank you, your question about the invoice is with our accounts "
            "team, who answer within one working day.",
        ),
        RuleDraft(
            name="Outside of hours",
            rule_type="template",
            priority=20,
            trigger_conditions=Conditions(time_range=TimeRange("18:00", "08:00")),
            response_template="Hello {sender_name}, we are closed at the moment and will answer "
            "in the morning.",
        ),
        RuleDraft(name="Propose answers", rule_type="smart_reply", priority=10),
    ]


async def load_replies_sample(db: Database, tenant: Tenant) -> None:
    """Make the sample's rules, unless the tenant has rules already."""
    if await list_rules(db, tenant):
        return
    async with db.tenant_transaction(tenant) as transaction:
        for draft in sample_rules():
            await create_rule(transaction, draft)
