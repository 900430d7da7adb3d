"""Which words name things: shown by the words beside them in the meeting, without a tagger.

After "the" or before "of" a word names; after "to" or "we" it does; between "the" and a name it
describes.
"""

from collections import defaultdict
from functools import lru_cache

import msgspec

from tidings.ai.engines.local.speech import Heard
from tidings.ai.engines.local.words import (
    ADJECTIVES,
    DETERMINERS,
    MODALS,
    PREPOSITIONS,
    PRONOUNS,
    TOPICAL_VERBS,
    UNFIT,
    word_set,
)

_BEFORE_DOES = (MODALS | PRONOUNS) - {"this", "that", "these", "those"} | {"not", "please"}
_AFTER_DOES = DETERMINERS | {"it", "them", "us", "me", "him", "her", "up", "down", "out"}
_BEFORE_QUALITY = word_set("is are was were be very really more so too quite pretty")
_NOT_LAST = ("ed", "ly", "ous", "ful", "less", "ical", "able", "ible", "ive", "ally")
DESPITE_ENDING = word_set("""
table cable speed need seed feed bed vegetable variable vehicle archive drive objective
representative initiative executive alternative motive detective deed family supply assembly
reply monopoly anomaly butterfly hourly daily weekly monthly quarterly yearly
""")


@lru_cache(maxsize=16384)
def singular(word: str) -> str:
    """The singular of a regular plural, else the word."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "ous", "'s")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


class Uses(msgspec.Struct):
    """How often a word was seen naming, describing what follows, or doing (or being said of)."""

    names: float = 0.0
    describes: float = 0.0
    does: float = 0.0


def word_uses(heard: list[Heard]) -> dict[str, Uses]:
    """What each word shows itself to be, by the words beside it."""
    uses: defaultdict[str, Uses] = defaultdict(Uses)
    for item in heard:
        words = item.clause.words
        last = ""
        for i, word in enumerate(words):
            if word not in UNFIT:
                following = words[i + 1] if i + 1 < len(words) else ""
                _count(uses[word], word, last, following)
            last = word
    return uses


def _count(use: Uses, word: str, last: str, following: str) -> None:
    modifies = bool(following) and following not in UNFIT and following not in ADJECTIVES
    if last in _BEFORE_DOES or last in _BEFORE_QUALITY:
        use.does += 1
    elif last in DETERMINERS or last in ADJECTIVES:
        if modifies:
            use.describes += 1
        else:
            use.names += 1
    elif last in PREPOSITIONS and not word.endswith("ing"):
        use.names += 0 if modifies else 1
    elif following == "of":
        use.names += 1
    elif following in _AFTER_DOES:
        use.does += last in UNFIT
    elif last and last not in UNFIT and not modifies:
        use.names += 1


def is_first(word: str, uses: dict[str, Uses]) -> bool:
    """Whether a phrase of several words may start with the word."""
    use = uses[word]
    good = use.names + use.describes
    if word in TOPICAL_VERBS or word.endswith(("ing", "ed")):
        return good > use.does
    return good + 1 >= use.does


def is_last(word: str, uses: dict[str, Uses]) -> bool:
    """Whether a phrase may end on the word."""
    if word in ADJECTIVES or len(word) < 2:
        return False
    if word.endswith(_NOT_LAST) and word not in DESPITE_ENDING:
        return False
    use = uses[word]
    if word in TOPICAL_VERBS or word.endswith("ing"):
        return use.names > 1.5 * use.does
    return use.names + 1 > use.does


def is_alone(word: str, uses: dict[str, Uses]) -> bool:
    """Whether the word names something by itself, and does not only describe."""
    use = uses[word]
    if "-" in word:  # a compound, that names: "cut-off", "write-up"
        return use.names >= 2.0 and use.names > use.does
    return use.names >= max(2.0, 1.5 * use.does) and use.names >= 0.5 * use.describes
