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


def likenesses(made: Sequence[Vector]) -> list[dict[int, float]]:
    """For each vector those that share a word with it, and their cosine: above 0, up to 1.

    Only texts that share a word meet, so this is quick for many short ones.
    """
    found_in: dict[str, list[tuple[int, float]]] = {}
    alike: list[dict[int, float]] = []
    for vector in made:
        sums: dict[int, float] = {}
        for term, weight in vector.items():
            for other, its_weight in found_in.setdefault(term, []):
                sums[other] = sums.get(other, 0.0) + weight * its_weight
            found_in[term].append((len(alike), weight))
        for other, likeness in sums.items():
            alike[other][len(alike)] = likeness
        alike.append(sums)
    return alike


def pairs(texts: Sequence[str], least: float) -> list[tuple[int, int, float]]:
    """The pairs of texts whose likeness is at least `least`, the most alike first."""
    found = [
        (i, j, round(likeness, 3))
        for i, near in enumerate(likenesses(vectors(texts)))
        for j, likeness in near.items()
        if i < j and likeness >= least
    ]
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def groups(texts: Sequence[str], count: int) -> list[list[int]]:
    """At most `count` groups of indices: the two most alike on average are joined until then.

    The largest first, each in the order of its texts.
    """
    sums = likenesses(vectors(texts))
    held: dict[int, list[int]] = {n: [n] for n in range(len(texts))}
    # The best partner of each is kept, and looked for anew only where a join took it away.
    best = {name: _nearest(name, sums, held) for name in held}
    while len(held) > count:
        one = min(held, key=lambda name: (-best[name][0], name))
        other = best[one][1]
        for name, likeness in sums[other].items():  # the sum over all pairs adds up in a join
            if name != one:
                sums[one][name] = sums[name][one] = sums[one].get(name, 0.0) + likeness
            sums[name].pop(other, None)
        held[one] += held.pop(other)
        sums[one].pop(other, None)
        sums[other] = {}
        for name in held:
            if name == one or best[name][1] in (one, other):
                best[name] = _nearest(name, sums, held)
            elif (to_one := _average(name, one, sums, held)) > best[name][0]:
                best[name] = (to_one, one)
    return sorted((sorted(group) for group in held.values()), key=lambda group: -len(group))


def _average(
    one: int, other: int, sums: Sequence[dict[int, float]], held: dict[int, list[int]]
) -> float:
    return sums[one].get(other, 0.0) / (len(held[one]) * len(held[other]))


def _nearest(
    name: int, sums: Sequence[dict[int, float]], held: dict[int, list[int]]
) -> tuple[float, int]:
    """How alike the nearest group is, and which; any when nothing is alike."""
    near = max(
        sums[name], key=lambda other: (_average(name, other, sums, held), -other), default=None
    )
    if near is not None:
        return _average(name, near, sums, held), near
    return 0.0, next((other for other in held if other != name), name)


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
