"""Boards with ideas, made as people make them."""

from uuid import UUID

from tidings.base.tenant import Tenant
from tidings.brainstorm.changes import (
    NewBrainstorm,
    NewIdea,
    add_ideas,
    share_brainstorm,
    start_brainstorm,
)
from tidings.db.transaction import Database


async def make_board(
    db: Database,
    tenant: Tenant,
    *texts: str,
    topic: str = "How do we win more pilots?",
    framework: str = "free_form",
    human_first: int = 0,
    shared: tuple[tuple[Tenant, str], ...] = (),
) -> tuple[UUID, list[UUID]]:
    """A board of the tenant with these ideas, shared as (person, role); its id and theirs."""
    async with db.tenant_transaction(tenant) as transaction:
        new = NewBrainstorm(topic=topic, framework=framework, human_first=human_first)
        session_id, _ = await start_brainstorm(transaction, new)
        for person, role in shared:
            await share_brainstorm(transaction, session_id, person.user_id, role)
        ids = []
        if texts:
            ids = await add_ideas(transaction, session_id, NewIdea(text=texts[0]), texts)
    return session_id, ids
