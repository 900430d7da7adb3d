"""A provider to test against: a real HTTP server here, of OpenAI's and Anthropic's shape."""

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tidings.base.testing import LocalServer

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"

_FENCED = re.compile(r"-----BEGIN SOURCE (\w+)-----\n(.*)\n-----END SOURCE \1-----", re.DOTALL)


class Ask(msgspec.Struct, frozen=True):
    """One request as it arrived; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def key(self) -> str:
        """The API key that was sent."""
        return self.headers.get("x-api-key") or self.headers.get("authorization", "")[7:]

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema that the answer has to fit."""
        tool = self.body["tools"][0]
        found: dict[str, Any] = tool.get("input_schema") or tool["function"]["parameters"]
        return found

    @property
    def instructions(self) -> str:
        """What the system message says."""
        if "system" in self.body:
            return _text(self.body["system"])
        return _text(self.body["messages"][0]["content"])

    @property
    def source(self) -> str:
        """The text inside the fence of the first user message."""
        users = [m for m in self.body["messages"] if m["role"] == "user"]
        fenced = _FENCED.search(_text(users[0]["content"]))
        return fenced[2] if fenced else ""

    @property
    def is_repair(self) -> bool:
        """Whether an earlier answer was refused."""
        return len([m for m in self.body["messages"] if m["role"] != "system"]) > 1


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the model says: `text` as the arguments of the answer tool, or as plain text."""

    text: str
    is_plain: bool = False
    finish: str | None = None
    tells_usage: bool = True


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """How a call goes wrong: `body` is sent as it stands, cut to `sent` bytes when given."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}
    sent: int | None = None
    answers: bool = True


def status(code: int, error_code: str = "scripted", message: str = "scripted") -> Failure:
    """A plain error answer, with a code and a message of the provider's."""
    error = {"message": message, "type": error_code, "code": error_code, "param": None}
    return Failure(status=code, body=msgspec.json.encode({"type": "error", "error": error}))


def limited(retry_after: str) -> Failure:
    """429 with that Retry-After: seconds or an HTTP date."""
    failure = status(429, "rate_limit_exceeded")
    return msgspec.structs.replace(failure, headers={"Retry-After": retry_after})


def says(value: object) -> Said:
    """An answer of that value as JSON, whatever the schema wants."""
    return Said(text=msgspec.json.encode(value).decode())


GARBAGE = Failure(body=b"<html>Bad gateway</html>")
TRUNCATED_BODY = Failure(body=b'{"id":"1","object":"chat.completion","choices":[{"mess')
BROKEN_CONNECTION = Failure(sent=5, body=b'{"id":"1"}')
NO_ANSWER = Failure(answers=False)
TRUNCATED_ANSWER = Said(text='{"goals": [{"text": "Ship the', finish="length")
GARBAGE_ANSWER = Said(text="I am happy to help!")

Step = Said | Failure


