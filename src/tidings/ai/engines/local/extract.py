"""The sentences that sum a conversation up, word for word."""

import re
from collections import Counter
from collections.abc import Sequence
from math import log1p

import msgspec

from tidings.ai.engines.local.utterances import Said
from tidings.ai.engines.local.words import FUNCTION

_EARLY = 0.5  # what the first message gains over the last
_REPEATED = 0.7  # what a sentence loses whose words were all told
_SENTENCE = re.compile(r"\S.{0,600}?(?:[.!?…]+(?=\s|$)|$)|\S.{0,600}", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


class _Option(msgspec.Struct, frozen=True):
    """A sentence that can be picked, and its words of content."""

    index: int
    text: str
    words: frozenset[str]


class Picked(msgspec.Struct, frozen=True):
    """A verbatim part of `said[index].text`, with how much it says of the whole."""

    index: int
    text: str
    score: float


def pick(said: Sequence[Said], most: int = 3) -> list[Picked]:
    """The sentences that summarise, at most `most`, in the conversation's order.

    A sentence is worth the words that the conversation comes back to, a little more near its
    beginning, and less for what the sentences picked before it say already.
    """
    options = [
        _Option(i, match.group(), _content(match.group()))
        for i, one in enumerate(said)
        for match in _SENTENCE.finditer(one.text)
    ]
    seen = Counter(word for option in options for word in option.words)
    worth = [_worth(option, seen, len(said)) for option in options]
    chosen: dict[int, float] = {}
    told: set[str] = set()
    for _ in range(min(most, len(options))):
        best, score = -1, 0.0
        for n, option in enumerate(options):
            if worth[n] > score and n not in chosen:
                new = worth[n] * (1 - _REPEATED * len(option.words & told) / len(option.words))
                if new > score:
                    best, score = n, new
        if best < 0:
            break
        chosen[best] = score
        told |= options[best].words
    return [Picked(options[n].index, options[n].text, round(chosen[n], 4)) for n in sorted(chosen)]


def _content(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text.lower()) if word not in FUNCTION)


def _worth(option: _Option, seen: Counter[str], messages: int) -> float:
    early = 1 + _EARLY * (1 - option.index / messages)
    return sum(sorted(log1p(seen[word]) for word in option.words)) * early
