"""Stand-in until the merge: what messages speak of, by their frequent long words."""

import re
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from tidings.ai.engines.local.utterances import Said

_WORD = re.compile(r"[a-z]{6,}")
_COMMON = {"please", "thanks", "really", "should", "people", "before", "always", "friday"}


class Topic(msgspec.Struct, frozen=True):
    """A topic and the messages that speak of it; `confidence` from 0 to 1."""

    name: str
    confidence: float
    indexes: list[int]


def topics(said: Sequence[Said], most: int = 8) -> list[Topic]:
    """What the messages speak of, the surest first."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(said):
        for word in sorted(set(_WORD.findall(one.text.lower())) - _COMMON):
            found[word].append(index)
    named = [Topic(name, min(1.0, 0.4 + 0.1 * len(at)), at) for name, at in found.items()]
    return sorted(named, key=lambda topic: (-len(topic.indexes), topic.name))[:most]
