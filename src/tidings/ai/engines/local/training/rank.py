"""Which of several: a conditional logistic regression in plain Python, with AdaGrad and L2.

The score of an option is the sum of its features' weights; the shares of one example's options are
their softmax. Fitted so that the right ones together get the greatest share.
"""

import random
from collections.abc import Sequence
from math import exp, sqrt

import msgspec

from tidings.ai.engines.local.linear import SCALE, Linear
from tidings.ai.engines.local.training.fit import SEED

PASSES = 10
_ALPHA = 0.05
_L2 = 100.0
_FIRST = 0.01  # what squares start at, so that the first steps stay small


class Choice(msgspec.Struct, frozen=True):
    """The options of one example as features, and the places of those that are right."""

    options: Sequence[Sequence[str]]
    right: frozenset[int]


def fit_choices(choices: Sequence[Choice], passes: int = PASSES) -> Linear:
    """The weights of the features. The same choices always give the same ones."""
    names = sorted({name for one in choices for option in one.options for name in option})
    place = {name: i for i, name in enumerate(names)}
    rows = [
        ([[place[name] for name in option] for option in one.options], one.right)
        for one in choices
        if one.right
    ]
    weights, squares = [0.0] * len(names), [_FIRST] * len(names)
    decay = _L2 / max(1, len(rows))
    shuffle = random.Random(SEED).shuffle  # noqa: S311, an order that can be had again
    for _ in range(passes):
        shuffle(rows)
        for options, right in rows:
            for i, slope in _slopes(weights, options, right).items():
                step = slope + decay * weights[i]
                squares[i] += step * step
                weights[i] -= _ALPHA * step / sqrt(squares[i])
    return Linear((0.0,), {n: (weights[i],) for n, i in place.items() if round(weights[i] * SCALE)})


def _slopes(
    weights: Sequence[float], options: Sequence[Sequence[int]], right: frozenset[int]
) -> dict[int, float]:
    """How much less likely each feature makes what is right."""
    scores = [sum([weights[i] for i in option]) for option in options]
    highest = max(scores)
    shares = [exp(score - highest) for score in scores]
    total = sum(shares)
    known = sum(shares[place] for place in right)
    slopes: dict[int, float] = {}
    for place, option in enumerate(options):
        slope = shares[place] / total - (shares[place] / known if place in right else 0.0)
        for i in option:
            slopes[i] = slopes.get(i, 0.0) + slope
    return slopes
