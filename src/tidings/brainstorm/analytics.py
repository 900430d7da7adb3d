"""What a board's numbers say: counts, votes, distribution, momentum. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from tidings.brainstorm.board import Board
from tidings.brainstorm.export import NO_CLUSTER

WINDOW = timedelta(minutes=10)
_TOP = 5
_STEADY = 1.25  # ideas of one window over the other from which it is more than steady


class Share(msgspec.Struct, frozen=True):
    """How many ideas fall under a name."""

    name: str
    count: int


class TopIdea(msgspec.Struct, frozen=True):
    """An idea with many votes."""

    id: UUID
    text: str
    votes: int


class Momentum(msgspec.Struct, frozen=True):
    """Ideas of the last ten minutes against the ten before; and by day."""

    recent: int
    before: int
    trend: Literal["rising", "steady", "falling", "quiet"]
    by_day: list[Share]


class Analytics(msgspec.Struct, frozen=True):
    """The numbers of a board."""

    ideas: int
    by_people: int
    by_engines: int
    votes: int
    voted_ideas: int
    votes_per_idea: float
    top: list[TopIdea]
    by_status: list[Share]
    by_priority: list[Share]
    by_cluster: list[Share]
    by_author: list[Share]
    by_tag: list[Share]
    momentum: Momentum


def analyse(board: Board, now: datetime) -> Analytics:
    """The numbers of a board at a moment."""
    ideas = board.ideas
    names: dict[UUID | None, str] = {one.id: one.name for one in board.clusters}
    votes = sum(idea.votes for idea in ideas)
    best = sorted((idea for idea in ideas if idea.votes), key=lambda idea: -idea.votes)
    return Analytics(
        ideas=len(ideas),
        by_people=sum(idea.origin == "person" for idea in ideas),
        by_engines=sum(idea.origin == "engine" for idea in ideas),
        votes=votes,
        voted_ideas=len(best),
        votes_per_idea=round(votes / len(ideas), 2) if ideas else 0.0,
        top=[TopIdea(idea.id, idea.text, idea.votes) for idea in best[:_TOP]],
        by_status=_shares(idea.status for idea in ideas),
        by_priority=_shares(idea.priority for idea in ideas),
        by_cluster=_shares(names.get(idea.cluster_id, NO_CLUSTER) for idea in ideas),
        by_author=_shares(idea.author for idea in ideas),
        by_tag=_shares(tag for idea in ideas for tag in idea.tags),
        momentum=_momentum([idea.created_at for idea in ideas], now),
    )


def _shares(names: Iterable[str]) -> list[Share]:
    counted = Counter(names)
    return [Share(name, counted[name]) for name in sorted(counted, key=lambda n: (-counted[n], n))]


def _momentum(made: list[datetime], now: datetime) -> Momentum:
    recent = sum(now - WINDOW < at for at in made)
    before = sum(now - 2 * WINDOW < at <= now - WINDOW for at in made)
    trend: Literal["rising", "steady", "falling", "quiet"] = "steady"
    if not recent and not before:
        trend = "quiet"
    elif recent > before * _STEADY:
        trend = "rising"
    elif before > recent * _STEADY:
        trend = "falling"
    days = Counter(at.date().isoformat() for at in made)
    return Momentum(recent, before, trend, [Share(day, days[day]) for day in sorted(days)])
