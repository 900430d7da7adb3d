"""What single messages are: how they feel, and whether they ask, request, decide or promise."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from tidings.ai.engines.local.feelings import feeling_features
from tidings.ai.engines.local.linear import load, shares
from tidings.ai.engines.local.questions import asks
from tidings.ai.engines.local.requests import is_request
from tidings.ai.engines.local.sentences import sentences
from tidings.ai.engines.local.speech_acts import decides, plain_words, promises
from tidings.ai.engines.local.tokens import tokens

Sentiment = Literal["positive", "neutral", "negative"]
_LINGERS = 0.25  # how much of the mood before carries over


class Said(msgspec.Struct, frozen=True):
    """One message as it was sent."""

    speaker: str
    text: str
    at: datetime | None = None


class Utterance(msgspec.Struct, frozen=True):
    """What one message is. `score` goes from −1 to 1 and has the sign of `sentiment`."""

    sentiment: Sentiment
    score: float
    is_question: bool
    is_request: bool
    is_decision: bool
    is_commitment: bool


def read_utterances(said: Sequence[Said], before: Sequence[Said] = ()) -> list[Utterance]:
    """Reads each message in its context, one answer for each of `said`.

    `before` is what was said before the first, oldest first; it is context only. A message changes
    the reading of nothing but itself and, a little, how the very next ones feel.
    """
    mood = 0.0
    for one in before[-2:]:
        mood = _feeling(tokens(one.text), 0.0)[1]
    found: list[Utterance] = []
    for one in said:
        read, mood = _read(one.text, mood)
        found.append(read)
    return found


def _read(text: str, mood: float) -> tuple[Utterance, float]:
    words = tokens(text)
    sentiment, score = _feeling(words, mood)
    asking = load("requests")
    question = request = decision = promise = False
    for sentence in sentences(words):
        question = question or asks(sentence)
        request = request or is_request(asking, sentence)
        plain = plain_words(sentence)
        decision = decision or decides(plain)
        promise = promise or promises(plain)
    return Utterance(sentiment, score, question, request, decision, promise), score


def _feeling(words: list[str], mood: float) -> tuple[Sentiment, float]:
    """The most probable sentiment and the score, positive less negative."""
    if not words:
        return "neutral", 0.0
    bad, good = load("sentiment").scores(feeling_features(words))
    negative, positive = shares(bad - _LINGERS * mood, good + _LINGERS * mood)
    score = round(positive - negative, 3)
    if max(negative, positive) <= 1 - negative - positive or not score:
        return "neutral", score
    return ("positive" if score > 0 else "negative"), score
