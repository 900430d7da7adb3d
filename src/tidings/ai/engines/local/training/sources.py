"""The labelled data that the classifiers are trained on, as published; see the folder's README.

Nothing below `grading/` is read here: it grades, and is never trained on.
"""

import json
from importlib.resources import files
from pathlib import Path

from tidings.ai.engines.local.feelings import feels
from tidings.ai.engines.local.replies import is_notice
from tidings.ai.engines.local.tokens import tokens
from tidings.ai.engines.local.training.chat import days
from tidings.ai.engines.local.words import word_set

RATED = ("tweets", "amazonReviewSnippets", "movieReviewSnippets")
NEUTRAL, NEGATIVE, POSITIVE = 0, 1, 2
_MARKS = {"0": NEUTRAL, "-": NEGATIVE, "+": POSITIVE}
_CUT = 0.5  # a mean rating nearer to 0 than this, of −4 to 4, is neutral
_FELT = word_set("""
thank_you greeting goodbye yes no maybe damaged_card lost_luggage report_fraud report_lost_card
tell_joke
""")


def rated(data: Path) -> list[tuple[list[str], int]]:
    """The VADER evaluation sets: texts in tokens with their class by mean rating."""
    found: list[tuple[list[str], int]] = []
    for name in RATED:
        file = data / "sentiment" / f"{name}_GroundTruth.txt"
        for line in file.read_text("utf-8").splitlines():
            _, rating, text = line.split("\t", 2)
            found.append((tokens(text), _class(float(rating))))
    return found


def _class(rating: float) -> int:
    return POSITIVE if rating > _CUT else NEGATIVE if rating < -_CUT else NEUTRAL


def talk() -> list[tuple[list[str], int]]:
    """The project's own sentences of talk with their class."""
    text = files(__package__).joinpath("talk.txt").read_text("utf-8")
    return [(tokens(line[2:]), _MARKS[line[0]]) for line in text.splitlines() if line[0] in _MARKS]


def own_asks() -> list[tuple[str, int]]:
    """The project's own sentences of work: 1 for those that ask somebody to do something."""
    text = files(__package__).joinpath("asks.txt").read_text("utf-8")
    return [(line[2:], int(line[0] == "+")) for line in text.splitlines() if line[0] in _MARKS]


def plain_queries(data: Path) -> list[list[str]]:
    """What people ask an assistant (CLINC150), in tokens, without what is meant kindly or hurts."""
    file = data / "intents" / "clinc150-train-val.json"
    pairs = json.loads(file.read_text("utf-8"))["train"]
    return [tokens(text) for text, intent in pairs if intent not in _FELT]


def plain_chat(data: Path) -> list[list[str]]:
    """Messages of the chat logs, in tokens, that the lexicon finds nothing in and nobody cries."""
    said = (tokens(one.text) for day in days(data) for one in day.said if not is_notice(one))
    return [words for words in said if words and not feels(words) and "!" not in words]


def plain_mail(data: Path) -> list[list[str]]:
    """Sentences of e-mails, in tokens, that the lexicon finds nothing in and nobody cries."""
    said = (tokens(text) for text, _ in asked(data))
    return [words for words in said if words and not feels(words) and "!" not in words]


def asked(data: Path) -> list[tuple[str, int]]:
    """The Parakweet sentences of e-mails: 1 for a request or a commitment, else 0."""
    lines = (data / "requests" / "parakweet-train.txt").read_text("utf-8").splitlines()
    parts = (line.partition("\t") for line in lines)
    return [(text, int(label == "Yes")) for label, _, text in parts]
