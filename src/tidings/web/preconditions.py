"""ETag, If-Match and If-None-Match over versions (RFC 9110 section 13)."""

import re
from typing import Annotated

from litestar.params import HeaderParameter

from tidings.base.errors import InputInvalid

IfMatch = Annotated[str | None, HeaderParameter(name="if-match", description='A version: `"7"`.')]

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version in If-Match, None without one. Raises `InputInvalid`."""
    if if_match is None:
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise InputInvalid.of("If-Match", 'must be one version in quotes, such as "7"')
    return int(match[1])


def absent_only(if_none_match: str | None) -> bool:
    """Whether If-None-Match: * asks for a new key. Raises `InputInvalid` for anything else."""
    if if_none_match is None:
        return False
    if if_none_match.strip() != "*":
        raise InputInvalid.of("If-None-Match", "must be *")
    return True
