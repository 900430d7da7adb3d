"""The words of a message that are its sender's own, and quotes out of them."""

import re

from tidings.messages.quotes import own_words

LONGEST_READ = 4000
"""Characters of one message that are read: how somebody feels stands at the beginning."""
LONGEST_QUOTE = 240

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,60}"
    r"\b(?:instructions?|prompts?|rules|guidelines|previous|above)\b"
    r"|\b(?:mark|label|rate|score|classify|report|treat|rank) "
    r"(?!(?:was|is|were|are)\b)(?:\S+ ){0,6}(?:positive|negative|neutral|mixed)\b"
    r"|\bsystem prompt\b|\byou are (?:now )?an? (?:ai|assistant|language model)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")


def words_of(body: str) -> str:
    """The sender's own words, as far as they are read."""
    return own_words(body)[:LONGEST_READ]


def orders_its_reader(text: str) -> bool:
    """Whether it tells a model what to do, so that it is no evidence of how anybody feels."""
    return _ORDERS.search(text) is not None


def only_asks(text: str) -> bool:
    """Whether it begins with a question: "On Monday. And yours?" answers one first."""
    sentences = [part for part in _BREAK.split(text) if len(part.split()) > 1]
    return bool(sentences) and "?" in sentences[0]


def quote_of(text: str, *, asks: bool = False) -> str:
    """A sentence of the text, verbatim: the last that asks, else the longest of the first few."""
    sentences = [found for part in _BREAK.split(text) if (found := part.strip())]
    if not sentences:
        return ""
    asking = [s for s in sentences if "?" in s] if asks else []
    chosen: str = asking[-1] if asking else max(sentences[:3], key=len)
    if len(chosen) <= LONGEST_QUOTE:
        return chosen
    return chosen[:LONGEST_QUOTE].rsplit(" ", 1)[0]
