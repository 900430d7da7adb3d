"""What to do next in a channel, each with the words that it follows from: pure."""

import re
from collections.abc import Iterator
from datetime import timedelta

from tidings.ai.engines.local.utterances import Utterance
from tidings.intelligence.state import (
    MOST_FOLLOWUPS,
    MOST_PENDING,
    Followup,
    Message,
    Pending,
    Quote,
    State,
    Waiting,
)
from tidings.intelligence.words import quote_of

PENDING_AGE = timedelta(days=14)
"""After so long what was promised or asked for is no next step any more."""

_CHOICE = re.compile(
    r"\b(should we|shall we|which (one|option|of)|decide|decision|sign[- ]?off|approv\w+|"
    r"go ahead|either\b.{1,120}\bor\b|do we want)\b",
    re.IGNORECASE,
)
_UNCLEAR = re.compile(
    r"\b(what do you mean|not sure (what|which|whether|if)|unclear|confus\w+|don.t understand|"
    r"can you clarify|could you clarify|which \w+ do you mean|do you mean)\b",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(done|sent|attached|fixed|shipped|finished|deployed|delivered|here (is|are)|resolved|"
    r"completed|merged|signed|paid)\b",
    re.IGNORECASE,
)


def waits(state: State, message: Message, utterance: Utterance, own: str) -> None:
    """Note what of a message waits: a decision to take, a promise or a request, a doubt."""
    kind = _kind(utterance, own)
    quote = quote_of(own, asks=utterance.is_question) if kind else ""
    if kind is None or not quote:
        return
    pending = Pending(
        kind,
        message.id,
        message.external_id,
        message.thread_id,
        message.name,
        message.sender_id,
        message.direction,
        message.sent_at,
        quote,
    )
    state.pending = [*state.pending, pending][-MOST_PENDING:]


def _kind(utterance: Utterance, own: str) -> Waiting | None:
    if _UNCLEAR.search(own):
        return "clarification"
    if (utterance.is_question or utterance.is_request) and _CHOICE.search(own):
        return "pending_decision"
    if utterance.is_commitment or (utterance.is_request and not utterance.is_question):
        return "next_step"
    return None


def settle(state: State, message: Message, utterance: Utterance, own: str) -> None:
    """Drop what a message settles, and what is too old."""
    if not state.pending:
        return
    oldest = message.sent_at - PENDING_AGE
    done = not utterance.is_commitment and _DONE.search(own) is not None
    state.pending = [
        one
        for one in state.pending
        if one.at > oldest and not _settles(message, utterance, one, done=done)
    ]


def _settles(message: Message, utterance: Utterance, one: Pending, *, done: bool) -> bool:
    is_here = message.thread_id == one.thread_id or message.reply_to == one.external_id
    if not is_here or message.sent_at < one.at:
        return False
    if one.type == "pending_decision":
        return utterance.is_decision
    if one.type == "clarification":
        return message.sender_id != one.sender_id
    return done


def suggest(state: State) -> list[Followup]:
    """Up to three follow-ups, the most urgent of each type before a second of any."""
    ranked = sorted(_candidates(state), key=lambda pair: pair[0])
    return [followup for _, followup in ranked[:MOST_FOLLOWUPS]]


_ORDER = ("unanswered_question", "clarification", "pending_decision", "next_step")
_SAYS = {
    "clarification": "Make clear what {by} is unsure about.",
    "pending_decision": "Take the decision that {by} asks for.",
    "next_step": "See to what {by} asked for or promised.",
}


def _candidates(state: State) -> Iterator[tuple[tuple[int, int], Followup]]:
    """Follow-ups with (how many of their type come before, the type's rank)."""
    asked = {question.message_id for question in state.open_questions}
    known = {one.message_id for one in state.pending if one.type != "next_step"}
    # Who asks from outside waits for us, so theirs come first; then who waits longest.
    questions = sorted(
        (q for q in state.open_questions if q.message_id not in known),
        key=lambda q: (q.direction != "in", q.asked_at),
    )
    for place, question in enumerate(questions):
        text = f"Answer {question.asked_by}’s question."
        if question.direction == "out":
            text = f"Remind them of {question.asked_by}’s question, which nobody answered."
        yield (
            (place, 0),
            Followup("unanswered_question", text, [Quote(question.message_id, question.quote)]),
        )
    places = dict.fromkeys(_ORDER, 0)
    for one in sorted(state.pending, key=lambda one: one.at, reverse=True):
        if one.type == "next_step" and one.message_id in asked:
            continue
        text = _SAYS[one.type].format(by=one.by)
        followup = Followup(one.type, text, [Quote(one.message_id, one.quote)])
        yield (places[one.type], _ORDER.index(one.type)), followup
        places[one.type] += 1
