"""What a provider's error means: a short reason, and whether trying again may help.

Nothing of the provider's own text is passed on but a plain code: error messages quote prompts, and
some servers quote the key.
"""

import re
from http import HTTPStatus

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
)

from tidings.ai.engines.call import CallFailed, Usage

_PASSING = (ModelRateLimitError, ModelUnavailableError, ModelServerError, ModelConnectionError)
_PASSING_STATUS = (408, 409, 425)
_MEANS: dict[type[ModelAPIError], str] = {
    ModelTimeoutError: "no answer in time",
    ModelConnectionError: "the connection failed or broke",
    ModelAuthenticationError: "the API key is not accepted",
    ModelNotFoundError: "the model or the address is not known there",
    ModelQuotaExceededError: "the account has no credit left",
    ModelContextWindowExceededError: "the text is longer than the model takes",
}
# A word like invalid_request_error; never something that could be a key or a name.
_CODE = re.compile(r"[a-z]+(_[a-z]+){1,5}")


def to_failure(error: ModelAPIError, usage: Usage) -> CallFailed:
    """The outcome that this error is, `usage` being what the call may cost."""
    is_passing = isinstance(error, _PASSING) or _status(error) in _PASSING_STATUS
    return CallFailed(
        _reason(error), is_passing=is_passing, retry_after=error.retry_after, usage=usage
    )


def may_have_arrived(error: ModelAPIError) -> bool:
    """Whether the provider may have worked on the call, and charge it, although no answer came."""
    return isinstance(error, ModelConnectionError) and error.phase not in ("pool", "connect")


def is_undecodable(error: ModelAPIError) -> bool:
    """Whether an answer came, but its body is not JSON."""
    # Nothing more special than that, and not from an HTTP error: what pydantic-ai makes of them.
    cause = error.__cause__
    return type(error) is ModelAPIError and (cause is None or isinstance(cause, ValueError))


def _reason(error: ModelAPIError) -> str:
    status = _status(error)
    means = next((text for kind, text in _MEANS.items() if isinstance(error, kind)), None)
    code = error.provider_error_code or error.provider_error_type or ""
    if means is None and _CODE.fullmatch(code):
        means = code
    if status is None:
        return means or "it could not be asked"
    return f"{_named(status)} ({means})" if means else _named(status)


def _status(error: ModelAPIError) -> int | None:
    if isinstance(error, ModelHTTPError):
        return error.status_code
    found = getattr(error.__cause__, "status_code", None)  # a redirect, which we do not follow
    return found if isinstance(found, int) else None


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
