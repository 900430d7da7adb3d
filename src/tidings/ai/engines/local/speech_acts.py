"""Whether a sentence settles something or takes something on, by cues."""

import re

from tidings.ai.engines.local.lexicon.promises import DECISIONS, PROMISES
from tidings.ai.engines.local.lexicon.row import NAMED, Row

_CLITICS = {
    "'ll": ["will"],
    "'re": ["are"],
    "'ve": ["have"],
    "'m": ["am"],
    "'d": ["would"],
}
_SPOKEN = {
    "let's": ["let", "us"],
    "lets": ["let", "us"],
    "can't": ["can", "not"],
    "won't": ["will", "not"],
    "gonna": ["going", "to"],
    "gotta": ["have", "to"],
    "ill": ["i", "will"],
    "im": ["i", "am"],
    "it's": ["it", "is"],
    "that's": ["that", "is"],
    "cannot": ["can", "not"],
}


def plain_words(sentence: list[str]) -> list[str]:
    """The words of a sentence with contractions written out; marks only where they ask."""
    found: list[str] = []
    for token in sentence:
        if "'" not in token:
            if token in _SPOKEN:
                found += _SPOKEN[token]
            elif token[0].isalnum() or "?" in token:
                found.append(token)
        elif token in _SPOKEN:
            found += _SPOKEN[token]
        elif token.endswith("n't"):
            found += [token[:-3], "not"]
        else:
            base, _, tail = token.partition("'")
            found += [base, *_CLITICS.get("'" + tail, [])]
    return found


def decides(words: list[str]) -> bool:
    """Whether the plain words of one sentence settle something."""
    return _holds(words, _DECISIONS)


def promises(words: list[str]) -> bool:
    """Whether the plain words of one sentence take something on, for the speaker or their side."""
    return _holds(words, _PROMISES)


def _holds(words: list[str], cues: dict[str, list[re.Pattern[str]]]) -> bool:
    """A question settles nothing, and neither does an "if"."""
    if "?" in words or not words or words[0] in ("if", "when", "should", "unless"):
        return False
    text = ""
    for word in dict.fromkeys(words):
        patterns = cues.get(word)
        if patterns is not None:
            text = text or " ".join(words)
            if any(pattern.search(text) is not None for pattern in patterns):
                return True
    return False


def _index(rows: tuple[Row, ...]) -> dict[str, list[re.Pattern[str]]]:
    found: dict[str, list[re.Pattern[str]]] = {}
    for row in rows:
        pattern = row.pattern
        for name, meaning in NAMED.items():
            pattern = pattern.replace(name, meaning)
        for trigger in row.triggers.split():
            found.setdefault(trigger, []).append(re.compile(rf"\b(?:{pattern})"))
    return found


_DECISIONS = _index(DECISIONS)
_PROMISES = _index(PROMISES)
