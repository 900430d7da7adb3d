"""A board as it is read: the session, its people, clusters and ideas."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.realtime.topics import TopicCheck

sql = load_queries("tidings.brainstorm")

Framework = Literal["scamper", "six_hats", "free_form"]
Status = Literal["new", "discussed", "selected", "rejected"]
Priority = Literal["low", "medium", "high"]
MemberRole = Literal["owner", "editor", "viewer"]


class Brainstorm(msgspec.Struct, frozen=True):
    """A brainstorm in a list."""

    id: UUID
    topic: str
    framework: Framework
    version: int
    owner_id: UUID
    role: MemberRole
    ideas_count: int
    created_at: datetime
    updated_at: datetime


class BrainstormPage(msgspec.Struct, frozen=True):
    """One page of brainstorms, the one changed last first."""

    items: list[Brainstorm]
    next_cursor: str | None


class Session(msgspec.Struct, frozen=True):
    """The session itself; `role` is what the reader is in it.

    `hides_ai`: ideas of engines are not shown, because somebody who writes here has not yet added
    `human_first` of their own.
    """

    id: UUID
    topic: str
    description: str
    framework: Framework
    human_first: int
    timer_ends_at: datetime | None
    owner_id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    role: MemberRole
    hides_ai: bool

    @property
    def may_edit(self) -> bool:
        """Whether the reader may change the board."""
        return self.role != "viewer"


class BoardPerson(msgspec.Struct, frozen=True):
    """The owner or a collaborator."""

    user_id: UUID
    name: str
    role: MemberRole


class Cluster(msgspec.Struct, frozen=True):
    """A group of ideas."""

    id: UUID
    name: str
    origin: Literal["person", "engine"]
    version: int


class Idea(msgspec.Struct, frozen=True):
    """An idea with its votes; `voted`: by the reader. `author` is a name, "AI" for an engine."""

    id: UUID
    text: str
    status: Status
    priority: Priority
    tags: list[str]
    cluster_id: UUID | None
    position: float
    origin: Literal["person", "engine"]
    author_id: UUID | None
    author: str
    votes: int
    voted: bool
    details: dict[str, Any] | None
    scores: dict[str, Any] | None
    version: int
    created_at: datetime
    updated_at: datetime


class ContextMessage(msgspec.Struct, frozen=True):
    """A message that the brainstorm was started from, as far as the reader may read it."""

    id: UUID
    channel_id: UUID
    sender: str
    body: str
    sent_at: datetime


class Board(msgspec.Struct, frozen=True):
    """Everything on a board, as it stands at `session.version`."""

    session: Session
    people: list[BoardPerson]
    clusters: list[Cluster]
    ideas: list[Idea]
    context: list[ContextMessage]


class BoardOperation(msgspec.Struct, frozen=True):
    """One change of a board; `changes` is {field: [before, after]}, or the row that was deleted."""

    version: int
    action: str
    subject_id: UUID
    fields: list[str]
    changes: Any
    user_id: UUID | None
    by_engine: bool
    created_at: datetime


class OperationPage(msgspec.Struct, frozen=True):
    """Changes in their order; read on after the last one's version while there are any."""

    items: list[BoardOperation]


async def list_brainstorms(db: Database, tenant: Tenant, page: Page) -> BrainstormPage:
    """The brainstorms that the tenant owns or that are shared with them: one round trip."""
    before = decode_cursor("brainstorms", page.cursor, tuple[datetime, UUID]) or (None, None)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.list_brainstorms,
            {"before": before[0], "before_id": before[1], "limit": page.limit + 1},
            row=Brainstorm,
        )
    return BrainstormPage(
        *page.cut("brainstorms", found.rows, lambda one: (one.updated_at, one.id))
    )


async def get_board(db: Database, tenant: Tenant, session_id: UUID) -> Board:
    """A whole board: one round trip. Raises `RowMissing` for one that is not the tenant's."""
    given = {"id": session_id}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        session = batch.add(sql.get_brainstorm, given, row=Session)
        people = batch.add(sql.list_people, given, row=BoardPerson)
        clusters = batch.add(sql.list_clusters, given, row=Cluster)
        ideas = batch.add(sql.list_ideas, given | {"idea_id": None}, row=Idea)
        context = batch.add(sql.list_context, given, row=ContextMessage)
    if session.optional() is None:
        raise RowMissing("There is no such brainstorm here.")
    return Board(session.one(), people.rows, clusters.rows, ideas.rows, context.rows)


async def list_operations(
    db: Database, tenant: Tenant, session_id: UUID, after: int, limit: int
) -> OperationPage:
    """The changes after a version. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        known = batch.add(sql.is_readable, {"id": session_id})
        found = batch.add(
            sql.list_operations,
            {"id": session_id, "after": after, "limit": limit},
            row=BoardOperation,
        )
    if not known.value():
        raise RowMissing("There is no such brainstorm here.")
    return OperationPage(found.rows)


async def find_people(db: Database, tenant: Tenant, session_id: UUID) -> list[dict[str, Any]]:
    """Members whom the owner can share it with: `{user_id, name}`, at most 200."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.find_people, {"id": session_id})
    return found.rows


def board_topic(db: Database) -> TopicCheck:
    """For the realtime topic `brainstorm:<id>`: its owner and collaborators may listen."""

    async def check(tenant: Tenant, rest: str) -> bool:
        try:
            session_id = UUID(rest)
        except ValueError:
            return False
        async with db.tenant_batch(tenant, repeatable=True) as batch:
            readable = batch.add(sql.is_readable, {"id": session_id})
        return bool(readable.value())

    return check
