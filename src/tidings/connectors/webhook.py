"""The signed webhook out: a message to the customer's own gateway (standardwebhooks.com).

It carries our idempotency key as `webhook-id`: the gateway sends once per key, so a try without
an answer may be repeated.
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import msgspec
from standardwebhooks import Webhook

from tidings.base import clock
from tidings.base.errors import SourceUnavailable
from tidings.connectors.outgoing import Outcome, Outgoing
from tidings.connectors.targets import Target, find_target

SECONDS = 30.0
EVENT = "message.send"
TEST = "gateway.test"
LONGEST_ANSWER = 64 * 1024  # bytes; what comes after is not read
LONGEST_WAIT = 86_400.0

_AGAIN = frozenset({408, 425, 429})


class WebhookConnector:
    """Posts one message at a time to one address."""

    is_repeatable = True
    address = None  # the gateway knows whose number or account it is

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        allow_private: bool = False,
        now: Callable[[], datetime] = clock.now,
        seconds: float = SECONDS,
    ) -> None:
        """`secret` is `whsec_` and base64. `seconds` bounds one try."""
        self._url = url
        self._secret = secret
        self._allow_private = allow_private
        self._now = now
        self._seconds = seconds

    async def send(self, message: Outgoing) -> Outcome:
        """Try once; never raises for what the other side does."""
        return await self._try(message.idempotency_key, payload_of(message, self._now()))

    async def test(self, channel: str) -> Outcome:
        """Post an event of type `gateway.test`, which sends nothing on; what came of it."""
        at = self._now().astimezone(UTC).isoformat()
        return await self._try(
            uuid4(), {"type": TEST, "timestamp": at, "data": {"channel": channel}}
        )

    async def _try(self, key: UUID, payload: dict[str, Any]) -> Outcome:
        has_left = False
        try:
            async with asyncio.timeout(self._seconds):
                target = await find_target(self._url, allow_private=self._allow_private)
                has_left = True
                return await self._post(target, str(key), payload)
        except SourceUnavailable as error:
            return Outcome("temporary", error.message)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Outcome("temporary", f"No connection: {error}")
        except (TimeoutError, httpx.HTTPError) as error:
            said = f"No answer: {type(error).__name__}"
            return Outcome("unknown" if has_left else "temporary", said)

    async def _post(self, target: Target, key: str, payload: dict[str, Any]) -> Outcome:
        body = msgspec.json.encode(payload)
        headers = sign(self._secret, key, self._now(), body)
        headers |= {"content-type": "application/json", "host": _host(target)}
        headers["idempotency-key"] = key
        async with httpx.AsyncClient(
            timeout=self._seconds, follow_redirects=False, trust_env=False, verify=_tls()
        ) as client:
            request = client.build_request(
                "POST",
                _pinned(target),
                content=body,
                headers=headers,
                extensions={"sni_hostname": target.host},
            )
            response = await client.send(request, stream=True)
            try:
                return _outcome(response, await _beginning(response))
            finally:
                await response.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the authorities takes longer than a post."""
    return ssl.create_default_context()


def payload_of(message: Outgoing, at: datetime) -> dict[str, Any]:
    """What the gateway gets: an event around the message."""
    return {
        "type": EVENT,
        "timestamp": at.astimezone(UTC).isoformat(),
        "data": {
            "id": message.idempotency_key,
            "type": message.type,
            "channel": message.channel,
            "to": message.recipient,
            "subject": message.subject,
            "content": message.content,
            "is_automatic": message.is_automatic,
            "in_reply_to": message.in_reply_to,
            "attempt": message.attempt,
            "unsubscribe_url": message.unsubscribe_url,
        },
    }


def sign(secret: str, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks, with a fresh time at each try."""
    signature = Webhook(secret).sign(webhook_id, at.astimezone(UTC), body.decode())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def _pinned(target: Target) -> str:
    """The URL with the address that was checked in place of the name."""
    parts = urlsplit(target.url)
    ip = f"[{target.ip}]" if ":" in target.ip else target.ip
    return parts._replace(netloc=f"{ip}:{target.port}").geturl()


def _host(target: Target) -> str:
    return urlsplit(target.url).netloc.rpartition("@")[2]


async def _beginning(response: httpx.Response) -> bytes:
    read = b""
    async for part in response.aiter_bytes():
        read += part
        if len(read) >= LONGEST_ANSWER:
            break
    return read[:LONGEST_ANSWER]


def _outcome(response: httpx.Response, body: bytes) -> Outcome:
    status = response.status_code
    said = f"{status} {' '.join(body[:300].decode('utf-8', 'replace').split())}".strip()
    if 200 <= status < 300:
        return Outcome("sent", said, _named(body))
    if status in _AGAIN or status >= 500:
        return Outcome("temporary", said, retry_after=_retry_after(response))
    if 300 <= status < 400:
        return Outcome("refused", f"{status}: redirects are not followed")
    return Outcome("refused", said)


def _named(body: bytes) -> str | None:
    """The `id` that the gateway gave the message, where it answers with one."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    name = answer.get("id") if isinstance(answer, dict) else None
    return str(name)[:1000] if isinstance(name, str | int) else None


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds from Retry-After, where it is a plain number; at most a day."""
    value = response.headers.get("retry-after", "")
    return min(float(value), LONGEST_WAIT) if value.isascii() and value.isdigit() else None
