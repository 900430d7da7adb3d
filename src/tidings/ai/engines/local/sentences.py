"""Sentences of a text already in tokens."""

_ENDS = frozenset("! ? . !! ?? !? ...".split())


def sentences(tokens: list[str]) -> list[list[str]]:
    """The tokens, cut after each mark that ends a sentence; a cut of marks alone goes with it."""
    found: list[list[str]] = []
    sentence: list[str] = []
    for token in tokens:
        sentence.append(token)
        if token in _ENDS:
            if len(sentence) > 1 or not found:
                found.append(sentence)
            else:
                found[-1].append(token)
            sentence = []
    if sentence:
        found.append(sentence)
    return found
