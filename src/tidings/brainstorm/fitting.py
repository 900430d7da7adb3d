"""An answer held to what was asked: what is beside it is left out, what it lacks is refused."""

from collections.abc import Callable, Mapping
from typing import Any

from tidings.brainstorm.local import DUPLICATE
from tidings.brainstorm.shapes import Answer, Source

_FEWEST, _MOST = 3, 5


def fit(operation: str, source: Source, answer: Answer) -> Answer:
    """The answer as it counts. Raises `ValueError`, with what to tell the engine."""
    fitted = _FITS.get(operation)
    return fitted(source, answer) if fitted else answer


def _generated(source: Source, answer: Answer) -> Answer:
    held: dict[str, dict[str, str]] = {technique: {} for technique in source.techniques}
    for one in answer["suggestions"]:
        ideas = held.get(one["technique"])
        if ideas is None:
            raise ValueError(f"Name the technique of each idea: {', '.join(held)}.")
        ideas.setdefault(one["text"].casefold(), one["text"])
    few = [technique for technique, ideas in held.items() if len(ideas) < _FEWEST]
    if few:
        raise ValueError(f"Suggest three to five ideas for each technique; few: {', '.join(few)}.")
    return {
        "suggestions": [
            {"technique": technique, "text": text}
            for technique, ideas in held.items()
            for text in list(ideas.values())[:_MOST]
        ]
    }


def _clustered(_source: Source, answer: Answer) -> Answer:
    placed: set[int] = set()
    groups = []
    for group in answer["clusters"]:
        ideas = [n for n in dict.fromkeys(group["ideas"]) if n not in placed]
        placed.update(ideas)
        if ideas:
            groups.append({"name": group["name"], "ideas": ideas})
    if len(groups) < 2:
        raise ValueError("Make two to ten groups, with each idea in one of them.")
    return {"clusters": groups}


def _about_one(source: Source, answer: Answer) -> Answer:
    return answer | {"idea": source.picked[0]}


def _synthesized(source: Source, answer: Answer) -> Answer:
    return answer | {"ideas": source.picked}


def _scored(source: Source, answer: Answer) -> Answer:
    wanted = set(source.picked or range(len(source.ideas)))
    scores = {one["idea"]: one for one in answer["scores"] if one["idea"] in wanted}
    if not scores:
        raise ValueError("Score the ideas that are named, by their numbers.")
    return {"scores": list(scores.values())}


def _similar(_source: Source, answer: Answer) -> Answer:
    return {"pairs": [one for one in _pairs(answer["pairs"]) if one["similarity"] >= DUPLICATE]}


def _connected(_source: Source, answer: Answer) -> Answer:
    return {"connections": _pairs(answer["connections"])}


def _pairs(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each two ideas once, and none beside itself."""
    found = {frozenset(one["ideas"]): one for one in told}
    return [one for pair, one in found.items() if len(pair) == 2]


_FITS: Mapping[str, Callable[[Source, Answer], Answer]] = {
    "generate": _generated,
    "cluster": _clustered,
    "expand": _about_one,
    "variations": _about_one,
    "synthesize": _synthesized,
    "score": _scored,
    "similar": _similar,
    "connections": _connected,
}
