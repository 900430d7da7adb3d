"""Both sides of the gateway's benchmarks: a provider in a process of its own, LiteLLM, a client.

The provider and the client are as lean as asyncio allows, so that what is measured is the gateway.
LiteLLM is looked for at TIDINGS_BENCH_LITELLM, then at .venv-litellm/bin/litellm.
"""

import asyncio
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pydantic
import uvloop

from tidings.ai.operation import Operation
from tidings.ai.prompts import Prompt, version_of

LITELLM = Path(
    os.environ.get("TIDINGS_BENCH_LITELLM")
    or Path(__file__).parent.parent / ".venv-litellm/bin/litellm"
)
ENGINE = "openai:gpt-4o-mini"
KEY = "sk-" + secrets.token_urlsafe(32)  # LiteLLM refuses to start with a weak one
START_SECONDS = 120

_ANSWER = msgspec.json.encode(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {
                                "name": "answer",
                                "arguments": '{"goals": [{"text": "We ship on Friday"}]}',
                            },
                        }
                    ],
                },
            }
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220},
    }
)
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    % len(_ANSWER)
) + _ANSWER


class Goal(pydantic.BaseModel):
    """One goal."""

    text: str


class Goals(pydantic.BaseModel):
    """The answer's shape."""

    goals: list[Goal]


_PROMPT = "Find the goals that somebody states."
READ: Operation[str, list[str]] = Operation(
    name="bench.read_goals",
    prompt=Prompt("read_goals", _PROMPT, version_of(_PROMPT)),
    schema=Goals,
    local=lambda source: [source],
    render=lambda source: source,
    accept=lambda source, answer: [goal.text for goal in answer.goals],
    local_version="local-1",
    most_tokens=500,
)
SOURCE = "We ship on Friday. The budget is tight. " * 10
ASKED = msgspec.json.encode(
    {
        "model": "gpt-4o-mini",
        "max_tokens": 500,
        "messages": [
            {"role": "system", "content": READ.instructions},
            {"role": "user", "content": SOURCE},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "answer", "parameters": Goals.model_json_schema()},
            }
        ],
        "tool_choice": "required",
    }
)


class _Provider(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            start = head.find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._transport.write(_RESPONSE)  # type: ignore[attr-defined]


async def serve(port: int) -> None:
    """Answer everything with the same chat completion, for ever."""
    server = await asyncio.get_running_loop().create_server(_Provider, "127.0.0.1", port)
    await server.serve_forever()


@asynccontextmanager
async def provider() -> AsyncIterator[int]:
    """The provider in a process of its own; its port."""
    port = _free_port()
    async with _process([sys.executable, __file__, str(port)], port, {}):
        yield port


@asynccontextmanager
async def litellm(upstream: int) -> AsyncIterator[int]:
    """LiteLLM's proxy with one worker in front of the provider; its port."""
    if not os.access(LITELLM, os.X_OK):
        raise SystemExit(
            f"There is no {LITELLM}: `make bench` installs it; TIDINGS_BENCH_LITELLM names another."
        )
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(
            "model_list:\n"
            "  - model_name: gpt-4o-mini\n"
            "    litellm_params: {model: openai/gpt-4o-mini, "
            f'api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-1}}\n'
            "litellm_settings: {telemetry: false}\n"
            f'general_settings: {{master_key: "{KEY}"}}\n'
        )
        given = ["--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
        quiet = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
            "PATH": f"{LITELLM.parent}:/usr/bin:/bin",
        }
        async with _process([str(LITELLM), *given, "--num_workers", "1"], port, quiet):
            yield port


class Client:
    """One kept-alive connection that posts the same request."""

    def __init__(self, port: int) -> None:
        """Connects with the first call."""
        self._port = port
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"authorization: Bearer {KEY}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(ASKED)}\r\n\r\n"
        )
        self._request = head.encode() + ASKED
        self._reader: asyncio.StreamReader | None = None

    async def call(self) -> None:
        """Post, and read the whole answer."""
        if self._reader is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(head.decode())
        length = int(head.split(b"content-length:")[1].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)

    def close(self) -> None:
        """Close the connection."""
        if self._reader is not None:
            self._writer.close()


async def percentiles(
    call: Callable[[int], Awaitable[object]], at_once: int, calls: int
) -> tuple[float, float]:
    """Milliseconds a call takes, p50 and p99: `calls` in all, by `at_once` callers."""
    taken: list[float] = []

    async def caller(number: int) -> None:
        for _ in range(calls // at_once):
            started = time.perf_counter()
            await call(number)
            taken.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*map(caller, range(at_once)))
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.99)]


async def through(port: int, at_once: int, calls: int) -> tuple[float, float]:
    """Percentiles of plain HTTP to that port."""
    clients = [Client(port) for _ in range(at_once)]
    try:
        return await percentiles(lambda number: clients[number].call(), at_once, calls)
    finally:
        for client in clients:
            client.close()


@asynccontextmanager
async def _process(command: list[str], port: int, variables: dict[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                if process.returncode is not None:
                    raise SystemExit(f"{command[0]} ended with {process.returncode}")
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    break
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
