"""What an answer changes on the board."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from tidings.base.ids import uuid7
from tidings.brainstorm.board import sql
from tidings.brainstorm.operations import Asked
from tidings.brainstorm.shapes import Answer
from tidings.db.transaction import Transaction

MOST_IDEAS = 1_000
_DETAILS = ("description", "benefits", "challenges", "next_steps")


class Suggestion(NamedTuple):
    """What an answer offers as an idea, and the tag that says how it came about."""

    text: str
    tag: str


def suggestions(operation: str, answer: Answer) -> list[Suggestion]:
    """What of an answer can become ideas, in its order; none of those that sort or compare."""
    if operation in ("generate", "variations"):
        offered = [(one["text"], one["technique"]) for one in answer["suggestions"]]
    elif operation == "synthesize":
        offered = [(f"{answer['title']}: {answer['text']}", "synthesis")]
    elif operation == "gaps":
        offered = [(text, "gap") for text in answer["suggestions"]]
    elif operation == "expand":
        offered = [(text, "next step") for text in answer["next_steps"]]
    else:
        offered = []
    return [Suggestion(text, tag.replace("_", " ")) for text, tag in offered]


async def put_on_board(
    transaction: Transaction,
    session_id: UUID,
    operation: Asked,
    answer: Answer,
    ids: list[UUID],
    *,
    add: bool,
) -> list[UUID]:
    """Write what the answer (with numbers of `ids`) changes; the ideas that it added.

    With `add`, new ideas come at once. Clusters leave alone what people sorted.
    """
    if operation in ("generate", "variations", "synthesize"):
        if not add:
            return []
        return await add_suggestions(transaction, session_id, suggestions(operation, answer))
    if operation == "cluster":
        clusters = answer["clusters"]
        placed = [(ids[n], at) for at, c in enumerate(clusters, 1) for n in c["ideas"]]
        transaction.queue(
            sql.place_clusters,
            {
                "id": session_id,
                "ids": [uuid7() for _ in clusters],
                "names": [cluster["name"] for cluster in clusters],
                "ideas": [idea for idea, _ in placed],
                "places": [at for _, at in placed],
            },
        )
    elif operation == "expand":
        details = {name: answer[name] for name in _DETAILS}
        _enrich(transaction, session_id, [ids[answer["idea"]]], details=[_json(details)])
    elif operation == "score":
        scores = answer["scores"]
        told = [_json({k: v for k, v in one.items() if k != "idea"}) for one in scores]
        _enrich(transaction, session_id, [ids[one["idea"]] for one in scores], scores=told)
    return []


async def add_suggestions(
    transaction: Transaction, session_id: UUID, offered: Sequence[Suggestion]
) -> list[UUID]:
    """Make them ideas, but for those that the board has already or has no room for."""
    await transaction.fetch(sql.may_edit, {"id": session_id})
    there = await transaction.fetch(sql.list_ideas, {"id": session_id, "idea_id": None})
    known = {row["text"].casefold() for row in there}
    new: dict[str, Suggestion] = {}
    for one in offered:
        if one.text.strip() and one.text.casefold() not in known:
            new.setdefault(one.text.casefold(), one)
    kept = list(new.values())[: max(0, MOST_IDEAS - len(there))]
    ids = [uuid7() for _ in kept]
    if kept:
        await transaction.fetch(
            sql.add_ideas,
            {
                "id": session_id,
                "ids": ids,
                "texts": [one.text for one in kept],
                "more": _json({"tags": [[one.tag] for one in kept]}),
                "after": None,
            },
        )
    return ids


def _enrich(
    transaction: Transaction,
    session_id: UUID,
    ideas: list[UUID],
    *,
    details: list[str] | None = None,
    scores: list[str] | None = None,
) -> None:
    nothing: list[str | None] = [None] * len(ideas)
    transaction.queue(sql.may_edit, {"id": session_id})
    transaction.queue(
        sql.enrich_ideas,
        {
            "id": session_id,
            "ideas": ideas,
            "details": details or nothing,
            "scores": scores or nothing,
        },
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
