"""What a domain asks an engine to do: one prompt, one answer shape, and the local engine's twin."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import pydantic

from tidings.ai.fence import INSTRUCTION
from tidings.ai.prompts import Prompt, version_of

I = TypeVar("I")  # noqa: E741 - input
A = TypeVar("A")


_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_LONGEST_NAME = 100


def check_operation(name: str) -> None:
    """Raise ValueError for a name that the ledger would not take."""
    if _NAME.fullmatch(name) is None or len(name) > _LONGEST_NAME:
        raise ValueError(f"{name!r} is not a name such as engagement.read_meeting")


@dataclass(frozen=True)
class Operation(Generic[I, A]):
    """One purpose that any engine can serve, from a source `I` to an answer `A`.

    `name` is `<domain>.<verb>`, as the ledger and the settings spell it. `prompt` and `schema` are
    for providers: what they are told and the shape that they must answer in. `local` is the local
    engine's answer: pure and CPU bound, run in a thread. `render` gives the source as text, which
    the gateway fences off as data. `accept` turns a validated answer (an instance of `schema`) into
    `A`; a ValueError it raises makes the answer a bad one, and its message is sent back to the
    provider for repair. `local_version` changes whenever `local` answers differently.
    `most_tokens` bounds a provider's answer.
    """

    name: str
    prompt: Prompt
    schema: type[pydantic.BaseModel]
    local: Callable[[I], A]
    render: Callable[[I], str]
    accept: Callable[[I, Any], A]
    local_version: str
    most_tokens: int = 8192

    def __post_init__(self) -> None:
        check_operation(self.name)

    @cached_property
    def prompt_version(self) -> str:
        """12 hex digits over all that a provider is told: the prompt, the schema and the fence."""
        return version_of(self.prompt.text, self.schema_text, INSTRUCTION)

    @cached_property
    def schema_text(self) -> str:
        """The answer's JSON schema, as text."""
        return json.dumps(self.schema.model_json_schema(), sort_keys=True)

    @cached_property
    def instructions(self) -> str:
        """What the system message says."""
        return f"{self.prompt.text}\n\n{INSTRUCTION}"
