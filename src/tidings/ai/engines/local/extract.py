"""STANDIN until the merge: sentences that summarise. The engine's own replaces it."""

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from tidings.ai.engines.local.utterances import Said

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_WORD = re.compile(r"[^\W\d_]{4,}")


class Picked(msgspec.Struct, frozen=True):
    """A sentence; `text` is a verbatim part of `said[index].text`."""

    index: int
    text: str
    score: float


def pick(said: Sequence[Said], most: int = 3) -> list[Picked]:
    """The sentences that summarise, in the conversation's order."""
    counts = Counter(word for one in said for word in set(_WORD.findall(one.text.lower())))
    found = [
        Picked(n, text, _score(text, counts))
        for n, one in enumerate(said)
        for match in _SENTENCE.finditer(one.text)
        if len((text := match.group().strip()).split()) >= 4
    ]
    best = sorted(range(len(found)), key=lambda n: (-found[n].score, n))[:most]
    return [found[n] for n in sorted(best)]


def _score(text: str, counts: Counter[str]) -> float:
    words = set(_WORD.findall(text.lower()))
    return sum(counts[word] for word in words) / (len(words) + 2)
