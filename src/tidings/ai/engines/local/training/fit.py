"""Logistic regression in plain Python, so that training needs nothing installed.

FTRL-Proximal (McMahan et al. 2013, "Ad Click Prediction: a View from the Trenches"): gradient steps
with a rate of its own for every coefficient; L1 leaves most at exactly 0, so files stay small.
"""

import random
from collections import Counter
from collections.abc import Sequence
from math import exp, sqrt

import msgspec

from tidings.ai.engines.local.linear import SCALE, Linear

SEED = 20261121


class Example(msgspec.Struct, frozen=True):
    """A text's features, its class (0 is the one whose score is fixed), and how much it counts."""

    features: Sequence[str]
    target: int
    weight: float = 1.0


class Rates(msgspec.Struct, frozen=True):
    """How fast and how sparse: `alpha` and `beta` of the rate, `l1`, `l2`, passes over the data.

    A feature seen in fewer than `least` examples is not looked at.
    """

    alpha: float = 0.1
    beta: float = 1.0
    l1: float = 0.5
    l2: float = 1.0
    passes: int = 8
    least: int = 2


class _Column(msgspec.Struct):
    """One class's coefficients with what FTRL remembers of them."""

    weights: list[float]
    sums: list[float]
    squares: list[float]


def fit(examples: Sequence[Example], columns: int, rates: Rates) -> Linear:
    """A classifier of `columns` + 1 classes. The same examples always give the same one."""
    names = _names(examples, rates.least)
    place = {name: i for i, name in enumerate(names, 1)}  # 0 is the bias
    rows = [
        ([0, *(place[f] for f in one.features if f in place)], one.target, one.weight)
        for one in examples
    ]
    size = len(names) + 1
    made = [_Column([0.0] * size, [0.0] * size, [0.0] * size) for _ in range(columns)]
    shuffle = random.Random(SEED).shuffle  # noqa: S311, an order that can be had again
    for _ in range(rates.passes):
        shuffle(rows)
        for places, target, weight in rows:
            for c, share in enumerate(_shares(made, places), 1):
                _step(made[c - 1], places, (share - (target == c)) * weight, rates)
    weights = {name: tuple(column.weights[i] for column in made) for name, i in place.items()}
    kept = {n: w for n, w in weights.items() if any(round(weight * SCALE) for weight in w)}
    return Linear(tuple(column.weights[0] for column in made), kept)


def _names(examples: Sequence[Example], least: int) -> list[str]:
    seen = Counter(feature for one in examples for feature in set(one.features))
    return sorted(name for name, count in seen.items() if count >= least)


def _shares(columns: Sequence[_Column], places: Sequence[int]) -> list[float]:
    """Softmax of the columns' scores beside the fixed 0."""
    scores = [sum([column.weights[i] for i in places]) for column in columns]
    highest = max(0.0, *scores)
    powers = [exp(score - highest) for score in scores]
    total = exp(-highest) + sum(powers)
    return [power / total for power in powers]


def _step(column: _Column, places: Sequence[int], gradient: float, rates: Rates) -> None:
    weights, sums, squares = column.weights, column.sums, column.squares
    square = gradient * gradient
    alpha, beta, l1, l2 = rates.alpha, rates.beta, rates.l1, rates.l2
    for i in places:
        before = squares[i]
        after = before + square
        root = sqrt(after)
        squares[i] = after
        total = sums[i] = sums[i] + gradient - (root - sqrt(before)) / alpha * weights[i]
        if -l1 <= total <= l1 and i:
            weights[i] = 0.0
        else:
            pull = (-l1 if total > 0 else l1) if i else 0.0
            weights[i] = -(total + pull) / ((beta + root) / alpha + l2)
