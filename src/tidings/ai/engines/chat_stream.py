"""An answer in plain text as it comes: server-sent events of chat completions.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

import time
from collections.abc import AsyncIterator

import httpx
import msgspec

from tidings.ai.engines import reasons
from tidings.ai.engines.call import CallFailed, Usage
from tidings.ai.engines.chat_failures import unreached
from tidings.ai.engines.chat_wire import Chat, Told


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: Told | None = None


_CHUNK = msgspec.json.Decoder(_Chunk)


class ChatStream:
    """Iterate it once; `usage` is what is known by now of what it costs."""

    def __init__(self, response: httpx.Response, sent: Usage, timeout: float) -> None:
        """`sent` is what it costs at least; `timeout` in seconds, for the whole answer."""
        self._response = response
        self._timeout = timeout
        self.usage = sent

    async def __aiter__(self) -> AsyncIterator[str]:
        """Pieces of text. Raises `CallFailed` when it breaks off."""
        ends_at = time.monotonic() + self._timeout
        try:
            async for line in self._response.aiter_lines():
                if time.monotonic() > ends_at:
                    raise CallFailed(reasons.TIMED_OUT, is_passing=True, usage=self.usage)
                if not line.startswith("data:") or line[5:].strip() == "[DONE]":
                    continue
                chunk = _CHUNK.decode(line[5:])
                if chunk.usage is not None:
                    self.usage = Chat([], chunk.usage).used("", "")
                for choice in chunk.choices:
                    if choice.delta.content:
                        yield choice.delta.content
        except httpx.HTTPError as error:
            raise unreached(error, self.usage) from None
        except (msgspec.MsgspecError, UnicodeError):
            raise CallFailed("an event that is not JSON", usage=self.usage) from None
