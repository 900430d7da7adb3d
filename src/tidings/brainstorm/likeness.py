"""How alike short texts are: cosine of their TF-IDF vectors, and groups by average likeness.

Pure Python: boards are small, and nothing has to be trained.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

Vector = dict[str, float]

_WORD = re.compile(r"[^\W_]{2,}")
_COMMON = frozenset(
    "a about all an and any are as at be been but by can could did do does for from get had has "
    "have how if in into is it its let make may more not of on one or our out should so some such "
    "than that the their them then there they this to up us use was we were what when which who "
    "why will with would you your".split()
)
_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s")
_SHORTEST = 3  # letters that a stem keeps


def terms(text: str) -> list[str]:
    """The stems of a text's content words, in order."""
    words = _WORD.findall(text.casefold())
    return [_stem(word) for word in words if word not in _COMMON]


def vectors(texts: Sequence[str]) -> list[Vector]:
    """A unit vector for each text; an empty one for a text without content words.

    Inverse document frequency is smoothed (ln((1 + n) / (1 + df)) + 1), so that a word of every
    text still counts.
    """
    counted = [Counter(terms(text)) for text in texts]
    found_in = Counter(term for counts in counted for term in counts)
    weights = {
        term: math.log((1 + len(texts)) / (1 + found)) + 1 for term, found in found_in.items()
    }
    made = []
    for counts in counted:
        vector = {term: count * weights[term] for term, count in counts.items()}
        length = math.sqrt(sum(weight * weight for weight in vector.values()))
        made.append({term: weight / length for term, weight in vector.items()} if length else {})
    return made


def cosine(one: Vector, other: Vector) -> float:
    """From 0, nothing in common, to 1."""
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[term] for term, weight in one.items() if term in other)


def pairs(texts: Sequence[str], least: float, most: float = 2.0) -> list[tuple[int, int, float]]:
    """The pairs of texts whose likeness is from `least` to below `most`, the most alike first."""
    made = vectors(texts)
    found = [
        (i, j, round(likeness, 3))
        for i in range(len(made))
        for j in range(i + 1, len(made))
        if least <= (likeness := cosine(made[i], made[j])) < most
    ]
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def groups(texts: Sequence[str], count: int) -> list[list[int]]:
    """At most `count` groups of indices: the two most alike on average are joined until then.

    The largest first, each in the order of its texts.
    """
    made = vectors(texts)
    sums = [[cosine(one, other) for other in made] for one in made]
    held: dict[int, list[int]] = {n: [n] for n in range(len(texts))}
    while len(held) > count:
        names = list(held)
        one, other = max(
            ((a, b) for at, a in enumerate(names) for b in names[at + 1 :]),
            key=lambda pair: sums[pair[0]][pair[1]] / (len(held[pair[0]]) * len(held[pair[1]])),
        )
        held[one] += held.pop(other)
        for name in held:  # the sum over all pairs between two groups adds up when they join
            sums[one][name] += sums[other][name]
            sums[name][one] += sums[name][other]
    return sorted((sorted(group) for group in held.values()), key=lambda group: -len(group))


def shared_words(texts: Sequence[str], most: int = 3) -> list[str]:
    """The words that say best what the texts have in common, as they are written there."""
    counted: Counter[str] = Counter()
    written: dict[str, str] = {}
    for text in texts:
        seen = set()
        for word in _WORD.findall(text.casefold()):
            if word not in _COMMON:
                written.setdefault(_stem(word), word)
                seen.add(_stem(word))
        counted.update(sorted(seen))
    order = {term: n for n, term in enumerate(written)}
    best = sorted(counted, key=lambda term: (-counted[term], order[term]))
    return [written[term] for term in best[:most]]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            stem = word[: -len(ending)]
            return stem + "y" if ending in ("ies", "ied") else stem.removesuffix("e")
    return word.removesuffix("e") if len(word) > _SHORTEST else word
