"""Plain text from a provider as it comes: reserved before, settled when it ends or is left."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from uuid import UUID

import msgspec

from tidings.ai.asking import Means, failure_of, usage_row
from tidings.ai.engine_name import EngineName
from tidings.ai.engines.call import CallFailed, TextStream, Usage
from tidings.ai.fence import RULES, fence
from tidings.ai.operation import check_operation
from tidings.ai.prompts import Prompt, version_of
from tidings.ai.redact import Mask
from tidings.ai.set_aside import Aside, set_aside
from tidings.ai.spending import Call
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a chat: `name` is `<domain>.<verb>`, `text` all that the answer rests on."""

    name: str
    prompt: Prompt
    text: str
    most_tokens: int = 2048

    def __post_init__(self) -> None:
        check_operation(self.name)

    @property
    def instructions(self) -> str:
        """What the system message says."""
        return f"{self.prompt.text}\n\n{RULES}"


@asynccontextmanager
async def streamed(
    talk: Talk, engine: EngineName, tenant: Tenant, run_id: UUID | None, means: Means
) -> AsyncIterator[AsyncIterator[str]]:
    """The deltas of the answer, inside the block alone. Raises as `Gateway.stream` says."""

    def most(text: str) -> Decimal:
        return means.prices.most(engine, talk.instructions + text, talk.most_tokens)

    call = Call(
        id=uuid7(),
        tenant=tenant,
        run_id=run_id,
        operation=talk.name,
        engine=engine,
        prompt_version=version_of(talk.prompt.text, RULES),
        amount=most(talk.text),
    )
    try:
        with means.breakers.of(engine.provider).watching():
            aside = await set_aside(means.spending, call, talk.text, most)
            question = fence(aside.text)
            await _send(talk, aside, question, means)
            async with (
                _recorded(aside.call, means) as record,
                means.providers.stream(
                    engine,
                    aside.access.key(engine),
                    instructions=talk.instructions,
                    question=question,
                    most_tokens=talk.most_tokens,
                ) as deltas,
            ):
                record.deltas = deltas
                yield _restored(deltas, aside.mask)
    except CallFailed as failure:
        raise failure_of(engine, failure) from None


async def _send(talk: Talk, aside: Aside, question: str, means: Means) -> None:
    destination = means.providers.destination(aside.call.engine)
    redacted = aside.mask.counts if aside.mask else {}
    try:
        await means.spending.send(aside.call, destination, talk.instructions + question, redacted)
    except BaseException:
        means.spending.release_later(aside.call)
        raise


class _Record:
    deltas: TextStream | None = None


@asynccontextmanager
async def _recorded(call: Call, means: Means) -> AsyncIterator[_Record]:
    """Settle and record one stream, whatever ends it."""
    started = time.monotonic()
    record = _Record()
    failure: CallFailed | None = None
    try:
        yield record
    except CallFailed as failed:
        failure = failed
        raise
    finally:
        usage = record.deltas.usage if record.deltas is not None else Usage(estimated=True)
        error = "left before its end" if usage.is_untold else None
        if failure is not None:
            usage, error = failure.usage, failure.reason
        row = usage_row(
            means.prices,
            call,
            started,
            status="ok" if error is None else "error",
            usage=usage,
            error=error,
        )
        means.ledger.defer(call.tenant, row, settles=True)
        await means.ledger.flush()


async def _restored(deltas: TextStream, mask: Mask | None) -> AsyncIterator[str]:
    """The deltas with masked values back; a placeholder may come in pieces, so it is waited for."""
    held = ""
    async for delta in deltas:
        if mask is None:
            yield delta
            continue
        held = mask.restored_text(held + delta)
        opening = held.rfind("[")
        cut = opening if opening >= 0 and len(held) - opening < mask.longest else len(held)
        if cut:
            yield held[:cut]
        held = held[cut:]
    if held:
        yield held
