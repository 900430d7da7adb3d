"""What a conversation is about: its key phrases, and which messages speak of each."""

from collections.abc import Sequence
from math import exp

import msgspec

from tidings.ai.engines.local.clauses import clauses
from tidings.ai.engines.local.nouns import singular
from tidings.ai.engines.local.phrases import key_phrases
from tidings.ai.engines.local.reading import Phrase
from tidings.ai.engines.local.speech import Heard
from tidings.ai.engines.local.tokens import without_links
from tidings.ai.engines.local.utterances import Said
from tidings.ai.engines.local.words import GENERAL

_MANY = 50  # messages, of which a topic is named twice at least


class Topic(msgspec.Struct, frozen=True):
    """A topic by its most usual form, how sure it is (0 to 1), and which messages speak of it."""

    name: str
    confidence: float
    indexes: list[int]


def topics(said: Sequence[Said], most: int = 8) -> list[Topic]:
    """The topics of the messages, at most `most`, best first. Names of the speakers are none."""
    heard = [
        Heard(i, str(i), one.text, clause)
        for i, one in enumerate(said)
        for clause in clauses(without_links(one.text))
        if clause.words
    ]
    names = frozenset(word for one in said for word in one.speaker.lower().split())
    found: list[Topic] = []
    taken: list[frozenset[str]] = []
    for phrase in key_phrases(heard, names, 2 if len(said) >= _MANY else 1):
        words = frozenset(map(singular, phrase.key.split()))
        if len(found) >= most:
            break
        if any(not (words & other) <= GENERAL or words <= other for other in taken):
            continue
        taken.append(words)
        found.append(Topic(phrase.topic, _confidence(phrase), list(phrase.segments)))
    return found


def _confidence(phrase: Phrase) -> float:
    """Higher for what many messages say, and for phrases over single words; never quite 1."""
    return round(1 - exp(-phrase.score / 3), 3)
