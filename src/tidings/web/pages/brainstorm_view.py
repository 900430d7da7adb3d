"""What the board's page shows, in the shapes at the top of `brainstorms/board.html`. Pure."""

from collections.abc import Sequence
from typing import Any

from tidings.brainstorm.asking import Result
from tidings.brainstorm.board import Board, Cluster, Idea
from tidings.brainstorm.effects import suggestions
from tidings.brainstorm.export import NO_CLUSTER
from tidings.brainstorm.techniques import TECHNIQUES

STATUSES = [
    ("new", "New"),
    ("discussed", "Discussed"),
    ("selected", "Selected"),
    ("rejected", "Rejected"),
]
PRIORITIES = [("low", "Low"), ("medium", "Medium"), ("high", "High")]
FRAMEWORKS = [
    ("free_form", "Free"),
    ("scamper", "SCAMPER"),
    ("six_hats", "Six thinking hats"),
]
OPERATIONS = [
    ("generate", "Suggest ideas"),
    ("cluster", "Sort into clusters"),
    ("gaps", "Find gaps"),
    ("similar", "Find duplicates"),
    ("connections", "Find connections"),
    ("expand", "Expand an idea"),
    ("variations", "Vary an idea"),
    ("synthesize", "Make one idea of several"),
    ("score", "Score ideas"),
]
_NAMES = dict(OPERATIONS)


def columns(board: Board, by: str) -> list[dict[str, Any]]:
    """The cards in columns: by status, or by cluster with those in none first."""
    held: list[tuple[str, str, Cluster | None, list[Idea]]]
    if by == "status":
        held = [
            (key, name, None, [i for i in board.ideas if i.status == key]) for key, name in STATUSES
        ]
    else:
        loose = [i for i in board.ideas if i.cluster_id is None]
        held = [("", NO_CLUSTER, None, loose)]
        for one in board.clusters:
            ideas = [i for i in board.ideas if i.cluster_id == one.id]
            held.append((str(one.id), one.name, one, ideas))
    return [
        {
            "key": key,
            "name": name,
            "cluster": place and {"id": place.id, "version": place.version},
            "cards": _cards(ideas),
        }
        for key, name, place, ideas in held
    ]


def _cards(ideas: Sequence[Idea]) -> list[dict[str, Any]]:
    cards = []
    for place, idea in enumerate(ideas):
        up = None
        if place:
            up = str(ideas[place - 2].id) if place > 1 else ""
        cards.append(
            {
                "id": idea.id,
                "text": idea.text,
                "votes": idea.votes,
                "voted": idea.voted,
                "status": idea.status,
                "priority": idea.priority,
                "tags": idea.tags,
                "author": idea.author,
                "is_engine": idea.origin == "engine",
                "cluster_id": str(idea.cluster_id or ""),
                "up": up,
                "down": str(ideas[place + 1].id) if place + 1 < len(ideas) else None,
                "details": idea.details and _details(idea.details),
                "scores": idea.scores
                and [
                    {"name": name, "score": mark["score"], "reason": mark["reason"]}
                    for name, mark in idea.scores.items()
                ],
            }
        )
    return cards


def _details(details: dict[str, Any]) -> list[dict[str, Any]]:
    challenges = [f"{one['challenge']} {one['mitigation']}" for one in details["challenges"]]
    parts = [
        ("What it is", [details["description"]]),
        ("What speaks for it", details["benefits"]),
        ("What stands in the way", challenges),
        ("Next steps", details["next_steps"]),
    ]
    return [{"title": title, "lines": lines} for title, lines in parts if lines]


def session_view(board: Board) -> dict[str, Any]:
    """The session as the page takes it."""
    session = board.session
    return {
        "id": session.id,
        "topic": session.topic,
        "description": session.description,
        "framework": session.framework,
        "human_first": session.human_first,
        "timer_ends_at": session.timer_ends_at,
        "version": session.version,
        "role": session.role,
        "hides_ai": session.hides_ai,
    }


def result_views(board: Board, results: Sequence[Result]) -> list[dict[str, Any]]:
    """What engines answered: lines of text, and what of it can go on the board."""
    texts = {str(idea.id): idea.text for idea in board.ideas}
    known = {idea.text.casefold() for idea in board.ideas}
    return [
        {
            "id": one.id,
            "name": _NAMES.get(one.operation, one.operation),
            "engine": one.engine,
            "at": one.created_at,
            "added": len(one.idea_ids),
            "lines": _lines(one.answer, texts),
            "offers": [
                {"text": offer.text, "tag": offer.tag, "is_new": offer.text.casefold() not in known}
                for offer in suggestions(one.operation, one.answer)
            ],
        }
        for one in results
    ]


def _lines(answer: dict[str, Any], texts: dict[str, str]) -> list[str]:
    def told(ids: Sequence[str]) -> str:
        return " — ".join(texts.get(one, "an idea that was deleted") for one in ids)

    if "pairs" in answer:
        found = [f"{told(p['idea_ids'])} ({p['similarity']:.0%} alike)" for p in answer["pairs"]]
        return found or ["No two ideas say the same."]
    if "connections" in answer:
        found = [
            f"{told(one['idea_ids'])}: {one['kind']}. {one['reason']}"
            for one in answer["connections"]
        ]
        return found or ["No connections were found."]
    if "clusters" in answer:
        return [f"{one['name']}: {len(one['idea_ids'])} ideas" for one in answer["clusters"]]
    if "missing_perspectives" in answer:
        missing = ", ".join(answer["missing_perspectives"])
        opening = [f"Not looked at: {missing}."] if missing else []
        return [*opening, *answer["blind_spots"]]
    if "scores" in answer:
        return [
            f"{told([one['idea_id']])}: {one['overall']['score']}. {one['overall']['reason']}"
            for one in answer["scores"]
        ]
    if "suggestions" in answer or "title" in answer:
        return []
    return [f"{told([answer['idea_id']])}: {answer['description']}"]


def techniques(framework: str) -> list[tuple[str, str]]:
    """For the choice of a technique: all of them, or one."""
    known = TECHNIQUES[framework]
    if len(known) == 1:
        return [("", "Whatever helps")]
    return [("", "All of them"), *((one, one.replace("_", " ").capitalize()) for one in known)]
