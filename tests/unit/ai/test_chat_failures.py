"""What an error of a chat completions endpoint means."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tidings.ai.engines.call import Usage
from tidings.ai.engines.chat_failures import refused, retry_after, unreached
from tidings.base import clock

SENT = Usage(prompt_tokens=10, estimated=True)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-1", 0.0), (None, None), ("", None), ("soon", None)],
)
def test_a_wait_in_seconds(told: str | None, seconds: float | None) -> None:
    assert retry_after(told) == seconds


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("inf", 86_400.0), ("1e300", 86_400.0), ("nan", None), ("-inf", 0.0), ("9", 9.0)],
)
def test_a_wait_that_fits_into_no_calendar_is_not_taken_over(
    told: str, seconds: float | None
) -> None:
    failure = refused(429, {"retry-after": told}, b"{}")
    assert failure.retry_after == seconds


def test_a_wait_until_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert retry_after(format_datetime(now + timedelta(seconds=90), usegmt=True)) == 90
    assert retry_after("Wed, 04 Mar 2026 12:00:05 -0000") == 5
    assert retry_after(format_datetime(now - timedelta(seconds=90), usegmt=True)) == 0


@pytest.mark.parametrize(
    ("status", "error", "reason", "is_passing"),
    [
        (429, {"code": "billing_hard_limit_reached"}, "the account has no credit left", False),
        (400, {"message": "This model's maximum context length is 8"}, "longer than", False),
        (500, {"code": "server_error"}, "500 Internal Server Error (server_error)", True),
        (429, {"code": "sk-a-key-that-leaks"}, "429 Too Many Requests", True),
    ],
)
def test_reasons(status: int, error: dict[str, str], reason: str, is_passing: bool) -> None:
    failure = refused(status, {}, json.dumps({"error": error}).encode())
    assert reason in failure.reason
    assert "sk-a-key" not in failure.reason
    assert failure.is_passing is is_passing


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "told as text"}', b"\xff"])
def test_a_body_that_says_nothing(body: bytes) -> None:
    assert refused(503, {}, body).reason == "503 Service Unavailable"


@pytest.mark.parametrize(
    ("error", "usage"),
    [
        (httpx.ConnectError("refused"), Usage()),
        (httpx.ConnectTimeout("slow"), Usage()),
        (httpx.InvalidURL("no"), Usage()),
        (httpx.ReadError("broke"), SENT),
        (httpx.ReadTimeout("slow"), SENT),
        (httpx.RemoteProtocolError("left"), SENT),
    ],
)
def test_what_may_have_arrived_may_have_cost(error: httpx.HTTPError, usage: Usage) -> None:
    assert unreached(error, SENT).usage == usage
