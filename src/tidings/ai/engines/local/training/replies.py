"""The reply linker: trained on chat logs in which people marked what answers what."""

from collections.abc import Iterable
from pathlib import Path

from tidings.ai.engines.local.linear import Linear
from tidings.ai.engines.local.replies import is_notice, links
from tidings.ai.engines.local.reply_features import Room
from tidings.ai.engines.local.training.chat import Day, days
from tidings.ai.engines.local.training.rank import Choice, fit_choices
from tidings.ai.engines.local.training.scores import Links

ABOUT = (
    "Which message another one answers: feature of the pair (S…: of a new beginning), hundredths.",
    "Made by `tidings-train` from irc-disentanglement (Kummerfeld et al. 2019, CC BY 4.0).",
)


def train(data: Path) -> Linear:
    """The linker made of all days."""
    return fit_choices([choice for day in days(data) for choice in choices(day)])


def cross_validate(data: Path) -> Links:
    """Each day graded by what the other days teach; every annotated line counts, notices too."""
    logs = days(data)
    made = [choices(day) for day in logs]
    total = Links()
    for k, day in enumerate(logs):
        rest = [choice for i, some in enumerate(made) if i != k for choice in some]
        total += grade(day, fit_choices(rest))
    return total


def grade(day: Day, model: Linear) -> Links:
    """The model's links of the annotated messages beside those that people marked."""
    found = links(model, day.said)
    matched = sum(
        (i if found[i] is None else found[i]) in answers for i, answers in day.answers.items()
    )
    return Links(matched, len(day.answers), sum(map(len, day.answers.values())))


def choices(day: Day) -> list[Choice]:
    """What each annotated message could answer, and what it does; its own place comes first."""
    room = Room()
    found: list[Choice] = []
    for i, one in enumerate(day.said):
        if is_notice(one):
            continue
        line = room.hear(i, one.speaker, one.text, one.at)
        answers = day.answers.get(i)
        if answers is not None:
            others = room.options(line)
            options = [room.alone(line), *(room.between(line, other) for other in others)]
            found.append(Choice(options, _right([i, *(o.index for o in others)], answers)))
        room.add(line)
    return found


def _right(indexes: Iterable[int], answers: frozenset[int]) -> frozenset[int]:
    return frozenset(place for place, index in enumerate(indexes) if index in answers)
