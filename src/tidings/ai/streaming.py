"""Plain text from a provider as it comes: reserved before, settled when it ends or is left."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from tidings.ai.asking import Means, failure_of, usage_row
from tidings.ai.engine_name import EngineName
from tidings.ai.engines.call import CallFailed, Usage
from tidings.ai.engines.chat_stream import ChatStream
from tidings.ai.fence import RULES, fence
from tidings.ai.ledger import CallStatus
from tidings.ai.prompts import Prompt, version_of
from tidings.ai.redact import Mask
from tidings.ai.spending import Call
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a chat: `name` is `<domain>.<verb>`, `text` all that the answer rests on."""

    name: str
    prompt: Prompt
    text: str
    most_tokens: int = 2048

    @property
    def instructions(self) -> str:
        """What the system message says."""
        return f"{self.prompt.text}\n\n{RULES}"


@asynccontextmanager
async def streamed(
    talk: Talk, engine: EngineName, tenant: Tenant, run_id: UUID | None, means: Means
) -> AsyncIterator[AsyncIterator[str]]:
    """The deltas of the answer, inside the block alone. Raises as `Gateway.stream` says."""
    breaker = means.breakers.of(engine.provider)
    breaker.check()
    call = Call(
        id=uuid7(),
        tenant=tenant,
        run_id=run_id,
        operation=talk.name,
        engine=engine,
        prompt_version=version_of(talk.prompt.text, RULES),
        amount=means.prices.most(engine, talk.instructions + talk.text, talk.most_tokens),
    )
    access = await means.spending.reserve(call)
    mask = Mask(talk.text) if access.redaction else None
    question = fence(mask.masked(talk.text) if mask else talk.text)
    await _send(talk, call, question, mask, means)
    record = _Record(call, means)
    try:
        with breaker.watching():
            async with means.providers.chat.stream(
                engine.model,
                access.key(engine),
                instructions=talk.instructions,
                question=question,
                most_tokens=talk.most_tokens,
            ) as deltas:
                record.stream = deltas
                yield _restored(deltas, mask)
    except CallFailed as failure:
        record.failed(failure)
        raise failure_of(engine, failure) from None
    finally:
        await record.write()


async def _send(talk: Talk, call: Call, question: str, mask: Mask | None, means: Means) -> None:
    destination = means.providers.destination(call.engine)
    redacted = mask.counts if mask else {}
    try:
        await means.spending.send(call, destination, talk.instructions + question, redacted)
    except BaseException:
        means.spending.release_later(call)
        raise


class _Record:
    """What the ledger will say of one stream, whatever ends it."""

    def __init__(self, call: Call, means: Means) -> None:
        self._call = call
        self._means = means
        self._started = time.monotonic()
        self._failure: CallFailed | None = None
        self.stream: ChatStream | None = None

    def failed(self, failure: CallFailed) -> None:
        self._failure = failure

    async def write(self) -> None:
        usage = self.stream.usage if self.stream is not None else Usage(estimated=True)
        error = None if not usage.is_untold else "left before its end"
        if self._failure is not None:
            usage, error = self._failure.usage, self._failure.reason
        status: CallStatus = "ok" if error is None else "error"
        row = usage_row(
            self._means.prices, self._call, self._started, status=status, usage=usage, error=error
        )
        self._means.ledger.defer(self._call.tenant, row, settles=True)
        await self._means.ledger.flush()


async def _restored(deltas: ChatStream, mask: Mask | None) -> AsyncIterator[str]:
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
