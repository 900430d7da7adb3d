"""A linear classifier over features that are there or not: reading its coefficients, adding up.

The files in `coefficients/` are made by `tidings-train`; their first lines say from what.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from math import exp

import msgspec

SCALE = 100
"""Coefficients are written as whole hundredths."""


class Linear(msgspec.Struct, frozen=True):
    """`weights`: by feature, what it adds for each class but the first, whose score is always 0."""

    bias: tuple[float, ...]
    weights: dict[str, tuple[float, ...]]

    def score(self, features: Iterable[str]) -> float:
        """What the features add up to for the second class (a classifier of two)."""
        total = self.bias[0]
        get = self.weights.get
        for feature in features:
            weight = get(feature)
            if weight is not None:
                total += weight[0]
        return total

    def scores(self, features: Iterable[str]) -> tuple[float, float]:
        """What the features add up to for the second and the third class."""
        one, other = self.bias
        get = self.weights.get
        for feature in features:
            weight = get(feature)
            if weight is not None:
                one += weight[0]
                other += weight[1]
        return one, other


@cache
def load(name: str) -> Linear:
    """The classifier of this name that ships with the package; read once a process."""
    text = files("tidings.ai.engines.local").joinpath(f"coefficients/{name}.txt").read_text("utf-8")
    return parse(text)


def parse(text: str) -> Linear:
    """A coefficient file: comment lines, then `feature TAB hundredths…`, first the bias as `*`."""
    found: dict[str, tuple[float, ...]] = {}
    for line in text.split("\n"):
        if line and not line.startswith("#! "):
            feature, *numbers = line.split("\t")
            found[feature] = tuple(int(number) / SCALE for number in numbers)
    return Linear(found.pop("*"), found)


def write(model: Linear, about: Iterable[str]) -> str:
    """The file of a classifier; the same classifier makes the same text."""
    lines = [f"#! {line}" for line in about]
    lines += ["\t".join(["*", *map(_hundredths, model.bias)])]
    for feature in sorted(model.weights):
        numbers = list(map(_hundredths, model.weights[feature]))
        if any(number != "0" for number in numbers):
            lines.append("\t".join([feature, *numbers]))
    return "\n".join([*lines, ""])


def _hundredths(weight: float) -> str:
    return str(round(weight * SCALE))


def probability(score: float) -> float:
    """The logistic function, for scores of any size."""
    return 1 / (1 + exp(-score)) if score > -500 else 0.0


def shares(one: float, other: float) -> tuple[float, float]:
    """Softmax of (0, one, other): the shares of the second and the third class."""
    highest = max(0.0, one, other)
    none, one, other = exp(-highest), exp(one - highest), exp(other - highest)
    total = none + one + other
    return one / total, other / total
