"""What tells that a sentence asks somebody to do something."""

import re

from tidings.ai.engines.local.linear import Linear, probability

ASKED = 0.45
"""The probability from which a sentence is a request: where F1 was best in cross-validation."""
CLEARLY = 0.9
_OPENING = 3

# Courtesies that tell something, whatever the labels of mails say: nobody has to do anything.
_TELLS = re.compile(
    r"please (?:note|be (?:informed|advised|aware)|accept)\b"
    r"|please find\b.*\b(?:attached|enclosed|below|herewith)\b"
    r"|\b(?:attached|enclosed|below) (?:, )?please find\b"
)
_ALSO = re.compile(r"please .*please|let (?:me|us) know|\?")


def is_request(model: Linear, sentence: list[str], *, own: bool = False) -> bool:
    """Whether the classifier takes a sentence for a request.

    `own`: the sentence settles something or takes it on, so that it has to ask clearly as well.
    """
    if "please" in sentence:
        text = " ".join(sentence)
        if _TELLS.search(text) is not None and _ALSO.search(text) is None:
            return False
    return probability(model.score(request_features(sentence))) >= (CLEARLY if own else ASKED)


def request_features(sentence: list[str]) -> list[str]:
    """The features of one sentence; the classifier is trained on exactly these."""
    features = list(dict.fromkeys(sentence))
    previous = "^"
    for token in sentence:
        features.append(f"{previous} {token}")
        previous = token
    features.append(previous + " $")
    features.extend(["^" + token for token in sentence[:_OPENING]])
    features.append(f"#size{min(6, len(sentence).bit_length())}")
    return features
