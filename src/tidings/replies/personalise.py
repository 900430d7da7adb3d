"""Making a filled template fit the message that it answers, without changing what it says.

What an engine answers is held against the template: every number, address and link of it is still
there, none is new, it denies what the template denies and nothing else, most of its words are there
and few others. So a message that gives orders to the engine can put at most a few words of its own
into the reply; else the template stands.
"""

import re
import unicodedata

import msgspec
import pydantic

from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt
from tidings.replies.template import NOBODY, plain_name

LONGEST = 500
MOST_SENTENCES = 2
KEPT = 0.5
"""Share of the template's words that must come back."""
MOST_ADDED = 15
"""Different words that the template does not have."""
_SHOWN = 4000  # characters of the message that an engine sees

_SENTENCE = re.compile(r"[^.!?…]+(?:[.!?…]+(?=\s|$)|[.!?…]+(?=\S)|$)")
_HARD = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\w*\d[\w:.,/-]*\w*|[{}]", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_DENIAL = re.compile(
    r"\b(?:no|not|never|none|nothing|nobody|cannot|without|unable|\w+n['’]t|nicht|kein\w*|nie|niemals"
    r"|ohne|ne|pas|jamais|sans|nunca|sin|non|mai|senza|não|sem|niet|geen|zonder|inte|aldrig|ikke"
    r"|aldri|nigdy|bez)\b",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b", re.IGNORECASE
)


class ToPersonalise(msgspec.Struct, frozen=True):
    """The filled template, who gets it, and the message that it answers."""

    reply: str
    sender_name: str
    message: str


class PersonalAnswer(pydantic.BaseModel):
    """What a provider answers."""

    text: str


def sentences(text: str) -> int:
    """How many sentences it has; a point within a word or a number ends none."""
    plain = re.sub(r"(?<=\S)[.!?](?=\S)", "", text)
    return sum(1 for part in _SENTENCE.findall(plain) if _WORD.search(part))


def keeps_meaning(reply: str, text: str, may_name: str) -> str | None:
    """What of the reply is lost or new in the text, or None when it says the same."""
    lost = _hard(reply) - _hard(text)
    if lost:
        return f"It leaves out {', '.join(sorted(lost))}."
    new = _hard(text) - _hard(reply) - _hard(may_name)
    if new:
        return f"It adds {', '.join(sorted(new))}, which the reply does not have."
    if (_DENIAL.search(reply) is None) != (_DENIAL.search(text) is None):
        return "It denies what the reply says, or the other way round."
    wanted, there = _words(reply), _words(text)
    if len(there - wanted - _words(may_name)) > MOST_ADDED:
        return "It says much that the reply does not say."
    if wanted and len(wanted & there) < KEPT * len(wanted):
        return "It does not say what the reply says."
    return None


def accepted(source: ToPersonalise, text: str) -> str:
    """The text as it may be sent. Raises ValueError that says what is wrong with it."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise ValueError("The text is empty.")
    if len(text) >= LONGEST:
        raise ValueError(f"The text must be under {LONGEST} characters.")
    if not 1 <= sentences(text) <= MOST_SENTENCES:
        raise ValueError("The text must have 1 or 2 sentences.")
    problem = keeps_meaning(source.reply, text, source.sender_name)
    if problem:
        raise ValueError(problem)
    return text


def _hard(text: str) -> set[str]:
    return {found.rstrip(".,:;!?/-").casefold() for found in _HARD.findall(text)}


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _local(source: ToPersonalise) -> str:
    """The template with a greeting by name, where it has none; nothing else is added."""
    name = plain_name(source.sender_name)
    if name == NOBODY or name in source.reply or _GREETING.match(source.reply):
        return source.reply
    try:
        return accepted(source, f"Hello {name}, {_lower_first(source.reply)}")
    except ValueError:
        return source.reply


def _lower_first(text: str) -> str:
    """The text as it goes on in a sentence; a word that may be a name keeps its capital."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if first in (
        "Thank",
        "Thanks",
        "We",
        "The",
        "Our",
        "Your",
        "You",
        "This",
        "It",
        "My",
        "Please",
    ):
        return text[0].lower() + text[1:]
    return text


def _render(source: ToPersonalise) -> str:
    return (
        f"Sender: {plain_name(source.sender_name)}\n\nReply:\n{source.reply}\n\n"
        f"Message:\n{source.message[:_SHOWN]}"
    )


def _accept(source: ToPersonalise, answer: PersonalAnswer) -> str:
    return accepted(source, answer.text)


PERSONALISE: Operation[ToPersonalise, str] = Operation(
    name="replies.personalise",
    prompt=load_prompt("tidings.replies", "personalise"),
    schema=PersonalAnswer,
    local=_local,
    render=_render,
    accept=_accept,
    local_version="1",
    most_tokens=1024,
)
