"""What an answer changes on the board."""

from typing import Any
from uuid import UUID

import msgspec

from tidings.base.ids import uuid7
from tidings.brainstorm.board import sql
from tidings.brainstorm.operations import Asked
from tidings.brainstorm.shapes import Answer
from tidings.db.transaction import Transaction

_DETAILS = ("description", "benefits", "challenges", "next_steps")


async def put_on_board(
    transaction: Transaction, session_id: UUID, operation: Asked, answer: Answer, ids: list[UUID]
) -> list[UUID]:
    """Write what the answer (with numbers of `ids`) changes; the ideas that it added.

    New ideas that the board has already are left out; clusters leave alone what people sorted.
    """
    if operation in ("generate", "variations", "synthesize"):
        return await _add(transaction, session_id, operation, answer)
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


async def _add(
    transaction: Transaction, session_id: UUID, operation: Asked, answer: Answer
) -> list[UUID]:
    if operation == "synthesize":
        new = [(f"{answer['title']}: {answer['text']}", "synthesis")]
    else:
        new = [(one["text"], one["technique"]) for one in answer["suggestions"]]
    await transaction.fetch(sql.may_edit, {"id": session_id})
    there = await transaction.fetch(sql.list_ideas, {"id": session_id, "idea_id": None})
    known = {row["text"].casefold() for row in there}
    new = [(text, tag) for text, tag in new if text.casefold() not in known]
    ids = [uuid7() for _ in new]
    if new:
        await transaction.fetch(
            sql.add_ideas,
            {
                "id": session_id,
                "ids": ids,
                "texts": [text for text, _ in new],
                "more": _json({"tags": [[tag.replace("_", " ")] for _, tag in new]}),
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
