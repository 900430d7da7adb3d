"""Where the new of an answer ends and what it quotes begins, and what a mail only passes on."""

import re
from typing import NamedTuple

_QUOTED = re.compile(r"\s*>")
_MARK = re.compile(
    r"\s*-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|"
    r"weitergeleitete nachricht|message d'origine|mensaje original)\s*-{2,}\s*"
    r"|begin forwarded message:\s*",
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
_ANNOUNCED = re.compile(
    # "On Monday Ana <ana@…>\nwrote:": mail programs break it where the line is full.
    r"\s*(?:on|am|le|el|il|em|op|den)\b(?=.*[\d@]).{4,300}\b"
    r"(?:wrote|a écrit|escribió|ha scritto|escreveu|skrev|(?:schrieb|schreef).{0,100}) ?:\s*",
    re.IGNORECASE | re.DOTALL,
)
_END = re.compile(r"-- ?\r?|_{20,}\s*")
"""A signature follows (RFC 3676), or what Outlook answers."""
_MARKS = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
_FIELD = re.compile(r"\*?[^\W\d_][\w -]{0,30}\*?\s?:")
_ADDED = re.compile(
    # What a telephone writes below every mail.
    r"(?:sent from|von meinem|gesendet (?:von|mit)|get outlook|envoyé (?:de|depuis)|enviado desde)"
    r" [^\n]{1,60}",
    re.IGNORECASE,
)
_MAY_QUOTE = (">", ":", "--", "____")
_WHO_LINES, _HEAD_LINES = 3, 6
_DEEPEST = 5
"""Forwards of forwards."""
_LONGEST_WHO = 500
"""Characters of lines that say who is quoted; what is longer is no such thing, and not searched."""


def split_quote(body: str) -> tuple[str, str]:
    """What an answer says, and the history at its end; "" where there is none.

    What is quoted between two answers stays where it is: without it they say nothing.
    """
    lines = body.split("\n")
    at = _history(lines)
    said = "\n".join(lines[:at]).rstrip()
    return (said, "\n".join(lines[at:]).strip("\n")) if said else (body, "")


def own_words(body: str) -> str:
    """What the sender of a message wrote themself: lines of the body, verbatim; "" for none.

    For whoever reads what was said: without the history at the end, without quoted lines between
    answers and who is said to have written them, and without the signature. A blank line stands
    where something was left out, so that no sentence runs on over it.
    """
    if not any(sign in body for sign in _MAY_QUOTE):
        return body.strip()
    lines = body.split("\n")
    lines = lines[: _history(lines)]
    own: list[str] = []
    for at, line in enumerate(lines):
        if _QUOTED.match(line):
            _leave_out(own, _announcing(own))
        elif _END.fullmatch(line):
            break
        elif count := _announced([*own[1 - _WHO_LINES :], line]):
            _leave_out(own, count - 1)
            following = next((one for one in lines[at + 1 :] if one.strip()), "")
            if not _QUOTED.match(following):
                break
        else:
            own.append(line)
    return "\n".join(own).strip()


class Forward(NamedTuple):
    """What a mail passes on: the words of who wrote it, and their name or address, or ""."""

    words: str
    sender: str


def forwarded(body: str) -> Forward | None:
    """What a mail says that only passes another one on; None where its sender says something.

    The words are lines of the body, without the marks of a quote. An empty answer below "On …
    wrote:" passes nothing on: what it quotes was read where it was written.
    """
    for _ in range(_DEEPEST):
        own = own_words(body)
        if own and not _ADDED.fullmatch(own):
            return None
        lines = body.split("\n")
        at = _history(lines)
        if at == len(lines):
            return None
        if _MARK.fullmatch(lines[at]):
            at += 1
        elif not _HEAD.match(lines[at]):
            return None
        body, sender = _passed_on(lines[at:])
        if words := own_words(body):
            return Forward(words, sender)
    return None


def unmarked(body: str) -> str:
    """A body without the marks of quotes, so that what stands on two quoted lines is one text."""
    return _MARKS.sub("", body) if ">" in body else body


def _passed_on(lines: list[str]) -> tuple[str, str]:
    """The text of a mail as another one quotes it, and who its head says wrote it."""
    if all(_QUOTED.match(line) for line in lines if line.strip()):
        lines = [_QUOTED.sub("", line, count=1).removeprefix(" ") for line in lines]
    at, sender = 0, ""
    while at < len(lines) and not lines[at].strip():
        at += 1
    while at < len(lines) and (_FIELD.match(lines[at]) or lines[at][:1] in (" ", "\t")):
        if not sender and _HEAD.match(lines[at]):
            sender = _name(lines[at].partition(":")[2])
        at += 1
    return "\n".join(lines[at:]), sender


def _name(text: str) -> str:
    """The name in `Bo <bo@example.com>`, else the address."""
    name, _, address = text.strip(" *\t\r")[:200].partition("<")
    return name.strip(" \"'*") or address.strip(" <>*")


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
    if count := _announced(lines[-_WHO_LINES:]):
        return count
    for count in range(1, min(_WHO_LINES, len(lines)) + 1):
        who = "\n".join(lines[-count:])
        if len(who) > _LONGEST_WHO:
            return 0
        if _SAID.search(who) and (count == len(lines) or not lines[-count - 1].strip()):
            return count
    return 0


def _announced(lines: list[str]) -> int:
    """How many of the last lines say when and who, as mail programs write it before a quote."""
    if not lines or not lines[-1].rstrip().endswith(":"):
        return 0
    for count in range(1, len(lines) + 1):
        who = "\n".join(lines[-count:])
        if not lines[-count].strip() or len(who) > _LONGEST_WHO:
            return 0
        if _ANNOUNCED.fullmatch(who):
            return count
    return 0


def _leave_out(own: list[str], count: int) -> None:
    """Drop the last lines, and leave a blank one where something is missing."""
    if count:
        del own[-count:]
    if own and own[-1].strip():
        own.append("")
