"""How much a clause says about its meeting, and how well it reads as a quote."""

import math
import re
from collections import Counter
from itertools import accumulate, pairwise

from tidings.ai.engines.local.alone import standing_alone
from tidings.ai.engines.local.clauses import complete
from tidings.ai.engines.local.nouns import singular
from tidings.ai.engines.local.reading import Phrase
from tidings.ai.engines.local.speech import Clause, Heard
from tidings.ai.engines.local.words import (
    AUXILIARIES,
    DANGLING,
    GENERAL,
    NUMBERS,
    PLAIN,
    PRONOUNS,
    word_set,
)

# A clause that opens so leans on one before it.
_LEANS = word_set("""
that which who whose whom as because than of for in to with from at or if when while where until
including such whether by being having not
""")
_PERSONS = word_set("i you me my your he she")
_SELF_STANDING = word_set("if when in at for with by from as because while")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SHORT = 80  # clauses
NEAR = 8  # segments on each side that count as around
_LEAST_CONTENT = 2
_STRONG = 2  # weight of a cue that says much by itself
_OUTRIGHT = 3  # and of one that states its kind outright
_LONG = 8  # words
_PADDING = frozenset(("you know", "i mean", "sort of", "kind of", "i guess", "like a"))


def content(words: list[str]) -> list[str]:
    """The words that carry meaning, in the singular, each once, in order."""
    return list(
        dict.fromkeys(singular(w) for w in words if w not in PLAIN and len(w) > 2 and "'" not in w)
    )


def content_of(text: str) -> frozenset[str]:
    """The words of a quote that carry meaning."""
    return frozenset(content(_WORD.findall(text.lower().replace("_", ""))))


def says_enough(words: list[str], told: float = 0.0) -> bool:
    """Whether there are two content words at least, one of them more than a generality.

    Less will do beside a cue (`told` is its weight): one word beside a strong one or a number, two
    generalities beside one that states its kind outright, any beside a number too.
    """
    found = content(words)
    numbers = not NUMBERS.isdisjoint(words)
    if len(words) >= _LONG and (
        (told and numbers) or (told >= _OUTRIGHT and len(found) > _LEAST_CONTENT)
    ):
        return True
    least = 1 if told >= _STRONG or numbers else _LEAST_CONTENT
    return len(found) >= least and not GENERAL.issuperset(found)


class Weights:
    """What each content word weighs in a meeting: 0 (said once) to 1 (what it is all about)."""

    def __init__(self, heard: list[Heard], phrases: tuple[Phrase, ...]) -> None:
        counts: Counter[str] = Counter()
        seen: set[tuple[int, str]] = set()
        for item in heard:
            for word in content(item.clause.words):
                if (item.position, word) not in seen:
                    seen.add((item.position, word))
                    counts[word] += 1
        top = math.log1p(max(counts.values(), default=1))
        # In a short meeting nothing is said often; in a long one what is said once is an aside.
        once = 0.5 * max(0.0, 1.0 - len(heard) / _SHORT)
        self._weights = {
            w: max(once, math.log1p(n) / top if n > 1 else 0.0) * (0.5 if w in GENERAL else 1.0)
            for w, n in counts.items()
        }
        best = phrases[0].score if phrases else 1.0
        for phrase in phrases:
            for word in phrase.key.split():
                bonus = 0.5 * phrase.score / best
                self._weights[word] = min(1.0, self._weights.get(word, 0.0) + bonus)

    def centrality(self, words: list[str]) -> float:
        """From 0 to 1: how many words that matter, and how much they matter."""
        total = sum(self._weights.get(w, 0.0) for w in content(words))
        return 1.0 - math.exp(-total / 2.0)


def readability(clause: Clause) -> float:
    """From 0 to 1: how well the clause stands alone as a quote."""
    words = clause.words
    size = len(words)
    if size < 5 or size > 45:
        return 0.0
    score = min(1.0, (size - 2) / 7) if size < 9 else 1.0 if size <= 28 else 28 / size
    score *= 0.78 ** min(clause.fillers, 8)
    score *= 0.8 ** _padding(words)
    if not complete(clause):
        score *= 0.45
    elif clause.end_mark not in (".", "!"):
        score *= 0.8
    if not clause.opens:
        score *= 0.7
    score *= standing_alone(" ".join(words), announces=bool(clause.commas))
    if _leans(clause):
        score *= 0.5
    if words[-1] in DANGLING:
        score *= 0.6
    pronouns = sum(w in PRONOUNS for w in words) / size
    if pronouns > 0.3:
        score *= 0.7
    repeats = size - len(set(pairwise(words))) - 1
    return score * 0.85 ** max(0, repeats)


def matter(words: list[str]) -> float:
    """From 0 to 1: how much a sentence is about the matter, not about who speaks to whom."""
    return max(0.1, 1.0 - 1.5 * sum(word in _PERSONS for word in words) / len(words))


def opening(position: int, segments: int) -> float:
    """What a sentence gains that is said while people tell each other what it is all about."""
    return 1.3 if position < 0.2 * segments else 1.0


def _leans(clause: Clause) -> bool:
    """Whether the clause needs the one before it: "which …", or "if …" without what follows."""
    first, second = clause.words[0], clause.words[1]
    if first not in _LEANS or (first == "that" and second in AUXILIARIES):
        return False
    return not (first in _SELF_STANDING and (clause.commas or len(clause.words) > 12))


def _padding(words: list[str]) -> int:
    pairs = sum(f"{a} {b}" in _PADDING for a, b in pairwise(words))
    return pairs + words.count("like") // 2


def edge(position: int, segments: int) -> float:
    """What the ends of a meeting are worth: people arrive, greet, set up, wrap up and leave."""
    if segments < 40:
        return 1.0
    at = position / segments
    return 0.7 if at < 0.02 or at > 0.98 else 0.85 if at < 0.05 or at > 0.95 else 1.0


def density(heard: list[Heard], centrality: list[float], segments: int) -> list[float]:
    """For each segment, how much on topic the talk around it is: 0.8 to 1.2 of the usual."""
    central = [0.0] * (segments + 1)
    words = [0.0] * (segments + 1)
    for item, share in zip(heard, centrality, strict=True):
        central[item.position + 1] += share
        words[item.position + 1] += len(item.clause.words)
    central, words = list(accumulate(central)), list(accumulate(words))
    usual = central[-1] / words[-1] if words[-1] else 1.0
    around = []
    for i in range(segments):
        first, last = max(0, i - NEAR), min(segments, i + NEAR + 1)
        said = words[last] - words[first]
        here = (central[last] - central[first]) / said if said else 0.0
        around.append(min(1.2, max(0.8, here / usual)) if usual else 1.0)
    return around
