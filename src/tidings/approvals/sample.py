"""Two drafts for the demo: an answer that waits for a decision, and one already turned down."""

from tidings.approvals.decisions import Choice, decide_one
from tidings.approvals.draft import NewApproval, draft
from tidings.approvals.read import list_approvals
from tidings.base.cursor import Page
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database

ANSWER = NewApproval(
    type="email",
    channel="email",
    to="ada@northwind.example",
    subject="Supplier data in the pilot",
    content="Hello Ada,\n\nthe import takes the supplier file as you sent it; nothing has to be "
    "renamed first. Shall we run it on Thursday before the review?\n\nBest regards",
    reason="Ada asked about the supplier file, and nobody has answered.",
    evidence=[{"quote": "Does our supplier file have to change for the import?"}],
    ai_score=84,
)
OFFER = NewApproval(
    type="email",
    channel="email",
    to="purchasing@calder.example",
    subject="A longer pilot",
    content="Hello,\n\nwe could extend the reminder pilot by a month at the same price.",
    reason="The pilot ends this month.",
    ai_score=41,
)


async def load_approvals_sample(db: Database, tenant: Tenant) -> None:
    """Put both into the queue, unless something was there before."""
    if (await list_approvals(db, tenant, Page(1))).items:
        return
    async with db.tenant_transaction(tenant) as transaction:
        turned_down = draft(transaction, OFFER)
        draft(transaction, ANSWER)
        reason = "We agreed with them to talk about the price first."
        await decide_one(transaction, "reject", Choice(turned_down), reason=reason)
