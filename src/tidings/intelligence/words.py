"""The words of a message that are its sender's own, and quotes out of them."""

import re

LONGEST_READ = 4000
"""Characters of one message that are read: how somebody feels stands at the beginning."""
LONGEST_QUOTE = 240

_WROTE = r"(?:wrote|schrieb[^:\n]{0,100}|a écrit|escribió|ha scritto|escreveu|schreef[^:\n]{0,100}|skrev)"
_REPLY_HEAD = re.compile(
    # "On Monday Ana <ana@…>\nwrote:": mail programs break it where the line is full.
    rf"^[ \t]*(?:(?:On|Am|Le|El|Il|Em|Op|Den)\b[^\n]{{4,200}}(?:\n[^\n]{{0,120}})?\b{_WROTE} ?:"
    r"|-{2,} ?(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine) ?-{2,}"
    r"|_{20,}"
    r"|(?:From|Von|De|Da): [^\n]+\n(?:Sent|Date|To|Gesendet|Envoyé|Enviado|Inviato|Datum)\b[^\n]{0,40}:[^\n]*"
    r"|-- ?)[ \t\r]*$",  # RFC 3676: a signature follows
    re.MULTILINE,
)
_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")


def own_words(body: str) -> str:
    """The body without what it quotes of an earlier one; the lines that stay are verbatim."""
    head = _REPLY_HEAD.search(body)
    own = body if head is None else body[: head.start()]
    if ">" in own:
        own = "\n".join(line for line in own.split("\n") if not line.lstrip().startswith(">"))
    return own.strip()[:LONGEST_READ]


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
