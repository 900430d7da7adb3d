"""What an error of pydantic-ai's means: a short reason, and whether trying again may help."""

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

from tidings.ai.engines import reasons
from tidings.ai.engines.call import CallFailed, Usage

_PASSING = (ModelRateLimitError, ModelUnavailableError, ModelServerError, ModelConnectionError)
_PASSING_STATUS = (408, 409, 425)
_MEANS: dict[type[ModelAPIError], str] = {
    ModelTimeoutError: reasons.TIMED_OUT,
    ModelConnectionError: reasons.BROKEN,
    ModelAuthenticationError: reasons.KEY_REFUSED,
    ModelNotFoundError: reasons.UNKNOWN_THERE,
    ModelQuotaExceededError: reasons.NO_CREDIT,
    ModelContextWindowExceededError: reasons.TOO_LONG,
}


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
    means = means or reasons.plain_code(error.provider_error_code or error.provider_error_type)
    if status is None:
        return means or "it could not be asked"
    return reasons.reason_of(status, means)


def _status(error: ModelAPIError) -> int | None:
    if isinstance(error, ModelHTTPError):
        return error.status_code
    found = getattr(error.__cause__, "status_code", None)  # a redirect, which we do not follow
    return found if isinstance(found, int) else None
