"""Proposing two or three answers to a person, who chooses, edits and sends; never more."""

import re
from collections.abc import Sequence

import msgspec
import pydantic

from tidings.ai.engines.local.utterances import Said, read_utterances
from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt

FEWEST, MOST = 2, 3
LONGEST = 500
_SURELY_BAD = -0.6  # sentiment score; an apology for nothing is worse than none
_SHOWN = 4000  # characters of each message that an engine sees

_PLACE = re.compile(r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
_THANKS = re.compile(r"\b(?:thanks|thank you|appreciate|cheers|grateful)\b", re.IGNORECASE)
_MEET = re.compile(
    r"\b(?:meet(?:ing)?|call|schedule|appointment|available|availability|calendar|slot|catch up)\b",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\W*(?:hi|hello|hey|good (?:morning|afternoon|evening))\b[^.?!]{0,40}\W*$", re.IGNORECASE
)
# Questions for a fact, however much they ask of somebody: no "yes" answers them.
_OPENS = r"(?:^|[.?!,:]\s+|\b(?:and|but|so|hello|hi|hey)\s+)"
_OPEN_QUESTION = re.compile(
    _OPENS + r"(?:what|when|where|who|whose|which|why|how)\b(?! about)", re.IGNORECASE
)
_YES_OR_NO = re.compile(
    _OPENS + r"(?:(?:can|could|may|should|do|does|did|is|are|was|were|has|have|had|will) "
    r"(?:i|we|it|they|he|she|there|this|that|these|those|the|my|our|your)|do you)\b"
    r"(?! mind| think you could)",
    re.IGNORECASE,
)

# Each says nothing that its sender would have to keep without having decided it.
_ANSWERS: dict[str, tuple[str, ...]] = {
    "complaint": (
        "I am sorry about this. I am looking into it now and will come back to you.",
        "Thank you for telling us. Could you send me the details of what happened?",
        "I understand that this is frustrating. I will pass it on and let you know what we find.",
    ),
    "meeting": (
        "Yes, that works for me.",
        "That time does not work for me, I am afraid. Could we find another one?",
        "Let me check my calendar and come back to you.",
    ),
    "request": (
        "Yes, I will take care of it.",
        "I can help with that. Could you tell me a little more about what you need?",
        "I am afraid I cannot do that. Shall I ask somebody who can?",
    ),
    "question": (
        "Good question. Let me check and come back to you.",
        "Yes, that is right.",
        "Could you tell me a little more, so that I can answer this properly?",
    ),
    "open question": (
        "Let me check and come back to you.",
        "I do not know, I am afraid. I will ask and let you know.",
        "Could you tell me a little more, so that I can answer this properly?",
    ),
    "thanks": (
        "You are welcome!",
        "Glad that it helped. Let me know if there is anything else.",
    ),
    "decision": (
        "Understood, thank you for letting me know.",
        "That is good to hear. What is the next step?",
        "Thank you. I have a question about this before we go on.",
    ),
    "greeting": (
        "Hello! How can I help you?",
        "Hello, good to hear from you.",
    ),
    "news": (
        "Thank you for letting me know.",
        "Got it. I will come back to you if I have questions.",
        "Thank you. Could you tell me a little more?",
    ),
}


class Line(msgspec.Struct, frozen=True):
    """One message: who wrote it and what."""

    speaker: str
    text: str


class ToAnswer(msgspec.Struct, frozen=True):
    """The message that is answered, and those before it, oldest first."""

    message: Line
    before: tuple[Line, ...] = ()


class ProposedAnswers(pydantic.BaseModel):
    """What a provider answers."""

    answers: list[str]


def places(text: str) -> set[str]:
    """Links and addresses of mail in it."""
    return {found.rstrip(".,:;!?/)-").casefold() for found in _PLACE.findall(text)}


def act_of(message: Line, before: Sequence[Line] = ()) -> str:
    """What the message does: asks, requests, thanks, complains …; a key of the local answers."""
    said = [Said(line.speaker, line.text) for line in before]
    (read,) = read_utterances([Said(message.speaker, message.text)], said)
    if read.score <= _SURELY_BAD and not read.is_decision:
        return "complaint"
    if _MEET.search(message.text) and (read.is_question or read.is_request):
        return "meeting"
    if read.is_question and _OPEN_QUESTION.search(message.text):
        return "open question"
    if read.is_request and not (read.is_question and _YES_OR_NO.search(message.text)):
        return "request"
    if read.is_question:
        return "question"
    if _THANKS.search(message.text):
        return "thanks"
    if read.is_decision or read.is_commitment:
        return "decision"
    return "greeting" if _GREETING.fullmatch(message.text) else "news"


def _local(source: ToAnswer) -> list[str]:
    return list(_ANSWERS[act_of(source.message, source.before)])


def _render(source: ToAnswer) -> str:
    before = "\n".join(f"{line.speaker}: {line.text[:_SHOWN]}" for line in source.before)
    message = source.message
    return f"Before:\n{before}\n\nMessage of {message.speaker}:\n{message.text[:_SHOWN]}"


def _accept(source: ToAnswer, answer: ProposedAnswers) -> list[str]:
    texts = list(dict.fromkeys(text.strip() for text in answer.answers if text.strip()))
    if not FEWEST <= len(texts) <= MOST:
        raise ValueError("Give 2 or 3 different answers.")
    if any(len(text) >= LONGEST for text in texts):
        raise ValueError(f"Each answer must be under {LONGEST} characters.")
    known = places("\n".join([line.text for line in (*source.before, source.message)]))
    if new := set[str]().union(*map(places, texts)) - known:
        raise ValueError(f"Leave out {', '.join(sorted(new))}: nobody wrote of it.")
    return texts


PROPOSE: Operation[ToAnswer, list[str]] = Operation(
    name="replies.propose",
    prompt=load_prompt("tidings.replies", "propose"),
    schema=ProposedAnswers,
    local=_local,
    render=_render,
    accept=_accept,
    local_version="2",
    most_tokens=1024,
)
