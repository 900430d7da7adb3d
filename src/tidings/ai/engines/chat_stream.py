"""An answer in plain text as it comes: server-sent events of chat completions.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

import time
from collections.abc import AsyncIterator

import httpx
import msgspec

from tidings.ai.engines import reasons
from tidings.ai.engines.call import CallFailed, Usage, estimate_tokens
from tidings.ai.engines.chat_failures import unreached
from tidings.ai.engines.chat_wire import Chat, Told


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: Told | None = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_DONE = "[DONE]"


class ChatStream:
    """Iterate it once; `usage` is its input alone until its end."""

    def __init__(self, response: httpx.Response, prompt_tokens: int, timeout: float) -> None:
        """`prompt_tokens` counted from the text; `timeout` in seconds, for the whole answer."""
        self._response = response
        self._ends_at = time.monotonic() + timeout
        self._told: Usage | None = None
        self._is_whole = False
        self._length = 0
        self.usage = Usage(prompt_tokens=prompt_tokens, estimated=True)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Pieces of text. Raises `CallFailed` when it breaks off."""
        try:
            async for line in self._response.aiter_lines():
                if time.monotonic() > self._ends_at:
                    raise CallFailed(reasons.TIMED_OUT, is_passing=True, usage=self.usage)
                if line.startswith("data:"):
                    for text in self._read(line[5:].strip()):
                        self._length += len(text)
                        yield text
        except httpx.HTTPError as error:
            raise unreached(error, self.usage) from None
        except (msgspec.MsgspecError, UnicodeError):
            raise CallFailed("an event that is not JSON", usage=self.usage) from None
        if not self._is_whole:
            raise CallFailed(reasons.BROKEN, is_passing=True, usage=self.usage)
        self.usage = self._told or Usage(
            prompt_tokens=self.usage.prompt_tokens,
            completion_tokens=estimate_tokens(" " * self._length),
            estimated=True,
        )

    def _read(self, data: str) -> list[str]:
        """The pieces of text in one event."""
        if data == _DONE:
            self._is_whole = True
            return []
        chunk = _CHUNK.decode(data)
        if chunk.usage is not None and chunk.usage.prompt_tokens:
            self._told = Chat([], chunk.usage).used("", "")
        self._is_whole |= any(choice.finish_reason for choice in chunk.choices)
        return [choice.delta.content for choice in chunk.choices if choice.delta.content]
