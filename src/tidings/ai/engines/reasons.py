"""Short reasons for what went wrong at a provider; nothing of its own text but a plain code.

Error messages quote prompts, and some servers quote the key.
"""

import re
from http import HTTPStatus

TIMED_OUT = "no answer in time"
BROKEN = "the connection failed or broke"
KEY_REFUSED = "the API key is not accepted"
UNKNOWN_THERE = "the model or the address is not known there"
NO_CREDIT = "the account has no credit left"
TOO_LONG = "the text is longer than the model takes"

# A word like invalid_request_error; never something that could be a key or a name.
_CODE = re.compile(r"[a-z]+(_[a-z]+){1,5}")


def plain_code(code: object) -> str | None:
    """A provider's own code for an error, when it is nothing but a code."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def reason_of(status: int, means: str | None) -> str:
    """For example `429 Too Many Requests (rate_limit_exceeded)`."""
    return f"{_named(status)} ({means})" if means else _named(status)


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
