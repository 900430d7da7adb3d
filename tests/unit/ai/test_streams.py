"""Streams that last too long or come in no shape."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.usage import RequestUsage

from tidings.ai.engines.call import CallFailed, Usage
from tidings.ai.engines.chat_stream import ChatStream
from tidings.ai.engines.text_stream import ModelStream
from tidings.ai.operation import check_operation

SENT = Usage(prompt_tokens=7, estimated=True)


class Lines:
    """What httpx gives of a response that streams."""

    async def aiter_lines(self) -> AsyncIterator[str]:
        yield 'data: {"choices": [{"delta": {"content": "She"}}]}'


class Events:
    """What pydantic-ai gives: it may raise."""

    usage = RequestUsage()
    finish_reason = None

    def __init__(self, raises: Exception | None = None) -> None:
        self.raises = raises

    async def __aiter__(self) -> AsyncIterator[Any]:
        if self.raises is not None:
            raise self.raises
        yield object()


async def all_of(stream: Any) -> CallFailed:
    with pytest.raises(CallFailed) as told:
        async for _ in stream:
            pass
    assert told.value.usage == SENT
    return told.value


async def test_one_that_lasts_too_long_ends() -> None:
    chat = await all_of(ChatStream(Lines(), 7, timeout=-1))  # type: ignore[arg-type]
    other = await all_of(ModelStream(Events(), "", SENT, -1))  # type: ignore[arg-type]
    for failure in (chat, other):
        assert (failure.reason, failure.is_passing) == ("no answer in time", True)


@pytest.mark.parametrize(
    ("error", "reason", "is_passing"),
    [
        (UnexpectedModelBehavior("x"), "an answer that is not of the provider's own shape", False),
        (httpx2.ReadError("x"), "the connection failed or broke", True),
    ],
)
async def test_one_that_breaks_says_how(error: Exception, reason: str, is_passing: bool) -> None:
    failure = await all_of(ModelStream(Events(error), "", SENT, 9))  # type: ignore[arg-type]
    assert (failure.reason, failure.is_passing) == (reason, is_passing)


@pytest.mark.parametrize("name", ["", "read", "A.b", "a.b.c", "a b.c", f"a.{'b' * 99}"])
def test_an_operation_has_a_name_that_the_ledger_takes(name: str) -> None:
    check_operation("engagement.read_meeting")
    with pytest.raises(ValueError, match="not a name such as"):
        check_operation(name)
