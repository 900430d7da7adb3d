"""The sentiment classifier: trained on the project's own talk and on rated snippets."""

from collections.abc import Sequence
from pathlib import Path

from tidings.ai.engines.local.feelings import feeling_features
from tidings.ai.engines.local.linear import Linear
from tidings.ai.engines.local.training.fit import Example, Rates, fit
from tidings.ai.engines.local.training.folds import folds
from tidings.ai.engines.local.training.scores import Classes, classes
from tidings.ai.engines.local.training.sources import rated, talk

NAMES = ("neutral", "negative", "positive")
_TALK = 20.0  # how much a sentence of talk counts beside a snippet of a review
_RATES = Rates(alpha=0.3, l1=4.0, passes=6, least=3)
_FOLDS = 4

ABOUT = (
    "Sentiment of a short text: feature, hundredths for negative, for positive (neutral is 0).",
    "Made by `tidings-train` from talk.txt (ours) and the evaluation sets of VADER",
    "(Hutto & Gilbert 2014, MIT): tweets, Amazon and movie review snippets.",
)


def train(data: Path) -> Linear:
    """The classifier made of everything."""
    return fit([*_snippets(data), *_talk()], 2, _RATES)


def cross_validate(data: Path) -> Classes:
    """Each part of the talk graded by what the other parts and all snippets teach."""
    snippets, said = _snippets(data), _talk()
    right: list[str] = []
    given: list[str] = []
    for held, rest in folds(said, _FOLDS):
        model = fit([*snippets, *rest], 2, _RATES)
        right += [NAMES[one.target] for one in held]
        given += [_most(model, one.features) for one in held]
    return classes(right, given)


def _most(model: Linear, features: Sequence[str]) -> str:
    scores = (0.0, *model.scores(features))
    return NAMES[scores.index(max(scores))]


def _snippets(data: Path) -> list[Example]:
    return [Example(feeling_features(words), target) for words, target in rated(data)]


def _talk() -> list[Example]:
    return [Example(feeling_features(words), target, _TALK) for words, target in talk()]
