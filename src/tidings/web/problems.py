"""Errors as RFC 9457 problem details: the one place where an error becomes an HTTP status."""

import logging
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from tidings.base import errors
from tidings.base.complaints import worded
from tidings.base.errors import FieldProblem, TidingsError
from tidings.base.ids import uuid7

log = logging.getLogger("tidings.web")


MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[TidingsError], int] = {
    errors.InputInvalid: 400,
    errors.CursorInvalid: 400,
    errors.DomainInvalid: 400,
    errors.FileInvalid: 400,
    errors.EngineUnknown: 400,
    errors.CredentialMissing: 401,
    errors.CredentialInvalid: 401,
    errors.SignatureInvalid: 401,
    errors.RoleForbidden: 403,
    errors.CsrfInvalid: 403,
    errors.AiForbidden: 403,
    errors.RowMissing: 404,
    errors.MethodForbidden: 405,
    errors.StateConflict: 409,
    errors.LeaseLost: 409,
    errors.RunCancelled: 409,
    errors.SourceUnconfigured: 409,
    errors.PriceUnknown: 409,
    errors.ScoreUnsupported: 409,
    errors.VersionStale: 412,
    errors.BodyTooLarge: 413,
    errors.MediaUnsupported: 415,
    errors.IdempotencyMismatch: 422,
    errors.IdempotencyBusy: 409,
    errors.RateExceeded: 429,
    errors.BudgetExceeded: 429,
    errors.ProviderFailed: 502,
    errors.AnswerUnreadable: 502,
    errors.SourceUnavailable: 502,
    errors.DatabaseBusy: 503,
    errors.DatabaseUnavailable: 503,
    errors.MigrationBroken: 503,
}
"""What is not here is a defect or a misconfiguration of ours: 500."""

_TITLES = {
    400: "The request is not valid",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Idempotency key used before",
    429: "Too many requests",
    500: "Something went wrong here",
    502: "An outside system failed",
    503: "Not available right now",
}

_MISSING = re.compile(r"Missing required \w+ parameter '(?P<name>[^']+)' for path ")
"""How the framework says that a parameter was not sent; it names it in the sentence alone."""

_OF_FRAMEWORK: dict[int, type[TidingsError]] = {
    400: errors.InputInvalid,
    401: errors.CredentialMissing,
    403: errors.RoleForbidden,
    404: errors.RowMissing,
    405: errors.MethodForbidden,
    413: errors.BodyTooLarge,
    415: errors.MediaUnsupported,
    429: errors.RateExceeded,
}


class Problem(msgspec.Struct, frozen=True):
    """A problem detail; `code` is stable, `detail` says what to do."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] = []


def status_of(error: TidingsError) -> int:
    """The HTTP status of an error."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def problem_of(error: TidingsError) -> Problem:
    """The problem detail of an error; a 500 says nothing of its inside."""
    status = status_of(error)
    return Problem(
        type=f"urn:tidings:problem:{error.code}",
        title=_TITLES[status],
        status=status,
        code=error.code if status != 500 else TidingsError.code,
        detail=error.message
        if status != 500
        else "It was logged with the request id in the X-Request-Id header.",
        errors=error.errors,
    )


def problem_response(error: TidingsError) -> Response[Problem]:
    """The answer to an error, with Retry-After and WWW-Authenticate where they belong."""
    problem = problem_of(error)
    headers = retry_headers(error)
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(problem, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)


def retry_headers(error: TidingsError) -> dict[str, str]:
    """Retry-After, in seconds, where waiting helps."""
    if error.retry_after is None and status_of(error) != 503:
        return {}
    return {"retry-after": str(max(1, round(error.retry_after or 1)))}


def as_error(exception: Exception, kinds: Mapping[str, Any] | None = None) -> TidingsError:
    """Any exception as one of ours; `kinds` are the types of the parameters, by name."""
    if isinstance(exception, TidingsError):
        return exception
    if isinstance(exception, ValidationException):
        missing = _MISSING.match(exception.detail)
        if missing is not None:
            problem = FieldProblem(missing["name"], "is missing")
            return errors.InputInvalid(f"{problem.field} {problem.message}.", errors=[problem])
        return errors.InputInvalid(errors=_fields(exception.extra, kinds or {}))
    if isinstance(exception, (UnicodeDecodeError, RecursionError)):
        # What msgspec lets through of a body that is not UTF-8, or nested beyond all reason.
        return errors.InputInvalid("The body is not valid JSON in UTF-8.")
    if isinstance(exception, HTTPException) and exception.status_code in _OF_FRAMEWORK:
        kind = _OF_FRAMEWORK[exception.status_code]
        return kind(exception.detail) if exception.status_code == 400 else kind()
    return TidingsError()


def handle(request: Request[Any, Any, Any], exception: Exception) -> Response[Problem]:
    """Litestar's handler for every exception of the API."""
    error = as_error(exception, _kinds(request))
    log_defect(request, error, exception)
    return problem_response(error)


def log_defect(request: Request[Any, Any, Any], error: TidingsError, exception: Exception) -> None:
    """Log what is our fault, with its traceback and the id that the client was shown."""
    if _is_defect(error):
        request_id = str(request.scope["state"].setdefault("request_id", uuid7()))
        log_failure(error, exception, request.url.path, request_id)


def log_failure(
    error: TidingsError, exception: Exception, path: str, request_id: str | None = None
) -> None:
    """Log what is our fault where there is no request, or its id is known."""
    if _is_defect(error):
        details = {"path": path, "request_id": request_id}
        log.error("request failed", exc_info=exception, extra=details)


def _is_defect(error: TidingsError) -> bool:
    waits = isinstance(error, (errors.DatabaseBusy, errors.DatabaseUnavailable))
    return status_of(error) >= 500 and not waits


def _kinds(request: Request[Any, Any, Any]) -> dict[str, Any]:
    # What failed before there was a route has no handler, whatever the type of the scope says.
    signature = getattr(request.scope.get("route_handler"), "parsed_fn_signature", None)
    if signature is None:
        return {}
    return {name: field.annotation for name, field in signature.parameters.items()}


def _fields(extra: object, kinds: Mapping[str, Any]) -> list[FieldProblem]:
    if not isinstance(extra, list):
        return []
    return [
        FieldProblem(
            str(item.get("key") or "body"),
            worded(str(item.get("message", "is not valid")), kinds.get(str(item.get("key")))),
        )
        for item in extra
        if isinstance(item, dict)
    ]
