"""The labelled data that the classifiers are trained on, as published; see the folder's README.

Nothing below `grading/` is read here: it grades, and is never trained on.
"""

from importlib.resources import files
from pathlib import Path

from tidings.ai.engines.local.tokens import tokens

RATED = ("tweets", "amazonReviewSnippets", "movieReviewSnippets")
NEUTRAL, NEGATIVE, POSITIVE = 0, 1, 2
_MARKS = {"0": NEUTRAL, "-": NEGATIVE, "+": POSITIVE}
_CUT = 0.5  # a mean rating nearer to 0 than this, of −4 to 4, is neutral


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


def asked(data: Path) -> list[tuple[str, int]]:
    """The Parakweet sentences of e-mails: 1 for a request or a commitment, else 0."""
    lines = (data / "requests" / "parakweet-train.txt").read_text("utf-8").splitlines()
    parts = (line.partition("\t") for line in lines)
    return [(text, int(label == "Yes")) for label, _, text in parts]
