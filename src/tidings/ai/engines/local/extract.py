"""The sentences that sum a conversation up, word for word."""

import re
from collections import Counter
from collections.abc import Sequence
from math import log

import msgspec

from tidings.ai.engines.local.utterances import Said
from tidings.ai.engines.local.words import FUNCTION

_SENTENCE = re.compile(r"\S.*?(?:[.!?…]+(?=\s|$)|$)", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


class Picked(msgspec.Struct, frozen=True):
    """A verbatim part of `said[index].text`, with how much it says of the whole."""

    index: int
    text: str
    score: float


def pick(said: Sequence[Said], most: int = 3) -> list[Picked]:
    """The sentences that summarise, at most `most`, in the conversation's order."""
    options = [
        (i, match.group()) for i, one in enumerate(said) for match in _SENTENCE.finditer(one.text)
    ]
    words = [
        [w for w in map(str.lower, _WORD.findall(text)) if w not in FUNCTION] for _, text in options
    ]
    counts = Counter(w for one in words for w in set(one))
    scores = [sum(log(1 + counts[w]) for w in set(one)) for one in words]
    best = sorted(range(len(options)), key=lambda n: (-scores[n], n))[: max(0, most)]
    return [
        Picked(options[n][0], options[n][1], round(scores[n], 4))
        for n in sorted(best)
        if scores[n] > 0
    ]
