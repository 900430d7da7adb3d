"""Whether a sentence asks: by its mark, or by how it is built where nobody types one."""

import re

from tidings.ai.engines.local.words import word_set

_MARKS = frozenset(("?", "??", "!?"))
_OPENERS = word_set("""
so and but well ok okay hey hi hello hmm um uh oh also then now guys all folks everyone everybody
please , btw right alright anyway sorry ah
""")
_STRUCTURE = re.compile(
    r"(?:"
    r"(?:what|where|when|why|how|who|which|whose)(?: (?:\w+))?"
    r" (?:is|are|was|were|do|does|did|can|could|should|would|will|has|have|am)\b"
    r"|(?:what's|where's|who's|how's|when's|what're)\b"
    r"|how (?:do|does|did|can|could|should|would|to|come|about|many|much|long|often|far)\b"
    r"|what (?:about|if|kind|time|sort)\b|why (?:not|don't|doesn't|isn't|can't|won't)\b"
    r"|(?:do|does|did|is|are|was|were|can|could|will|would|should|has|have|had|may|shall)(?:n't)?"
    r" (?:i|you|we|they|he|she|it|there|this|that|these|those|anyone|anybody|someone|somebody|"
    r"any|the|my|your|our)\b"
    r"|any(?:one|body) (?:know|knows|here|using|use|used|have|has|had|tried|got|else|able|seen|"
    r"help|want|up|willing|got)\b"
    r"|any (?:idea|ideas|news|update|updates|chance|suggestions|thoughts|way|luck|help|reason)\b"
    r")"
)
_WITHIN = re.compile(
    r"\b(?:(?:i am|i'm|i was|just|been) wondering|wonder if|do you know|does anyone|does anybody|"
    r"anyone know|anybody know|can (?:you|someone|anyone) tell|"
    r"any idea (?:how|why|what|where|if))\b"
)
_NOT = re.compile(r"^(?:what a|how (?:nice|cute|sweet|lovely|awful)|have (?:a|fun)|do not|don't)\b")


def asks(sentence: list[str]) -> bool:
    """Whether the tokens of one sentence are a question."""
    if not _MARKS.isdisjoint(sentence[-2:]):
        return True
    start = 0
    while start < len(sentence) and sentence[start] in _OPENERS:
        start += 1
    if len(sentence) - start < 2:
        return False
    text = " ".join(sentence[start : start + 40])
    if _STRUCTURE.match(text) is not None:
        return _NOT.match(text) is None and "?" not in text
    return _WITHIN.search(text) is not None
