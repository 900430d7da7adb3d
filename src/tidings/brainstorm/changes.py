"""What people change on a board. Each is one statement that takes its turn at the session's row.

`seen` is the version that the change was made against (a number of the board, as in ETag): it is
refused with `VersionStale` only when the same field changed after it. None: whatever it is now.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from tidings.base import clock
from tidings.base.changes import given_fields
from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing
from tidings.base.ids import uuid7
from tidings.base.text import check_text
from tidings.brainstorm.board import Cluster, Framework, Idea, Priority, Status, sql
from tidings.brainstorm.conversation import Conversation, read_start
from tidings.db.transaction import Transaction

LONGEST_TOPIC = 300
LONGEST_DESCRIPTION = 4000
LONGEST_IDEA = 2000
LONGEST_TAG = 50
MOST_TAGS = 20
LONGEST_CLUSTER = 100
MOST_HUMAN_FIRST = 20
LONGEST_TIMER = timedelta(days=1)


class NewBrainstorm(msgspec.Struct, frozen=True, kw_only=True):
    """A brainstorm to start; with `conversation`, on the open question of those messages."""

    topic: str | None = None
    description: str = ""
    framework: Framework = "free_form"
    human_first: int = 0
    conversation: Conversation | None = None


class SessionChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a session to change; what is left out stays. `timer_ends_at` null: no timer."""

    topic: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    framework: Framework | msgspec.UnsetType = msgspec.UNSET
    human_first: int | msgspec.UnsetType = msgspec.UNSET
    timer_ends_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


class NewIdea(msgspec.Struct, frozen=True, kw_only=True):
    """An idea to add: behind the others, or right after one."""

    text: str
    priority: Priority = "medium"
    tags: list[str] = []
    cluster_id: UUID | None = None
    after: UUID | None = None


class IdeaChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an idea to change; what is left out stays.

    `after` moves it behind another idea, null to the front; `cluster_id` null takes it out.
    """

    text: str | msgspec.UnsetType = msgspec.UNSET
    status: Status | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    cluster_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    after: UUID | msgspec.UnsetType | None = msgspec.UNSET


class Voted(msgspec.Struct, frozen=True):
    """How many votes an idea has now, and whether one's own is among them."""

    idea_id: UUID
    votes: int
    voted: bool


async def start_brainstorm(transaction: Transaction, new: NewBrainstorm) -> tuple[UUID, int]:
    """Start a brainstorm in the caller's transaction: its id and version.

    Raises `InputInvalid`, and `RowMissing` for messages that the tenant may not read.
    """
    message_ids: list[UUID] = []
    topic = new.topic
    if new.conversation is not None:
        message_ids, question = await read_start(transaction, new.conversation)
        topic = topic or question
    if topic is None:
        raise InputInvalid.of("topic", "is missing, and nobody asks a question in these messages")
    session_id = uuid7()
    version = await transaction.value(
        sql.insert_brainstorm,
        {
            "id": session_id,
            "topic": _filled("topic", topic, LONGEST_TOPIC),
            "description": check_text(
                "description", new.description, longest=LONGEST_DESCRIPTION
            ).strip(),
            "framework": new.framework,
            "human_first": _human_first(new.human_first),
            "message_ids": message_ids,
        },
    )
    return session_id, version


async def change_brainstorm(
    transaction: Transaction, session_id: UUID, change: SessionChange, seen: int | None
) -> int:
    """Change fields of a session; its version after it."""
    fields = given_fields(change)
    if "topic" in fields:
        fields["topic"] = _filled("topic", fields["topic"], LONGEST_TOPIC)
    if "description" in fields:
        check_text("description", fields["description"], longest=LONGEST_DESCRIPTION)
    if "human_first" in fields:
        _human_first(fields["human_first"])
    if fields.get("timer_ends_at") is not None:
        _timer(fields["timer_ends_at"])
    given = {"id": session_id, "change": _json(fields), "seen": seen}
    version: int = await transaction.value(sql.change_brainstorm, given)
    return version


async def delete_brainstorm(
    transaction: Transaction, session_id: UUID, seen: int | None = None
) -> None:
    """Delete a brainstorm; its owner alone may. Raises `RoleForbidden` for others who see it.

    With `seen`, only when the session itself is as it was then.
    """
    await change_brainstorm(transaction, session_id, SessionChange(), seen)
    if await transaction.optional(sql.delete_brainstorm, {"id": session_id}) is None:
        raise RoleForbidden("Only the owner deletes a brainstorm.")


async def share_brainstorm(
    transaction: Transaction, session_id: UUID, user_id: UUID, role: str
) -> None:
    """Bring a member in as viewer or editor, or change which of them they are."""
    given = {"id": session_id, "user_id": user_id, "role": role}
    await transaction.fetch(sql.share_brainstorm, given)


