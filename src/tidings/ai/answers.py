"""Reading a provider's answer: bounded, clean text that fits the schema, or the reason why not."""

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
import pydantic

from tidings.base.text import find_bad_text

S = TypeVar("S", bound=pydantic.BaseModel)
T = TypeVar("T")
R = TypeVar("R")

LONGEST_ANSWER = 200_000  # characters of JSON
SHORT = 10_000  # characters that are read in about a millisecond
_MOST_PROBLEMS = 10

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n\s*```", re.DOTALL)


class AnswerBad(Exception):
    """An answer that cannot be used.

    `reason` is for the log and the ledger: where and of what kind, without the values.
    `feedback` is for the provider, so that it can repair the answer.
    """

    def __init__(self, reason: str, feedback: str | None = None) -> None:
        """`feedback` is the reason unless it is given."""
        super().__init__(reason)
        self.reason = reason
        self.feedback = feedback or reason


def read_answer(text: str, schema: type[S]) -> S:
    """The answer as an instance of the schema. Raises `AnswerBad`."""
    if len(text) > LONGEST_ANSWER:
        raise AnswerBad(f"The answer is longer than {LONGEST_ANSWER} characters.")
    text = _unfenced(text)
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise AnswerBad("The answer is not complete, valid JSON.") from None
    bad = find_bad_text(decoded)
    if bad is not None:
        raise AnswerBad(f"The answer {bad.message.split(';')[0]}.")
    try:
        return schema.model_validate_json(text)
    except pydantic.ValidationError as error:
        raise _misfit(error) from None


async def off_loop_if_long(text: str, read: Callable[[T], R], given: T) -> R:
    """Call `read`, in a thread when the text takes long enough that others would feel it."""
    return read(given) if len(text) <= SHORT else await asyncio.to_thread(read, given)


def _unfenced(text: str) -> str:
    # Small models wrap what they write as text in a Markdown fence.
    stripped = text.strip()
    fenced = _FENCED.fullmatch(stripped)
    return fenced[1] if fenced else stripped


def _misfit(error: pydantic.ValidationError) -> AnswerBad:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    shown = problems[:_MOST_PROBLEMS]
    feedback = [f"{_place(p['loc'])}: {p['msg']}" for p in shown]
    kinds = sorted({p["type"] for p in shown})
    # Only the kinds: a key of an answer, or a validator's message, may quote the source.
    return AnswerBad(
        f"The answer does not fit the schema ({len(problems)} problems: {', '.join(kinds)}).",
        "The answer does not fit the schema:\n" + "\n".join(feedback),
    )


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "answer"
