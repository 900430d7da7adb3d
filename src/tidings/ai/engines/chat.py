"""An exchange with an OpenAI-compatible endpoint: chat completions over plain HTTP.

A thin adapter: the SDKs cost some milliseconds of CPU a call. The answer is asked for as the
arguments of the only tool, whose parameters are the answer's JSON schema.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pydantic

from tidings.ai.engines import reasons
from tidings.ai.engines.call import TOOL, CallFailed, Reply, Usage, estimate_tokens
from tidings.ai.engines.chat_failures import refused, unreached
from tidings.ai.engines.chat_stream import ChatStream
from tidings.ai.engines.chat_wire import CHAT, Chat, Message
from tidings.ai.engines.schema import json_schema
from tidings.ai.fence import fence
from tidings.base.authorities import authorities

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"  # sent to servers that want no key; some insist on one

_CONNECTIONS = httpx.Limits(max_connections=None, max_keepalive_connections=64)


class ChatEndpoint:
    """The connections of one process to an OpenAI-compatible endpoint; close with `close()`."""

    def __init__(self, base_url: str, timeout: float) -> None:
        """Opens no connection yet; `timeout` in seconds, for each call whole."""
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        # One that is not OpenAI's own may only know the older parameter.
        self._bound = "max_completion_tokens" if base_url == OPENAI_URL else "max_tokens"
        self.url = httpx.URL(f"{base_url.rstrip('/')}/chat/completions")
        self.timeout = timeout
        self._http = httpx.AsyncClient(
            timeout=timeout,
            limits=_CONNECTIONS,
            trust_env=True,
            follow_redirects=False,
            verify=authorities(),
        )

    def exchange(
        self,
        model: str,
        key: str | None,
        *,
        instructions: str,
        question: str,
        schema: type[pydantic.BaseModel],
        most_tokens: int,
    ) -> "ChatExchange":
        """One question to a model: `most_tokens` bounds each answer."""
        body = {
            "model": model,
            self._bound: most_tokens,
            "tools": [_tool(schema)],
            "tool_choice": "required",
        }
        return ChatExchange(self, key, body, _opening(instructions, question))

    async def post(self, body: bytes, key: str | None) -> httpx.Response:
        """Send one request. Raises httpx's errors."""
        return await self._http.post(self.url, content=body, headers=_headers(key))

    @asynccontextmanager
    async def stream(
        self, model: str, key: str | None, *, instructions: str, question: str, most_tokens: int
    ) -> AsyncIterator[ChatStream]:
        """The deltas of one answer in plain text. Raises `CallFailed`."""
        body = {
            "model": model,
            self._bound: most_tokens,
            "messages": _opening(instructions, question),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        request = self._http.build_request(
            "POST", self.url, content=msgspec.json.encode(body), headers=_headers(key)
        )
        sent = Usage(prompt_tokens=estimate_tokens(instructions + question), estimated=True)
        try:
            response = await self._http.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreached(error, sent) from None
        try:
            if not response.is_success:
                body_read = await response.aread()
                raise refused(response.status_code, response.headers, body_read)
            yield ChatStream(response, sent.prompt_tokens, self.timeout)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class ChatExchange:
    """A question, the answers to it, and what was wrong with them."""

    def __init__(
        self,
        endpoint: ChatEndpoint,
        key: str | None,
        body: dict[str, Any],
        opening: list[dict[str, Any]],
    ) -> None:
        """Made by `ChatEndpoint.exchange`."""
        self._endpoint = endpoint
        self._key = key
        self._body = body
        self._opening = opening
        self._messages = opening
        self._said: Message | None = None
        self._encoded: bytes | None = None

    async def ask(self) -> Reply:
        """Send everything so far and wait for the answer: one HTTP call. Raises `CallFailed`."""
        self._said = None
        try:
            async with asyncio.timeout(self._endpoint.timeout):
                response = await self._endpoint.post(self._request(), self._key)
        except TimeoutError:
            raise CallFailed(reasons.TIMED_OUT, is_passing=True, usage=self.sent()) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreached(error, self.sent()) from None
        if not response.is_success:
            raise refused(response.status_code, response.headers, response.content)
        try:
            chat = CHAT.decode(response.content)
        except msgspec.ValidationError:
            return Reply(self.sent(), None, "The answer is not of the provider's own shape.")
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return Reply(self.sent(), None, "The answer is not JSON.")
        return self._read(chat)

    def refuse(self, feedback: str) -> None:
        """Say what was wrong with the last answer, so that the next `ask` repairs it."""
        # The feedback may quote the answer, and with it the source: it is data as well.
        note = (
            "The answer cannot be used, for the reason between the two lines. "
            f"Call the tool {TOOL} with the whole, corrected answer.\n{fence(feedback)}"
        )
        self._encoded = None
        calls = (self._said.tool_calls if self._said is not None else None) or []
        if not calls or not all(call.id and call.is_whole() for call in calls):
            self._messages = [*self._opening, {"role": "user", "content": note}]
            return
        shown = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.text},
            }
            for call in calls
        ]
        results = [{"role": "tool", "tool_call_id": call.id, "content": note} for call in calls]
        said = {"role": "assistant", "content": None, "tool_calls": shown}
        self._messages = [*self._messages, said, *results]

    def told(self) -> str:
        """All text that the next `ask` tells the provider."""
        return self._request().decode()

    def sent(self) -> Usage:
        """What a call that may have arrived costs at least: its input, counted from the text."""
        return Usage(prompt_tokens=estimate_tokens(self.told()), estimated=True)

    def _request(self) -> bytes:
        if self._encoded is None:
            self._encoded = msgspec.json.encode({**self._body, "messages": self._messages})
        return self._encoded

    def _read(self, chat: Chat) -> Reply:
        self._said = chat.choices[0].message if chat.choices else None
        text, problem = chat.read()
        return Reply(chat.used(self.told(), text or ""), text, problem)


def _headers(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key or NO_KEY}", "content-type": "application/json"}


def _opening(instructions: str, question: str) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": instructions},
        {"role": "user", "content": question},
    ]


def _tool(schema: type[pydantic.BaseModel]) -> dict[str, Any]:
    # The answer tool is the only one: whatever the source says, there is nothing to be run.
    return {
        "type": "function",
        "function": {
            "name": TOOL,
            "description": "Give the answer, whole, in this shape.",
            "parameters": json_schema(schema),
        },
    }
