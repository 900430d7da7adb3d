"""What single messages are: how they feel, and whether they ask, request, decide or promise."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from tidings.ai.engines.local.feelings import feeling_features
from tidings.ai.engines.local.language import is_foreign
from tidings.ai.engines.local.linear import load, shares
from tidings.ai.engines.local.questions import asks
from tidings.ai.engines.local.requests import is_request
from tidings.ai.engines.local.sentences import sentences
from tidings.ai.engines.local.speech_acts import decides, plain_words, promises
from tidings.ai.engines.local.tokens import tokens

Sentiment = Literal["positive", "neutral", "negative"]
_ASKS = frozenset("? ?? !?".split())
_MARKS = frozenset("! !! . ... , ,,".split()) | _ASKS
_LINGERS = 0.5  # how much of the speaker's mood before carries over
_REMEMBERED = 20  # messages of the context that are read


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
    how its own speaker's next ones are felt to be, a little, and nothing that anybody else said.
    """
    moods: dict[str, float] = {}
    for one in before[-_REMEMBERED:]:
        mood = moods.get(one.speaker, 0.0)
        moods[one.speaker] = _feeling(tokens(one.text), mood)[1]
    found: list[Utterance] = []
    for one in said:
        read = _read(one.text, moods.get(one.speaker, 0.0))
        moods[one.speaker] = read.score
        found.append(read)
    return found


def _read(text: str, mood: float) -> Utterance:
    words = tokens(text)
    sentiment, score = _feeling(words, mood)
    if is_foreign(words):
        return Utterance(sentiment, score, not _ASKS.isdisjoint(words), False, False, False)
    asking = load("requests")
    question = request = decision = promise = False
    for sentence in sentences(words):
        plain = plain_words(sentence)
        settles, takes_on = decides(plain), promises(plain)
        question = question or asks(sentence)
        request = request or is_request(asking, sentence, own=settles or takes_on)
        decision = decision or settles
        promise = promise or takes_on
    return Utterance(sentiment, score, question, request, decision, promise)


def _feeling(words: list[str], mood: float) -> tuple[Sentiment, float]:
    """The most probable sentiment and the score, positive less negative.

    Of another language only what all have in common is read: faces and the like.
    """
    if is_foreign(words):
        words = [word for word in words if not word.isalnum()]
        if _MARKS.issuperset(words):
            return "neutral", 0.0
    if not words:
        return "neutral", 0.0
    bad, good = load("sentiment").scores(feeling_features(words))
    negative, positive = shares(bad - _LINGERS * mood, good + _LINGERS * mood)
    score = round(positive - negative, 3)
    if max(negative, positive) <= 1 - negative - positive or not score:
        return "neutral", score
    return ("positive" if score > 0 else "negative"), score
