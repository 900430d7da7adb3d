"""What an engine is told about a board, and the shapes in which it must answer.

Ideas are numbered from 0 in the order in which they are told; answers name them by these numbers,
so that an answer can be kept and given for the same texts on another board.
"""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, Field

Number = int
Short = Field(min_length=1, max_length=300)
Line = Annotated[str, Field(min_length=1, max_length=500)]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a question; `picked` are the numbers it is about, `avoid` what is there."""

    topic: str
    description: str = ""
    techniques: list[str] = []
    count: int | None = None
    ideas: list[str] = []
    picked: list[Number] = []
    context: list[str] = []
    avoid: list[str] = []


class Suggestion(BaseModel):
    """An idea under the technique or kind that led to it."""

    technique: str = Field(max_length=40)
    text: str = Short


class Generated(BaseModel):
    """New ideas: three to five for each technique."""

    suggestions: list[Suggestion] = Field(min_length=1, max_length=35)


class Group(BaseModel):
    """Ideas that belong together."""

    name: str = Field(min_length=1, max_length=80)
    ideas: list[Number] = Field(min_length=1)


class Clustered(BaseModel):
    """Every idea in one of two to ten groups."""

    clusters: list[Group] = Field(min_length=1, max_length=10)


class Challenge(BaseModel):
    """What stands in the way, and what helps against it."""

    challenge: str = Short
    mitigation: str = Short


class Expanded(BaseModel):
    """One idea at length."""

    idea: Number
    description: str = Field(min_length=1, max_length=1500)
    benefits: list[Line] = Field(max_length=6)
    challenges: list[Challenge] = Field(max_length=6)
    next_steps: list[Line] = Field(max_length=6)


class Variation(BaseModel):
    """An idea turned one way."""

    technique: Literal["simplified", "amplified", "combined", "opposite", "alternative"]
    text: str = Short


class Varied(BaseModel):
    """Variations of one idea."""

    idea: Number
    suggestions: list[Variation] = Field(min_length=1, max_length=5)


class Synthesized(BaseModel):
    """One idea made of several."""

    ideas: list[Number] = Field(min_length=2)
    title: str = Field(min_length=1, max_length=120)
    text: str = Field(min_length=1, max_length=600)


class Gaps(BaseModel):
    """What a board does not look at."""

    missing_perspectives: list[Line] = Field(max_length=8)
    blind_spots: list[Line] = Field(max_length=8)
    suggestions: list[Line] = Field(min_length=3, max_length=5)


class Mark(BaseModel):
    """From 0 to 100, and why."""

    score: int = Field(ge=0, le=100)
    reason: str = Short


class Scores(BaseModel):
    """What an idea is worth."""

    idea: Number
    feasibility: Mark
    impact: Mark
    innovation: Mark
    alignment: Mark
    overall: Mark


class Scored(BaseModel):
    """Scores of ideas."""

    scores: list[Scores] = Field(min_length=1, max_length=100)


class Alike(BaseModel):
    """Two ideas that say nearly the same."""

    ideas: list[Number] = Field(min_length=2, max_length=2)
    similarity: float = Field(ge=0, le=1)


class Similar(BaseModel):
    """Duplicates: pairs of at least 0.75."""

    pairs: list[Alike] = Field(max_length=200)


class Connection(BaseModel):
    """How two ideas stand to each other."""

    ideas: list[Number] = Field(min_length=2, max_length=2)
    kind: Literal["complement", "conflict", "dependency", "similarity", "synergy"]
    reason: str = Short


class Connected(BaseModel):
    """The connections worth knowing."""

    connections: list[Connection] = Field(max_length=50)


Answer = dict[str, Any]
"""An answer as JSON, with the numbers of ideas."""


def known_numbers(answer: Any, count: int) -> bool:
    """Whether every idea that the answer names is one of the `count` that were told."""
    if isinstance(answer, list):
        return all(known_numbers(one, count) for one in answer)
    if not isinstance(answer, dict):
        return True
    named = answer.get("ideas", [])
    if "idea" in answer:
        named = [*named, answer["idea"]]
    return all(0 <= number < count for number in named) and all(
        known_numbers(value, count) for name, value in answer.items() if name != "ideas"
    )


def with_ids(answer: Any, ids: list[str]) -> Any:
    """The answer with ids in the place of numbers: `idea_id`, `idea_ids`."""
    if isinstance(answer, list):
        return [with_ids(one, ids) for one in answer]
    if not isinstance(answer, dict):
        return answer
    told: Answer = {}
    for name, value in answer.items():
        if name == "idea":
            told["idea_id"] = ids[value]
        elif name == "ideas":
            told["idea_ids"] = [ids[number] for number in value]
        else:
            told[name] = with_ids(value, ids)
    return told
