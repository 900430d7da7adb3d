"""The request classifier: trained on sentences of e-mails, and some of our own."""

from pathlib import Path

from tidings.ai.engines.local.linear import Linear
from tidings.ai.engines.local.requests import is_request, request_features
from tidings.ai.engines.local.sentences import sentences
from tidings.ai.engines.local.speech_acts import decides, plain_words, promises
from tidings.ai.engines.local.tokens import tokens
from tidings.ai.engines.local.training.fit import Example, Rates, fit
from tidings.ai.engines.local.training.folds import folds
from tidings.ai.engines.local.training.scores import Classes, classes
from tidings.ai.engines.local.training.sources import asked, own_asks

_RATES = Rates(alpha=0.3, l1=1.0, passes=6, least=2)
_FOLDS = 5
_OWN = 1.0  # how much a sentence of ours counts beside one of the mails

ABOUT = (
    "Whether a sentence asks for something: feature, hundredths.",
    "Made by `tidings-train` from EmailIntentDataSet (Parakweet, Apache-2.0) and asks.txt (ours).",
)


def train(data: Path) -> Linear:
    """The classifier made of everything."""
    return _fit(asked(data))


def cross_validate(data: Path) -> Classes:
    """Each part graded, as messages are read, by what the other parts teach."""
    right: list[str] = []
    given: list[str] = []
    for held, rest in folds(asked(data), _FOLDS):
        model = _fit(rest)
        for text, label in held:
            found = any(_asks(model, sentence) for sentence in sentences(tokens(text)))
            right.append("request" if label else "other")
            given.append("request" if found else "other")
    return classes(right, given)


def _asks(model: Linear, sentence: list[str]) -> bool:
    plain = plain_words(sentence)
    return is_request(model, sentence, own=decides(plain) or promises(plain))


def _fit(labelled: list[tuple[str, int]]) -> Linear:
    """Ours are always learned from, and never graded."""
    given = [*((text, label, 1.0) for text, label in labelled)]
    given += [(text, label, _OWN) for text, label in own_asks()]
    examples = [
        Example(request_features(tokens(text)), label, weight) for text, label, weight in given
    ]
    return fit(examples, 1, _RATES)
