"""What tells that a sentence asks somebody to do something."""

from tidings.ai.engines.local.linear import Linear, probability

ASKED = 0.45
"""The probability from which a sentence is a request: where F1 was best in cross-validation."""
_OPENING = 3


def is_request(model: Linear, sentence: list[str]) -> bool:
    """Whether the classifier takes a sentence for a request."""
    return probability(model.score(request_features(sentence))) >= ASKED


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
