"""The words of a message that are its sender's own, and quotes out of them."""

import re

LONGEST_READ = 4000
"""Characters of one message that are read: how somebody feels stands at the beginning."""
LONGEST_QUOTE = 240

_WROTE = r"(?:wrote|a écrit|escribió|ha scritto|escreveu|skrev|(?:schrieb|schreef)[^:\n]{0,100})"
_ORIGINAL = r"(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine)"
_SENT = r"(?:Sent|Date|To|Gesendet|Datum|Envoyé|Enviado|Inviato)\b[^\n]{0,40}:[^\n]*"
_REPLY_HEAD = re.compile(
    # "On Monday Ana <ana@…>\nwrote:": mail programs break it where the line is full.
    rf"^[ \t]*(?:(?:On|Am|Le|El|Il|Em|Op|Den)\b[^\n]{{4,200}}(?:\n[^\n]{{0,120}})?\b{_WROTE} ?:"
    rf"|-{{2,}} ?{_ORIGINAL} ?-{{2,}}|_{{20,}}"
    rf"|(?:From|Von|De|Da): [^\n]+\n{_SENT}"
    r"|-- ?)[ \t\r]*$",  # RFC 3676: a signature follows
    re.MULTILINE,
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,60}"
    r"\b(?:instructions?|prompts?|rules|guidelines|previous|above)\b"
    r"|\b(?:mark|label|rate|score|classify|report|treat|rank) "
    r"(?!(?:was|is|were|are)\b)(?:\S+ ){0,6}(?:positive|negative|neutral|mixed)\b"
    r"|\bsystem prompt\b|\byou are (?:now )?an? (?:ai|assistant|language model)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")


def own_words(body: str) -> str:
    """The body without what it quotes of an earlier one; the lines that stay are verbatim."""
    head = _REPLY_HEAD.search(body)
    own = body if head is None else body[: head.start()]
    if ">" in own:
        own = "\n".join(line for line in own.split("\n") if not line.lstrip().startswith(">"))
    return own.strip()[:LONGEST_READ]


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
