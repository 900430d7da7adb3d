"""The sentiment classifier: trained on the project's own talk and on rated snippets."""

import random
from collections.abc import Sequence
from pathlib import Path

from tidings.ai.engines.local.feelings import feeling_features
from tidings.ai.engines.local.linear import Linear
from tidings.ai.engines.local.training.fit import SEED, Example, Rates, fit
from tidings.ai.engines.local.training.folds import folds
from tidings.ai.engines.local.training.scores import Classes, classes
from tidings.ai.engines.local.training.sources import (
    NEUTRAL,
    plain_chat,
    plain_mail,
    plain_queries,
    rated,
    talk,
)

NAMES = ("neutral", "negative", "positive")
_QUERIES, _CHAT = 4000, 3000  # messages taken to be neutral, of each kind
_PLAIN = 0.5  # how much each of them counts: nobody has labelled them
_MAIL = 1.0  # and a plain sentence of an e-mail, which is written with more care
_TALK = 20.0  # how much a sentence of talk counts beside a snippet of a review
_RATES = Rates(alpha=0.3, l1=4.0, passes=6, least=3)
_FOLDS = 4

ABOUT = (
    "Sentiment of a short text: feature, hundredths for negative, for positive (neutral is 0).",
    "Made by `tidings-train` from talk.txt (ours) and the evaluation sets of VADER",
    "(Hutto & Gilbert 2014, MIT): tweets, Amazon and movie review snippets; taken to be neutral:",
    "queries of CLINC150 (CC BY 3.0), plain messages of irc-disentanglement (CC BY 4.0), and plain",
    "sentences of EmailIntentDataSet (Parakweet, Apache-2.0).",
)


def train(data: Path) -> Linear:
    """The classifier made of everything."""
    return fit([*_around(data), *_talk()], 2, _RATES)


def cross_validate(data: Path) -> Classes:
    """Each part of the talk graded by what the other parts and all else teach."""
    around, said = _around(data), _talk()
    right: list[str] = []
    given: list[str] = []
    for held, rest in folds(said, _FOLDS):
        model = fit([*around, *rest], 2, _RATES)
        right += [NAMES[one.target] for one in held]
        given += [_most(model, one.features) for one in held]
    return classes(right, given)


def _most(model: Linear, features: Sequence[str]) -> str:
    scores = (0.0, *model.scores(features))
    return NAMES[scores.index(max(scores))]


def _around(data: Path) -> list[Example]:
    """All but our own talk: the rated snippets, and messages that are taken to be neutral."""
    draw = random.Random(SEED)  # noqa: S311, a sample that can be had again
    queries, chat = plain_queries(data), plain_chat(data)
    plain = [
        *draw.sample(queries, min(_QUERIES, len(queries))),
        *draw.sample(chat, min(_CHAT, len(chat))),
    ]
    return [
        *(Example(feeling_features(words), target) for words, target in rated(data)),
        *(Example(feeling_features(words), NEUTRAL, _PLAIN) for words in plain),
        *(Example(feeling_features(words), NEUTRAL, _MAIL) for words in plain_mail(data)),
    ]


def _talk() -> list[Example]:
    return [Example(feeling_features(words), target, _TALK) for words, target in talk()]
