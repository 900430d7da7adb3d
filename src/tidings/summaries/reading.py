"""Reading one window: by the local engine, or by a provider. Both answer with a `Reading`."""

from typing import Literal

from pydantic import BaseModel, Field

from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt
from tidings.summaries.draft import Finding, Reading
from tidings.summaries.due import as_due
from tidings.summaries.local import LOCAL_VERSION, read_window
from tidings.summaries.windows import Window


class ReadFinding(BaseModel):
    """One finding of a provider."""

    kind: Literal["overview", "point", "action", "decision", "question"]
    text: str = Field(min_length=1, max_length=400)
    message: int
    quote: str = Field(min_length=1, max_length=2000)
    owner: str | None = Field(default=None, max_length=200)
    due: str | None = Field(default=None, max_length=40)


class ReadAnswer(BaseModel):
    """What a provider answers for one window; an object that says nothing is no answer."""

    findings: list[ReadFinding] = Field(max_length=50)


def named(owner: str | None, texts: str) -> str | None:
    """Who does it, when the words know somebody of that name."""
    name = (owner or "").strip()
    return name if name and name.casefold() in texts else None


def _render(window: Window) -> str:
    return "\n".join(
        f"[{number}] {flat(part.sender)} ({part.at:%Y-%m-%d %H:%M}): {_indented(part.text)}"
        for number, part in enumerate(window.parts)
    )


def flat(text: str) -> str:
    """The text as one line."""
    return " ".join(text.split())


def _indented(text: str) -> str:
    """Lines after the first set in, so that none of them looks like a message of its own."""
    return text.strip().replace("\n", "\n    ")


def _accept(window: Window, answer: ReadAnswer) -> Reading:
    parts = window.parts
    words = "\n".join(f"{part.sender}\n{part.text}" for part in parts).casefold()
    return Reading(
        tuple(
            Finding(
                kind=found.kind,
                text=found.text.strip(),
                message_id=str(parts[found.message].message_id),
                quote=found.quote,
                # A provider ranks by order, so that is the score.
                score=1.0 / (1 + place),
                at=parts[found.message].at,
                owner=named(found.owner, words) if found.kind == "action" else None,
                due=as_due(found.due) if found.kind == "action" else None,
            )
            for place, found in enumerate(answer.findings)
            if 0 <= found.message < len(parts) and found.text.strip()
        )
    )


READ_WINDOW: Operation[Window, Reading] = Operation(
    name="summaries.read_window",
    prompt=load_prompt("tidings.summaries", "read_window"),
    schema=ReadAnswer,
    local=read_window,
    render=_render,
    accept=_accept,
    local_version=LOCAL_VERSION,
)
