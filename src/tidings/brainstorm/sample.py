"""The demo's board: what to do about late supplier data, with clusters and votes."""

from tidings.base.cursor import Page
from tidings.base.tenant import Tenant
from tidings.brainstorm.board import list_brainstorms
from tidings.brainstorm.changes import (
    IdeaChange,
    NewBrainstorm,
    NewIdea,
    add_ideas,
    change_idea,
    save_cluster,
    start_brainstorm,
    vote,
)
from tidings.db.transaction import Database

TOPIC = "How do we get supplier data in time for the switch?"
_CLUSTERS = {
    "Ask differently": (
        "Send suppliers a template with three columns and no more",
        "Call the ten largest suppliers in person",
        "Offer an upload page, so that nobody mails spreadsheets",
    ),
    "Need less": (
        "Start with the suppliers that make up 80 % of the orders",
        "Take the addresses from last year's invoices",
    ),
    "Check earlier": (
        "Test each file the day it comes, and answer the same day",
        "Show every supplier what is still missing",
    ),
}
_SELECTED = (0, 3)
_VOTED = (0, 3, 5)


async def load_brainstorm_sample(db: Database, tenant: Tenant) -> None:
    """Make the board, unless the tenant has one already."""
    if (await list_brainstorms(db, tenant, Page(1))).items:
        return
    async with db.tenant_transaction(tenant) as transaction:
        new = NewBrainstorm(
            topic=TOPIC,
            description="The pilot lost two weeks to files that came late or not at all.",
            framework="scamper",
        )
        session_id, _ = await start_brainstorm(transaction, new)
        ideas = []
        for name, texts in _CLUSTERS.items():
            cluster = await save_cluster(transaction, session_id, name)
            like = NewIdea(text=texts[0], cluster_id=cluster.id)
            ideas += await add_ideas(transaction, session_id, like, texts)
        for place in _SELECTED:
            change = IdeaChange(status="selected", priority="high")
            await change_idea(transaction, session_id, ideas[place], change, None)
        for place in _VOTED:
            await vote(transaction, session_id, ideas[place], wanted=True)
