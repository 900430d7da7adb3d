"""What went wrong at an OpenAI-compatible endpoint: a short reason, and whether it may pass."""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from tidings.ai.engines import reasons
from tidings.ai.engines.call import CallFailed, Usage
from tidings.base import clock

# 429 as well, but waiting does not help.
_NO_CREDIT = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
)
# How servers that send no code word it.
_TOO_LONG = ("maximum context length", "reduce the length of the messages")
_PASSING = (408, 409, 425, 429)
_MEANS = {
    401: reasons.KEY_REFUSED,
    403: reasons.KEY_REFUSED,
    402: reasons.NO_CREDIT,
    404: reasons.UNKNOWN_THERE,
}
# Nothing was sent: no connection stood yet.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


class _Error(msgspec.Struct):
    message: Any = None
    type: Any = None
    code: Any = None


class _Body(msgspec.Struct):
    error: _Error


def refused(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    """An answer that is an error."""
    error = _error(body)
    means = _means(status, error)
    is_passing = means != reasons.NO_CREDIT and (status in _PASSING or status >= 500)
    return CallFailed(
        reasons.reason_of(status, means),
        is_passing=is_passing,
        retry_after=retry_after(headers.get("retry-after")),
    )


def unreached(error: httpx.HTTPError | httpx.InvalidURL, sent: Usage) -> CallFailed:
    """No answer: `sent` is what the call may cost, if it may have arrived."""
    usage = Usage() if isinstance(error, (*_NEVER_LEFT, httpx.InvalidURL)) else sent
    timed_out = isinstance(error, httpx.TimeoutException)
    reason = reasons.TIMED_OUT if timed_out else reasons.BROKEN
    return CallFailed(reason, is_passing=True, usage=usage)


def retry_after(told: str | None) -> float | None:
    """Seconds to wait (RFC 9110, 10.2.3: a number of them, or a date); None when not told."""
    if not told:
        return None
    try:
        seconds = float(told)
        return seconds if math.isnan(seconds) else max(0.0, seconds)
    except ValueError:
        pass  # then it is a date, or nothing
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - clock.now()).total_seconds())


def _means(status: int, error: _Error) -> str | None:
    if error.code in _NO_CREDIT or error.type in _NO_CREDIT:
        return reasons.NO_CREDIT
    message = str(error.message).lower()
    if error.code == "context_length_exceeded" or any(words in message for words in _TOO_LONG):
        return reasons.TOO_LONG
    return _MEANS.get(status) or reasons.plain_code(error.code or error.type)


def _error(body: bytes) -> _Error:
    try:
        return msgspec.json.decode(body, type=_Body).error
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return _Error()
