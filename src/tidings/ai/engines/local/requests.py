"""What tells that a sentence asks somebody to do something."""

_OPENING = 3


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
