"""Where the new of an answer ends and what it quotes begins."""

import re

_QUOTED = re.compile(r"\s*>")
_MARK = re.compile(
    r"\s*-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original)"
    r"\s*-{2,}\s*",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\b(?:wrote|schrieb|écrit|escribió|scritto|schreef|skrev|napisał\(a\)|escreveu)\b.*:\s*$",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = re.compile(r"\*?(?:from|von|de|da|van)\*?\s*:\*?\s", re.IGNORECASE)
_HEADS = re.compile(
    r"^\*?(?:sent|date|gesendet|datum|envoyé|enviado|inviato|to|an|à|para|subject|betreff|objet|"
    r"asunto)\*?\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_WHO_LINES, _HEAD_LINES = 3, 6


def split_quote(body: str) -> tuple[str, str]:
    """What an answer says, and the history at its end; "" where there is none.

    What is quoted between two answers stays where it is: without it they say nothing.
    """
    lines = body.split("\n")
    at = _history(lines)
    said = "\n".join(lines[:at]).rstrip()
    return (said, "\n".join(lines[at:]).strip("\n")) if said else (body, "")


def opening(body: str) -> str:
    """How what was said begins, in one line and without what it quotes."""
    said = split_quote(body)[0].split("\n")
    own = " ".join(line for line in said if not _QUOTED.match(line))
    return " ".join((own.strip() or body).split())


def _history(lines: list[str]) -> int:
    """The number of the line that history begins with; how many there are when none does."""
    for at, line in enumerate(lines):
        if _MARK.fullmatch(line):
            return at
        rest = "\n".join(lines[at + 1 : at + _HEAD_LINES]) if _HEAD.match(line) else ""
        if rest and len(_HEADS.findall(rest)) >= 2:
            return at
    at = len(lines)
    while at and (not lines[at - 1].strip() or _QUOTED.match(lines[at - 1])):
        at -= 1
    if not any(_QUOTED.match(line) for line in lines[at:]):
        return len(lines)
    return at - _announcing(lines[:at])


def _announcing(lines: list[str]) -> int:
    """How many of the last lines say who is quoted."""
    for count in range(1, min(_WHO_LINES, len(lines)) + 1):
        if _SAID.search("\n".join(lines[-count:])) and (
            count == len(lines) or not lines[-count - 1].strip()
        ):
            return count
    return 0
