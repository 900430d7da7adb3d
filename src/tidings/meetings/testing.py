"""A Fathom to test against: a real HTTP server on this machine, of the external API's shape."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from standardwebhooks import Webhook

from tidings.base.testing import LocalServer

_INCLUDES = {
    "include_transcript": "transcript",
    "include_summary": "default_summary",
    "include_action_items": "action_items",
}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """How one call goes wrong: `body` is sent as it stands, cut to `sent` bytes when given."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}
    sent: int | None = None
    answers: bool = True


def status(code: int) -> Failure:
    """Any plain error answer."""
    return Failure(status=code, body=b'{"error":"scripted"}')


def limited(reset: int, header: str = "RateLimit-Reset") -> Failure:
    """429, open again in `reset` seconds."""
    return Failure(status=429, headers={header: str(reset)})


GARBAGE = Failure(body=b"<html>Bad gateway</html>")
TRUNCATED_JSON = Failure(body=b'{"limit":10,"items":[{"recording_id":1,"ti')
BROKEN_CONNECTION = Failure(body=b'{"limit":10,"items":[]}', sent=5)
NO_ANSWER = Failure(answers=False)


class Call(msgspec.Struct, frozen=True):
    """One request as it arrived; header names in lower case."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


class FakeFathom(LocalServer):
    """An account's meetings behind `base_url`, while the context is open.

    `meetings` are raw items of Fathom's shape, whole. `script(…)` makes the next calls fail, one
    failure each; `calls` logs every request. `silent` is set when a call is left unanswered.
    """

    def __init__(
        self,
        meetings: Sequence[Mapping[str, Any]] = (),
        *,
        api_key: str = "fathom-test-key",
        page_size: int = 10,
    ) -> None:
        """`page_size` is how many items one page holds (Fathom's own is 10)."""
        super().__init__()
        self.meetings: list[Mapping[str, Any]] = list(meetings)
        self.api_key = api_key
        self.page_size = page_size
        self.calls: list[Call] = []
        self._failures: list[Failure] = []

    def script(self, *failures: Failure) -> None:
        """Let the next calls fail so, in this order, before answering properly again."""
        self._failures += failures

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/external/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = _read_call((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
        self.calls.append(call)
        answer = self._failures.pop(0) if self._failures else self._answer(call)
        if answer.answers:
            writer.write(_written(answer))
            await writer.drain()
        else:
            self.silent.set()
            await reader.read()  # until the caller gives up

    def _answer(self, call: Call) -> Failure:
        if call.headers.get("x-api-key") != self.api_key:
            return Failure(status=401, body=b'{"error":"Unauthorized"}')
        if call.path != "/external/v1/meetings":
            return Failure(status=404, body=b'{"error":"Not found"}')
        try:
            start = _cursor_start(call.query.get("cursor", [""])[0])
        except ValueError:
            return Failure(status=400, body=b'{"error":"Invalid cursor"}')
        found = [item for item in self.meetings if _matches(item, call.query)]
        end = start + self.page_size
        page = {
            "limit": self.page_size,
            "next_cursor": _cursor(end) if end < len(found) else None,
            "items": [_shown(item, call.query) for item in found[start:end]],
        }
        return Failure(body=msgspec.json.encode(page))


def sign_webhook(secret: str, webhook_id: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The headers that Fathom sends with `body`, signed by the standardwebhooks library."""
    signature = Webhook(secret).sign(webhook_id, timestamp.astimezone(UTC), body.decode())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": signature,
    }


def _read_call(head: str) -> Call:
    request, *lines = head.split("\r\n")
    url = urlsplit(request.split(" ")[1])
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    return Call(url.path, parse_qs(url.query, keep_blank_values=True), headers)


def _written(answer: Failure) -> bytes:
    headers = {"Content-Type": "application/json", "Connection": "close"} | answer.headers
    headers["Content-Length"] = str(len(answer.body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    phrase = HTTPStatus(answer.status).phrase
    head = f"HTTP/1.1 {answer.status} {phrase}\r\n{lines}\r\n".encode("latin-1")
    return head + answer.body[: answer.sent]


def _matches(item: Mapping[str, Any], query: Mapping[str, list[str]]) -> bool:
    domains = query.get("calendar_invitees_domains[]", [])
    if domains and not any(domain in domains for domain in _domains(item)):
        return False
    after = query.get("created_after", [""])[0]
    if not after:
        return True
    return datetime.fromisoformat(str(item["created_at"])) > datetime.fromisoformat(after)


def _domains(item: Mapping[str, Any]) -> list[str]:
    invitees = item.get("calendar_invitees") or []
    return [
        invitee.get("email_domain") or str(invitee.get("email")).rpartition("@")[2].lower()
        for invitee in invitees
    ]


def _shown(item: Mapping[str, Any], query: Mapping[str, list[str]]) -> dict[str, Any]:
    hidden = {part for flag, part in _INCLUDES.items() if query.get(flag) != ["true"]}
    return {key: None if key in hidden else value for key, value in item.items()}


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(f"start:{start}".encode()).decode()


def _cursor_start(cursor: str) -> int:
    if not cursor:
        return 0
    return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("start:"))
