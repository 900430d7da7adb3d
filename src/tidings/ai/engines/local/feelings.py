"""What tells how a short text feels: its words, pairs of words, what is denied, and its marks."""

from typing import Literal

from tidings.ai.engines.local.lexicon.feelings import GRADES, NEGATIONS, STRONGER, WEAKER
from tidings.ai.engines.local.words import word_set

_REACH = 4  # words that a "not" turns
_TURNED = -0.6  # "not great" is less bad than "great" is good
_STRONGER, _WEAKER = 1.4, 0.6
_ASKS = word_set("what who where when why how which whose what's who's where's how's")
_DOES = word_set(
    "do does did is are was were can could will would shall have has had should am may"
)
_STOPS = frozenset("!?.,")


_PLAIN = 0.5  # a mood of the lexicon nearer to 0 is neutral


def feeling_features(tokens: list[str]) -> list[str]:
    """The features of one text; the classifier is trained on exactly these."""
    features = list(dict.fromkeys(tokens))
    previous = "^"
    reach = words = 0
    first = ""
    for token in tokens:
        features.append(f"{previous} {token}")
        previous = token
        if token[0] in _STOPS:
            reach = 0
            continue
        words += 1
        first = first or token
        if reach:
            features.append("¬" + token)
            reach -= 1
        if token in NEGATIONS:
            reach = _REACH
    features.append(previous + " $")
    return features + _shape(first, words, tokens)


def lexicon_mood(tokens: list[str]) -> Literal["positive", "neutral", "negative"]:
    """How a text feels by the lexicon alone: the baseline that the classifier has to beat."""
    good, bad = _weigh(tokens)
    mood = good - bad
    return "positive" if mood >= _PLAIN else "negative" if mood <= -_PLAIN else "neutral"


def feels(tokens: list[str]) -> bool:
    """Whether the lexicon has one of the words as a plain one of feeling."""
    return any(abs(GRADES.get(token, 0.0)) >= 1 for token in tokens)


def _weigh(tokens: list[str]) -> tuple[float, float]:
    """What the lexicon says for and against: grades, turned by a "not" and made more or less."""
    good = bad = 0.0
    reach = 0
    force = 1.0
    for token in tokens:
        if token[0] in _STOPS:
            reach = 0
            continue
        negates = token in NEGATIONS
        grade = None if negates else GRADES.get(token)
        if grade is not None:
            value = grade * force * (_TURNED if reach else 1.0)
            good, bad = (good + value, bad) if value > 0 else (good, bad - value)
        reach = _REACH if negates else max(0, reach - 1)
        force = _STRONGER if token in STRONGER else _WEAKER if token in WEAKER else 1.0
    return good, bad


def _shape(first: str, words: int, tokens: list[str]) -> list[str]:
    """What the text is like as a whole: how long, how marked, and what the lexicon says of it."""
    good, bad = _weigh(tokens)
    asks = "?" in tokens or "??" in tokens or "!?" in tokens
    cries = "!" in tokens or "!!" in tokens or "!?" in tokens
    mood = round(good - bad)
    side = "+" if mood > 0 else "-" if mood < 0 else "0"
    marks = ("q" if asks else "") + ("e" if cries else "")
    long = "s" if words < 4 else "m" if words < 12 else "l"
    opens = "w" if first in _ASKS else "a" if first in _DOES else "o"
    return [
        f"#good{min(6, round(good))}",
        f"#bad{min(6, round(bad))}",
        f"#mood{max(-5, min(5, mood))}",
        f"#size{min(7, words.bit_length())}",
        f"#marks{marks}",
        f"#marks{marks}{long}",
        f"#{side}{marks}",
        f"#{side}{long}",
        f"#{opens}{marks}{side}",
    ]
