"""What the OpenAPI document says of routes beyond their signatures."""

from dataclasses import dataclass

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Operation, Parameter, Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType

from tidings.web.problems import MEDIA_TYPE, Problem

_MEANING = {
    400: "The request is not valid; `errors` names the fields.",
    401: "No credential, or one that is unknown, expired or revoked.",
    403: "The role or the key's scopes do not allow this.",
    404: "There is no such thing in this organization.",
    409: "It is not in a state that allows this.",
    412: "It changed since it was read.",
    413: "The body is larger than this address takes.",
    422: "The Idempotency-Key was used with another request.",
    429: "Too many requests; see Retry-After.",
    502: "An outside system failed.",
    503: "The database is busy or away; see Retry-After.",
}
_ALWAYS = (400, 401, 429, 503)


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


@dataclass
class Idempotent(Operation):
    """A POST that takes an Idempotency-Key, which `auth.guard_api` reads for all of them."""

    def __post_init__(self) -> None:
        """Document the header."""
        header = Parameter(
            name="Idempotency-Key",
            param_in="header",
            description="1 to 255 printable ASCII characters without spaces. The same key and "
            "request get the first answer again for 24 hours; with another request, 422.",
            schema=Schema(
                type=OpenAPIType.STRING, min_length=1, max_length=255, pattern="^[!-~]{1,255}$"
            ),
        )
        self.parameters = [*(self.parameters or []), header]


@dataclass
class OfKey(Operation):
    """What is done to one key of the KV store."""

    def __post_init__(self) -> None:
        """Document the key, which `api.kv` reads from the raw path."""
        key = Parameter(
            name="key",
            param_in="path",
            required=True,
            description="1 to 1,024 bytes of UTF-8, percent-encoded or not. It is the rest of the "
            "path as it stands, slashes and all: `a//b`, `/a` and `a/` are three keys.",
            schema=Schema(type=OpenAPIType.STRING, min_length=1, max_length=1024),
        )
        rest = [one for one in self.parameters or [] if _name(one) != "key"]
        self.parameters = [key, *rest]


def _name(parameter: Parameter | Reference) -> str:
    return parameter.name if isinstance(parameter, Parameter) else ""
