"""What of a message its sender wrote in words, for engines that tell it word for word. Pure.

Mail carries greetings and signatures; chat carries logs, paths and addresses. None of them belongs
in a summary.
"""

import re

from tidings.ai.engines.local.words import FUNCTION

_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")
_NO_END = re.compile(r"\b(?:mr|mrs|ms|dr|st|no|vs|etc|e\.g|i\.e|approx)\.$", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][^\W\d_'’-]+")
_REST_IS_OLD = re.compile(r"^\s*(?:--+|_{5,})\s*$")
_GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b[^.?!:;]{0,60}[,.!]?\s*$",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^\s*(?:(?:with )?(?:kind|best|warm|many)?\s*(?:regards|wishes|thanks)|thank you|cheers|"
    r"sincerely|yours(?: \w+)?|best|bye)\b[^.?!]{0,20}[,.!]?\s*$",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s")
_WRAPPED = 55
"""Characters of a line that its writer's program may have broken."""
_PLAIN = re.compile(r"^[\"'(\[]*[^\W_](?:[\w'’.-]*\w)?(?:[)\]\"'’.,:;!?…%€$]*)$")
_ADDRESS = re.compile(r"://|@\w|\w/\w+/|^/\w|\w\.\w{2,4}/|[\\{}<>|=$]|^--?\w")
_MOST_ODD = 0.2


def prose_of(text: str, sender: str = "") -> str:
    """Own words without greetings and signature; broken lines joined again."""
    kept: list[str] = []
    joins = False
    for line in text.splitlines():
        if _REST_IS_OLD.match(line):
            break
        bare = line.strip()
        if not bare or _is_frame(bare, sender):
            joins = False
            continue
        if joins and not _ITEM.match(line):
            kept[-1] += f" {bare}"
        else:
            kept.append(bare)
        joins = len(line.rstrip()) >= _WRAPPED
    return "\n".join(kept)


def sentences_of(text: str) -> list[str]:
    """The sentences and lines of a text, as they were written."""
    found: list[str] = []
    for part in (piece.strip() for piece in _SENTENCE.split(text)):
        if found and _NO_END.search(found[-1]) and f"{found[-1]} {part}" in text:
            found[-1] += f" {part}"
        elif part:
            found.append(part)
    return found


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in lower case."""
    return [word for word in map(str.lower, _WORD.findall(text)) if word not in FUNCTION]


def is_telling(text: str, least: int = 3) -> bool:
    """Whether a sentence says something by itself: prose with some words of content."""
    parts = text.split()
    plain = [part for part in parts if _PLAIN.match(part) and not _ADDRESS.search(part)]
    return (
        "://" not in text
        and len(parts) - len(plain) <= max(1, _MOST_ODD * len(parts))
        and len(content_words(" ".join(plain))) >= least
    )


def _is_frame(bare: str, sender: str) -> bool:
    """Whether a line greets or signs."""
    if _GREETING.match(bare) or _CLOSING.match(bare):
        return True
    names = {name.lower() for name in sender.split()}
    words = {word.lower() for word in bare.rstrip(",.!").split()}
    return len(words) <= len(names) and words <= names
