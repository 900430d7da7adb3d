"""What can be asked of an engine about a board: nine operations, by any engine."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import pydantic

from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt
from tidings.brainstorm import local, shapes
from tidings.brainstorm.fitting import fit
from tidings.brainstorm.shapes import Answer, Source, known_numbers

Asked = Literal[
    "generate",
    "cluster",
    "expand",
    "variations",
    "synthesize",
    "gaps",
    "score",
    "similar",
    "connections",
]


def _render(source: Source) -> str:
    parts = [f"Topic: {source.topic}"]
    if source.description:
        parts.append(f"Description: {source.description}")
    if source.techniques:
        parts.append(f"Techniques: {', '.join(source.techniques)}")
    if source.count:
        parts.append(f"Wanted: {source.count}")
    if source.context:
        parts += ["Conversation it comes from:", *source.context]
    if source.ideas:
        parts += ["Ideas:", *(f"[{n}] {text}" for n, text in enumerate(source.ideas))]
    if source.picked:
        parts.append(f"About: {', '.join(f'[{number}]' for number in source.picked)}")
    if source.avoid:
        parts += ["Suggested before, do not repeat:", *source.avoid]
    return "\n".join(parts)


def _operation(
    name: Asked, schema: type[pydantic.BaseModel], answer: Callable[[Source], Answer]
) -> Operation[Source, Answer]:
    def accept(source: Source, given: pydantic.BaseModel) -> Answer:
        told = given.model_dump(mode="json")
        last = len(source.ideas) - 1
        if not known_numbers(told, len(source.ideas)):
            raise ValueError(f"Ideas are numbered from 0 to {last}; name only these.")
        return fit(name, source, told)

    return Operation(
        name=f"brainstorm.{name}",
        prompt=load_prompt("tidings.brainstorm", name),
        schema=schema,
        local=answer,
        render=_render,
        accept=accept,
        local_version=local.VERSION,
    )


OPERATIONS: dict[Asked, Operation[Source, Answer]] = {
    "generate": _operation("generate", shapes.Generated, local.generate),
    "cluster": _operation("cluster", shapes.Clustered, local.cluster),
    "expand": _operation("expand", shapes.Expanded, local.expand),
    "variations": _operation("variations", shapes.Varied, local.variations),
    "synthesize": _operation("synthesize", shapes.Synthesized, local.synthesize),
    "gaps": _operation("gaps", shapes.Gaps, local.gaps),
    "score": _operation("score", shapes.Scored, local.score),
    "similar": _operation("similar", shapes.Similar, local.similar),
    "connections": _operation("connections", shapes.Connected, local.connections),
}

NAMES: tuple[Any, ...] = get_args(Asked)
