"""What tells how a short text feels: its words, pairs of words, what is denied, and its marks."""

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


def feeling_features(tokens: list[str]) -> list[str]:
    """The features of one text; the classifier is trained on exactly these."""
    features = list(dict.fromkeys(tokens))
    previous = "^"
    reach = 0
    good = bad = 0.0
    force = 1.0
    words = 0
    first = ""
    for token in tokens:
        features.append(f"{previous} {token}")
        previous = token
        if token[0] in _STOPS:
            reach = 0
            continue
        words += 1
        first = first or token
        grade = GRADES.get(token)
        if grade is not None and token not in NEGATIONS:
            value = grade * force * (_TURNED if reach else 1.0)
            if value > 0:
                good += value
            else:
                bad -= value
        if reach:
            features.append("¬" + token)
            reach -= 1
        if token in NEGATIONS:
            reach = _REACH
        force = _STRONGER if token in STRONGER else _WEAKER if token in WEAKER else 1.0
    features.append(previous + " $")
    return features + _shape(first, words, good, bad, tokens)


def _shape(first: str, words: int, good: float, bad: float, tokens: list[str]) -> list[str]:
    """What the text is like as a whole: how long, how marked, and what the lexicon says of it."""
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
