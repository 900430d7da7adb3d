"""How well a classifier, a linker or a summary did."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean

import msgspec

_WORD = re.compile(r"[a-z0-9]+")


class Classes(msgspec.Struct, frozen=True):
    """Right answers beside given ones; `confusion[right][given]` counts, in the order of names."""

    names: tuple[str, ...]
    accuracy: float
    macro_f1: float
    f1: dict[str, float]
    confusion: list[list[int]]


def classes(right: Sequence[str], given: Sequence[str]) -> Classes:
    """Accuracy, F1 of each class and their mean (a class nobody named or meant counts as 0)."""
    names = tuple(sorted(set(right) | set(given)))
    counts = Counter(zip(right, given, strict=True))
    f1 = {}
    for name in names:
        meant = sum(n for (r, _), n in counts.items() if r == name)
        said = sum(n for (_, g), n in counts.items() if g == name)
        f1[name] = 2 * counts[name, name] / (meant + said)
    return Classes(
        names,
        sum(counts[name, name] for name in names) / max(1, len(right)),
        fmean(f1.values()) if f1 else 0.0,
        f1,
        [[counts[r, g] for g in names] for r in names],
    )


class Links(msgspec.Struct, frozen=True):
    """Links that both have, that were given, and that are right; a new beginning links to itself.

    Counted as graph-eval.py of irc-disentanglement does: over all files together, self-links too.
    """

    matched: int = 0
    given: int = 0
    right: int = 0

    def __add__(self, other: "Links") -> "Links":
        return Links(
            self.matched + other.matched, self.given + other.given, self.right + other.right
        )

    @property
    def f(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.matched / max(1, self.given + self.right)


def rouge_1(candidate: str, reference: str) -> float:
    """ROUGE-1 F1 (Lin 2004) of lower-case words, without stemming or stop words."""
    ours, theirs = _words(candidate), _words(reference)
    common = (ours & theirs).total()
    return 2 * common / (ours.total() + theirs.total()) if common else 0.0


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))


def mean(values: Iterable[float]) -> float:
    """The mean, and 0 of nothing."""
    found = list(values)
    return fmean(found) if found else 0.0
