"""Which lines say nearly the same: groups by the share of content words they have in common."""

from collections import defaultdict
from collections.abc import Sequence

SAME = 0.6  # Jaccard similarity of content words from which two lines are one
_COMMON = 400  # a word in more lines than this tells nothing and is not looked up


def groups(lines: Sequence[frozenset[str]]) -> list[list[int]]:
    """Indices of the lines, grouped: each line joins the first earlier leader that it is like.

    Lines come best first, so that a group's leader is its best line. An index from each leader's
    words keeps this near linear.
    """
    leaders: defaultdict[str, list[int]] = defaultdict(list)
    grouped: dict[int, list[int]] = {}
    for i, words in enumerate(lines):
        shared: defaultdict[int, int] = defaultdict(int)
        for word in words:
            found = leaders[word]
            if len(found) <= _COMMON:
                for leader in found:
                    shared[leader] += 1
        same = _closest(words, shared, lines)
        if same is None:
            grouped[i] = [i]
            for word in words:
                leaders[word].append(i)
        else:
            grouped[same].append(i)
    return list(grouped.values())


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity; 0 for two empty sets."""
    return len(one & other) / len(one | other) if one or other else 0.0


def _closest(
    words: frozenset[str], shared: dict[int, int], lines: Sequence[frozenset[str]]
) -> int | None:
    best, which = SAME, None
    for leader, _ in sorted(shared.items()):
        same = likeness(words, lines[leader])
        if same >= best and (which is None or same > best):
            best, which = same, leader
    return which
