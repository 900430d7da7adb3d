"""Addresses: which can be sent to, and how they are compared on do-not-contact."""

import re
from typing import Literal, get_args

from tidings.base.errors import InputInvalid
from tidings.base.text import check_text
from tidings.meetings.domains import normalise_domain

Kind = Literal["email", "phone", "domain", "handle"]

LONGEST = 320

# One address and nothing that a header or a list of addresses could be made of.
_MAIL = re.compile(r'[^\s@<>,;:"()\\]+@[^\s@<>,;:"()\\]+')
_NO_NUMBER = "must be a phone number with its country, such as +4930123456"
_FILLING = re.compile(r"[\s().\-/]")
_PHONE = re.compile(r"(?:\+|00)?([1-9][0-9]{7,14})")


def check_recipient(channel: str, to: str) -> None:
    """Raise `InputInvalid` for what no message of this channel can be sent to."""
    text = check_text("to", to, longest=LONGEST).strip()
    problem = None
    if not text or any(ord(character) < 32 or ord(character) == 127 for character in text):
        problem = "must be one line that is not empty"
    elif channel == "email" and not _MAIL.fullmatch(text):
        problem = "must be one e-mail address"
    elif channel in ("sms", "phone") and not _PHONE.fullmatch(_FILLING.sub("", text)):
        problem = _NO_NUMBER
    if problem is not None:
        raise InputInvalid.of("to", problem)


def normalise_contact(address: str) -> str:
    """As SQL's `normalise_contact`: a number as E.164, anything else trimmed, in lower case."""
    number = _PHONE.fullmatch(_FILLING.sub("", address))
    return f"+{number[1]}" if number else address.strip().lower()


def normalise_entry(kind: str, value: str) -> str:
    """A value of do-not-contact as it is stored. Raises `InputInvalid`."""
    text = check_text("value", value, longest=LONGEST).strip()
    if kind not in get_args(Kind):
        raise InputInvalid.of("kind", f"must be one of {', '.join(get_args(Kind))}")
    if not text:
        raise InputInvalid.of("value", "is empty")
    if kind == "domain":
        return normalise_domain(text)
    contact = normalise_contact(text)
    if kind == "email" and not _MAIL.fullmatch(contact):
        raise InputInvalid.of("value", "must be an e-mail address")
    if kind == "phone" and not contact.startswith("+"):
        raise InputInvalid.of(
            "value", "must be a phone number with its country, such as +4930123456"
        )
    return contact