class FakeProvider(LocalServer):
    """A provider behind `base_url` (OpenAI's shape) and `anthropic_url`, while the context is open.

    `answer` gives the value that answers a request. `script(…)` says what the next calls get
    instead, one step each; `asked` logs every request. While `gate` is cleared, answers wait.
    """

    limit = 2**26

    def __init__(
        self,
        answer: Callable[[Ask], object] = lambda ask: {},
        *,
        tokens: tuple[int, int, int] = (1000, 100, 0),
    ) -> None:
        """`tokens` of each answer: prompt (all of it), completion, and cached of the prompt."""
        super().__init__()
        self.answer = answer
        self.tokens = tokens
        self.asked: list[Ask] = []
        self.at_once = 0  # calls under way
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.rest = asyncio.Event()
        self.rest.set()
        self._arrived = asyncio.Condition()
        self._steps: list[Step] = []

    @property
    def anthropic_url(self) -> str:
        """Where it answers in Anthropic's shape."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """Where it answers in OpenAI's shape."""
        return f"{self.anthropic_url}/v1"

    def script(self, *steps: Step) -> None:
        """Give the next calls these, in this order, before answering properly again."""
        self._steps += steps

    async def wait_for(self, calls: int) -> None:
        """Until so many calls have arrived in all."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.asked) >= calls)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        try:
            ask = await _read(reader)
            self.most_at_once = max(self.most_at_once, self.at_once)
            async with self._arrived:
                self.asked.append(ask)
                self._arrived.notify_all()
            await self._reply(ask, reader, writer)
        finally:
            self.at_once -= 1

    async def _reply(
        self, ask: Ask, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        step = self._steps.pop(0) if self._steps else says(self.answer(ask))
        await self.gate.wait()
        if isinstance(step, Failure) and not step.answers:
            await reader.read()  # until the caller gives up
            return
        if isinstance(step, Said) and ask.body.get("stream"):
            await self._stream(ask, step, writer)
            return
        writer.write(_written(step if isinstance(step, Failure) else self._spoken(ask, step)))
        await writer.drain()

    async def _stream(self, ask: Ask, said: Said, writer: asyncio.StreamWriter) -> None:
        """A text in pieces of 4 characters; while `rest` is cleared, only the first comes."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        events = _message_events if ask.path == MESSAGES else _chat_events
        for event in events(said, self.tokens):
            writer.write(event)
            await writer.drain()
            if said.text[:4].encode() in event:
                await self.rest.wait()

    def _spoken(self, ask: Ask, said: Said) -> Failure:
        shape = {CHAT: _chat, MESSAGES: _message}.get(ask.path)
        if shape is None:
            return status(404, "not_found_error")
        return Failure(body=msgspec.json.encode(shape(ask, said, self.tokens)))


def _chat(ask: Ask, said: Said, tokens: tuple[int, int, int]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if said.is_plain:
        message["content"] = said.text
    else:
        call = {"name": ask.body["tools"][0]["function"]["name"], "arguments": said.text}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
    finish = said.finish or ("stop" if said.is_plain else "tool_calls")
    whole = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": ask.body["model"],
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
    }
    if said.tells_usage:
        whole["usage"] = {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": tokens[0] + tokens[1],
            "prompt_tokens_details": {"cached_tokens": tokens[2]},
        }
    return whole


def _message(ask: Ask, said: Said, tokens: tuple[int, int, int]) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": said.text}
    if not said.is_plain:
        name = ask.body["tools"][0]["name"]
        value = msgspec.json.decode(said.text)
        block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": value}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": ask.body["model"],
        "content": [block],
        "stop_reason": {"length": "max_tokens", None: "tool_use"}.get(said.finish, said.finish),
        "stop_sequence": None,
        "usage": {
            "input_tokens": tokens[0] - tokens[2],
            "output_tokens": tokens[1],
            "cache_read_input_tokens": tokens[2],
            "cache_creation_input_tokens": 0,
        },
    }


def _pieces(said: Said) -> list[str]:
    return [said.text[start : start + 4] for start in range(0, len(said.text), 4)]


def _chat_events(said: Said, tokens: tuple[int, int, int]) -> Iterator[bytes]:
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in _pieces(said)
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": said.finish or "stop"}]})
    if said.tells_usage:
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
        chunks.append({"choices": [], "usage": usage})
    for chunk in chunks:
        yield b"data: " + msgspec.json.encode(chunk) + b"\n\n"
    yield b"data: [DONE]\n\n"


def _message_events(said: Said, tokens: tuple[int, int, int]) -> Iterator[bytes]:
    opening: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": tokens[0] - tokens[2], "output_tokens": 1},
    }
    opening["usage"] |= {"cache_read_input_tokens": tokens[2], "cache_creation_input_tokens": 0}
    ending = {"stop_reason": said.finish or "end_turn", "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": opening},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": piece},
            }
            for piece in _pieces(said)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": tokens[1]}},
        {"type": "message_stop"},
    ]
    for event in events:
        yield b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content)


async def _read(reader: asyncio.StreamReader) -> Ask:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.split("\r\n")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path = request.split(" ")[1].partition("?")[0]
    return Ask(path, headers, msgspec.json.decode(body) if body else {})


def _written(answer: Failure) -> bytes:
    headers = {"Content-Type": "application/json", "Connection": "close"} | answer.headers
    headers["Content-Length"] = str(len(answer.body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {answer.status} scripted\r\n{lines}\r\n".encode("latin-1")
    return head + answer.body[: answer.sent]
