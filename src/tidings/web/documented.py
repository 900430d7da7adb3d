"""The problem answers that the OpenAPI document promises for a route."""

from litestar.openapi.datastructures import ResponseSpec

from tidings.web.problems import MEDIA_TYPE, Problem

_MEANING = {
    400: "The request is not valid; `errors` names the fields.",
    401: "No credential, or one that is unknown, expired or revoked.",
    403: "The role or the key's scopes do not allow this.",
    404: "There is no such thing in this organization.",
    409: "It is not in a state that allows this.",
    412: "It changed since it was read.",
    413: "The body is larger than this address takes.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key was used with another request.",
    429: "Too many requests; see Retry-After.",
    502: "An outside system failed.",
    503: "The database is busy or away; see Retry-After.",
}
_ALWAYS = (401, 429, 503)


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """The given statuses, and those that any route may answer, as problem details."""
    return {
        status: ResponseSpec(
            Problem,
            description=_MEANING[status],
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status in sorted({*statuses, *_ALWAYS})
    }