async def unshare_brainstorm(transaction: Transaction, session_id: UUID, user_id: UUID) -> None:
    """Take somebody out: the owner anybody, others themselves. Raises `RowMissing`."""
    given = {"id": session_id, "user_id": user_id}
    if await transaction.optional(sql.unshare_brainstorm, given) is None:
        raise RowMissing("There is no such collaborator here whom you may remove.")


async def add_ideas(
    transaction: Transaction, session_id: UUID, new: NewIdea, texts: Sequence[str] = ()
) -> list[UUID]:
    """Add one idea, or several `texts` that share the rest of it; their ids."""
    given = [_filled("text", text, LONGEST_IDEA) for text in (texts or [new.text])]
    ids = [uuid7() for _ in given]
    tags = _tags(new.tags)
    more = {"priority": new.priority, "tags": [tags] * len(ids), "cluster_id": new.cluster_id}
    row = {"id": session_id, "ids": ids, "texts": given, "more": _json(more), "after": new.after}
    await transaction.fetch(sql.add_ideas, row)
    return ids


async def change_idea(
    transaction: Transaction,
    session_id: UUID,
    idea_id: UUID,
    change: IdeaChange,
    seen: int | None,
) -> None:
    """Change fields of an idea."""
    fields = given_fields(change)
    if "text" in fields:
        fields["text"] = _filled("text", fields["text"], LONGEST_IDEA)
    if "tags" in fields:
        fields["tags"] = _tags(fields["tags"])
    given = {"id": session_id, "idea_id": idea_id, "change": _json(fields), "seen": seen}
    await transaction.fetch(sql.change_idea, given)


async def delete_idea(
    transaction: Transaction, session_id: UUID, idea_id: UUID, seen: int | None
) -> None:
    """Delete an idea, unless somebody changed it or voted for it after `seen`."""
    given = {"id": session_id, "idea_id": idea_id, "seen": seen}
    await transaction.fetch(sql.delete_idea, given)


async def vote(transaction: Transaction, session_id: UUID, idea_id: UUID, wanted: bool) -> Voted:
    """Give one's vote, or take it back; safe to repeat."""
    given = {"id": session_id, "idea_id": idea_id, "wanted": wanted}
    return Voted(idea_id, await transaction.value(sql.vote, given), wanted)


async def save_cluster(
    transaction: Transaction,
    session_id: UUID,
    name: str,
    *,
    cluster_id: UUID | None = None,
    seen: int | None = None,
) -> Cluster:
    """Make a cluster, or rename one."""
    given = {
        "id": session_id,
        "cluster_id": cluster_id or uuid7(),
        "name": _filled("name", name, LONGEST_CLUSTER),
        "seen": seen,
        "is_new": cluster_id is None,
    }
    return await transaction.one(sql.save_cluster, given, row=Cluster)


async def delete_cluster(transaction: Transaction, session_id: UUID, cluster_id: UUID) -> None:
    """Delete a cluster; its ideas stay."""
    await transaction.fetch(sql.delete_cluster, {"id": session_id, "cluster_id": cluster_id})


async def restore(transaction: Transaction, session_id: UUID, subject_id: UUID) -> str:
    """Put an idea or a cluster back that was deleted: which of both it was. Safe to repeat.

    An idea comes with its votes, a cluster with those of its ideas that nobody sorted since.
    Raises `RowMissing` for what was never deleted here, `StateConflict` when the board is full.
    """
    given = {"id": session_id, "subject_id": subject_id}
    kind: str = await transaction.value(sql.restore_part, given)
    return kind


async def read_idea(transaction: Transaction, session_id: UUID, idea_id: UUID) -> Idea:
    """One idea as it stands in the caller's transaction. Raises `RowMissing`."""
    given = {"id": session_id, "idea_id": idea_id}
    return await transaction.one(sql.list_ideas, given, row=Idea)


def _json(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields).decode()


def _filled(field: str, text: str, longest: int) -> str:
    text = check_text(field, text, longest=longest).strip()
    if not text:
        raise InputInvalid.of(field, "is empty")
    return text


def _tags(tags: Sequence[str]) -> list[str]:
    if len(tags) > MOST_TAGS:
        raise InputInvalid.of("tags", f"are more than {MOST_TAGS}")
    return list(dict.fromkeys(_filled("tags", tag, LONGEST_TAG).lower() for tag in tags))


def _human_first(count: int) -> int:
    if not 0 <= count <= MOST_HUMAN_FIRST:
        raise InputInvalid.of("human_first", f"must be from 0 to {MOST_HUMAN_FIRST}")
    return count


def _timer(ends_at: datetime) -> None:
    if ends_at.tzinfo is None:
        raise InputInvalid.of("timer_ends_at", "needs a time zone, such as a Z at its end")
    if not clock.now() - LONGEST_TIMER <= ends_at <= clock.now() + LONGEST_TIMER:
        raise InputInvalid.of("timer_ends_at", "must be within a day of now")
