"""Whether a line can be understood without the one before it."""

import re

LEANING = 0.5  # what a line keeps whose subject was named before it
POINTING = 0.75  # "that number …": it points back, yet says at what

_BEFORE = (
    r"(?:(?:if|when|because|once|unless|since|until|and|but|so|then|now|also|maybe|perhaps|well|"
    r"i think|i believe|i guess|i feel|of course) )*"
)
_DOES = (
    r"(?:is|are|was|were|has|have|had|will|would|can|could|should|may|might|must|does|do|did|"
    r"means|makes|made|needs|takes|comes|goes|works|sounds|looks|seems|depends|happens|also|just|"
    r"really|probably|still|not|gets|got|helps|gives|only|then|all)"
)
_HARD = (
    r"(?:important|clear|hard|difficult|easy|easier|harder|possible|impossible|better|best|worth|"
    r"essential|vital|true|likely|unlikely|necessary|crucial|critical|good|great|nice|useful|"
    r"helpful|sensible|interesting|time|fair|obvious|undeniable|cheaper|wise|dangerous)"
)
_SUBJECT = re.compile(
    rf"{_BEFORE}(?:(?:they|he|she|them|it|those are|these are|both of them|neither)\b|"
    rf"(?:this|that|these|those) {_DOES}\b)"
)
# "It is important that …" stands for what follows; so does "this is what we want: …".
_STANDS_FOR = re.compile(
    rf"{_BEFORE}(?:it (?:\w+ ){{1,3}}?{_HARD}\b(?: (?:for|of) (?:\w+ ){{1,4}}?)? ?(?:\w+ )?"
    r"(?:to|that|if|when)\b|it (?:takes|took|costs) (?:us|me|them|the|\w+ \w+ to)\b|"
    r"(?:this|that) is the (?:first|only|biggest|main) \w+)"
)
_ANNOUNCES = re.compile(rf"{_BEFORE}(?:this|that) is (?:what|how|where)\b")
_POINTS = re.compile(rf"{_BEFORE}(?:that|those|such) (?!who|of|which|we|i|you|they|the)\w+")


def standing_alone(words: str, *, announces: bool = False) -> float:
    """From 0 to 1: whether the line says itself what it is about.

    `words` are its plain words joined by blanks. With `announces` a pause follows its opening, so
    that "this is what I want" is told by what comes after it.
    """
    if _SUBJECT.match(words) is not None:
        if _STANDS_FOR.match(words) is not None or (announces and _ANNOUNCES.match(words)):
            return 1.0
        return LEANING
    return POINTING if _POINTS.match(words) is not None else 1.0
