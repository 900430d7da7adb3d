"""Operations of one mutation, in the shape that `POST /v1/kv-batch` takes them."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from tidings.base.errors import (
    BodyTooLarge,
    FieldProblem,
    InputInvalid,
    RoleForbidden,
    TidingsError,
    VersionStale,
)
from tidings.kv.keys import LONGEST_TTL, MOST_KEYS, check_key, check_ttl
from tidings.kv.values import decode_value, encode_value

MOST_BYTES = 64 * 1_048_576
_HIGHEST = 2**63 - 1

_FAILURES: dict[str, type[TidingsError]] = {
    "TD400": InputInvalid,
    "TD403": RoleForbidden,
    "TD412": VersionStale,
}


class _Operation(msgspec.Struct, frozen=True, tag_field="op", forbid_unknown_fields=True):
    op: ClassVar[str]
    key: str


class Get(_Operation, frozen=True, tag="get"):
    """Read a key."""

    op = "get"


class Set(_Operation, frozen=True, tag="set", kw_only=True):
    """Set a key; with `if_version` only at that version, or `only_if_absent`."""

    op = "set"
    value: Any
    ttl_seconds: float | None = None
    if_version: int | None = None
    only_if_absent: bool = False


class Delete(_Operation, frozen=True, tag="delete", kw_only=True):
    """Delete a key; with `if_version` only at that version."""

    op = "delete"
    if_version: int | None = None


class Check(_Operation, frozen=True, tag="check", kw_only=True):
    """Go on only if the key is at this version, or with None is not there."""

    op = "check"
    version: int | None


class Increment(_Operation, frozen=True, tag="increment", kw_only=True):
    """Add to the number of a key; `ttl_seconds` counts only when this makes it."""

    op = "increment"
    by: int | float = 1
    ttl_seconds: float | None = None


Operation = Get | Set | Delete | Check | Increment


class Failure(msgspec.Struct, frozen=True):
    """Why one operation of several did nothing: a code of `base/errors.py` and a sentence."""

    code: str
    detail: str


class OperationResult(msgspec.Struct, frozen=True):
    """What one operation did. `value` is the one read or summed up; None otherwise."""

    op: str
    key: str
    found: bool
    value: Any
    version: int | None
    expires_at: datetime | None
    failure: Failure | None


class ResultRow(msgspec.Struct, frozen=True):
    """A result as the database answers it."""

    found: bool
    value: str | None
    version: int | None
    expires_at: datetime | None
    failure: str | None
    message: str | None

    def read(self, operation: Operation) -> OperationResult:
        """The result of this operation."""
        failure = None
        if self.failure is not None:
            failure = Failure(_FAILURES[self.failure].code, self.message or "")
        value = None if self.value is None else decode_value(self.value)
        return OperationResult(
            operation.op, operation.key, self.found, value, self.version, self.expires_at, failure
        )


def encode_operations(operations: Sequence[Operation]) -> str:
    """The JSON that `kv_mutate_v1` takes. Raises `InputInvalid` and `BodyTooLarge`."""
    if len(operations) > MOST_KEYS:
        raise _invalid("operations", f"are more than {MOST_KEYS}")
    encoded = [_encode(item, f"operations[{n}]") for n, item in enumerate(operations)]
    return join_json(encoded, "[", "]")


def join_json(parts: Sequence[str], start: str, end: str) -> str:
    """Encoded parts within brackets, `BodyTooLarge` above 64 MiB."""
    if sum(map(len, parts)) > MOST_BYTES:
        raise BodyTooLarge("One call carries at most 64 MiB of values; make several.")
    return f"{start}{','.join(parts)}{end}"


def check_version(version: int | None, field: str = "if_version") -> int | None:
    """The version itself, or `InputInvalid` for one that none could have."""
    if version is not None and not 0 <= version <= _HIGHEST:
        raise _invalid(field, "is not a version")
    return version


def check_by(by: float, field: str = "by") -> str:
    """What to add, as PostgreSQL's numeric reads it."""
    if isinstance(by, int) and not -_HIGHEST <= by <= _HIGHEST:
        raise _invalid(field, "is an integer beyond 64 bits")
    if isinstance(by, bool) or not math.isfinite(by):
        raise _invalid(field, "is not a finite number")
    return repr(by)


def ttl_of(seconds: float | None, field: str = "ttl_seconds") -> timedelta | None:
    """A time to live from seconds, or `InputInvalid`."""
    if seconds is None:
        return None
    if not 0 < seconds <= LONGEST_TTL.total_seconds():
        raise _invalid(field, "must be above 0 and at most 315,360,000 (3,650 days)")
    return check_ttl(timedelta(seconds=seconds))


def _encode(operation: Operation, at: str) -> str:
    fields: dict[str, Any] = {"op": operation.op, "key": check_key(operation.key, f"{at}.key")}
    match operation:
        case Set():
            fields["version"] = check_version(operation.if_version, f"{at}.if_version")
            fields["only_if_absent"] = operation.only_if_absent
            fields["ttl"] = _seconds(operation.ttl_seconds, at)
            fields["value"] = msgspec.Raw(encode_value(operation.value, f"{at}.value").encode())
        case Delete():
            fields["version"] = check_version(operation.if_version, f"{at}.if_version")
        case Check():
            fields["version"] = check_version(operation.version, f"{at}.version")
        case Increment():
            fields["by"] = msgspec.Raw(check_by(operation.by, f"{at}.by").encode())
            fields["ttl"] = _seconds(operation.ttl_seconds, at)
        case Get():
            pass
    return msgspec.json.encode(fields).decode()


def _seconds(seconds: float | None, at: str) -> float | None:
    ttl = ttl_of(seconds, f"{at}.ttl_seconds")
    return None if ttl is None else ttl.total_seconds()


def _invalid(field: str, problem: str) -> InputInvalid:
    return InputInvalid(f"{field} {problem}.", errors=[FieldProblem(field, problem)])
