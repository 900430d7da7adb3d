"""Where the sender of a mail wants answers (Reply-To, RFC 5322 section 3.6.2)."""

import re
from email.utils import getaddresses

from tidings.messages.references import Headers, header_values

LONGEST = 320  # characters of an address
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\\]+@[^\s@<>,;:\"()\\]+")
_READ = 2000


def answer_address(headers: Headers, sender: str) -> str | None:
    """The first address that can be written to; None where that is the sender's, or none is named.

    Who names their own address among others is answered there.
    """
    found = [
        address.strip()
        for value in header_values(headers, "reply-to")
        for _, address in _addresses(value[:_READ])
    ]
    named = [each for each in found if _ADDRESS.fullmatch(each) and len(each) <= LONGEST]
    if not named or sender.lower() in (each.lower() for each in named):
        return None
    return named[0]


def _addresses(value: str) -> list[tuple[str, str]]:
    try:
        return getaddresses([value])
    except RecursionError:  # comments within comments
        return []
