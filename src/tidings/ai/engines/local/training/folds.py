"""Parts of labelled data, each held out once."""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tidings.ai.engines.local.training.fit import SEED

_One = TypeVar("_One")


def folds(examples: Sequence[_One], count: int) -> Iterator[tuple[list[_One], list[_One]]]:
    """`count` times: a part, and all that is not in it. The order is always the same."""
    shuffled = list(examples)
    random.Random(SEED).shuffle(shuffled)  # noqa: S311, an order that can be had again
    for k in range(count):
        rest = [one for i, one in enumerate(shuffled) if i % count != k]
        yield shuffled[k::count], rest
