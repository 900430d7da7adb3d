"""Which messages one answers, by what its source says and by its headers (RFC 5322, 3.6.4)."""

import re
from collections.abc import Mapping

LONGEST = 500  # characters of an id
_MOST = 20
"""The nearest of a long list, and always the first: it is what the whole thread hangs on."""

_ID = re.compile(r"<([^<>\s]{1,500})>")

Headers = Mapping[str, str | list[str]]


def header_values(headers: Headers, name: str) -> list[str]:
    """What stands under a header's name, in any case."""
    found: list[str] = []
    for each, value in headers.items():
        if each.lower() == name:
            found += [value] if isinstance(value, str) else value
    return found


def bare(external_id: str) -> str:
    """A Message-ID without its brackets; anything else as it is."""
    if external_id[:1] == "<" and external_id[-1:] == ">" and len(external_id) > 2:
        return external_id[1:-1]
    return external_id


def references(headers: Headers, reply_to: str | None) -> list[str]:
    """The external ids, without brackets, of what a message answers: the oldest first."""
    found: list[str] = []
    if headers:
        for name in ("references", "in-reply-to"):
            found += _ID.findall(" ".join(header_values(headers, name)))
    if reply_to:
        found.append(bare(reply_to))
    # The last mention counts: what In-Reply-To names is nearer than anything else.
    nearest = list(dict.fromkeys(reversed(found)))[::-1]
    return nearest if len(nearest) <= _MOST else [nearest[0], *nearest[1 - _MOST :]]
