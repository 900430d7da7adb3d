"""What a person's e-mail address and name may be."""

from tidings.base.errors import InputInvalid
from tidings.base.text import check_text


def check_email(value: str) -> str:
    """The address, trimmed; its case is kept and never matters. Raises `InputInvalid`.

    Only what every address has: one text before the last @, one after it, no spaces (the mail
    server, not a pattern, knows whether it exists).
    """
    email = check_text("email", value).strip()
    before, _, after = email.rpartition("@")
    if not before or not after or len(email) > 320 or any(c.isspace() for c in email):
        problem = "is not an e-mail address"
        raise InputInvalid.of("email", problem)
    return email


def check_name(field: str, value: str, *, required: bool) -> str:
    """A name of at most 200 characters, trimmed. Raises `InputInvalid`."""
    name = check_text(field, value, longest=200).strip()
    if required and not name:
        raise InputInvalid.of(field, "is empty")
    return name
