"""The words of a message that are its sender's own, and quotes out of them."""

import re

LONGEST_READ = 4000
"""Characters of one message that are read: how somebody feels stands at the beginning."""
LONGEST_QUOTE = 240

_REPLY_HEAD = re.compile(r"^(On .{4,200} wrote:|-{2,}\s*Original Message\s*-{2,}|From: .+)$")
_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")


def own_words(body: str) -> str:
    """The body without what it quotes of an earlier one; the lines that stay are verbatim."""
    kept: list[str] = []
    for line in body.splitlines():
        if _REPLY_HEAD.match(line.strip()):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return "\n".join(kept).strip()[:LONGEST_READ]


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
