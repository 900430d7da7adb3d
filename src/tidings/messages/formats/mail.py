"""One email as a message: headers in any charset, the text that people read, threads."""

import email.utils
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message

from tidings.base import clock
from tidings.messages.answer_to import answer_address
from tidings.messages.formats.entry import Defaults, Entry, RowError, Said, make_entry
from tidings.messages.formats.mail_parts import parse_mail, read_parts
from tidings.messages.formats.words import decode_bytes, decode_words
from tidings.messages.item import EARLIEST, LATEST
from tidings.messages.references import bare

LARGEST = 32 * 1024 * 1024
"""Bytes of one email with all that is attached."""

_KEPT = (
    "references",
    "in-reply-to",
    "reply-to",
    "auto-submitted",
    "precedence",
    "list-id",
    "list-unsubscribe",
    "list-post",
    "mailing-list",
    "return-path",
    "content-type",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
)
_LONGEST_HEADER = 20_000


def mail_entry(
    place: str, raw: bytes, defaults: Defaults, received: datetime | None = None
) -> Entry:
    """The message in an email's bytes; `received` stands in for a date that cannot be."""
    if len(raw) > LARGEST:
        return RowError(place, f"is larger than {LARGEST // 2**20} MiB.")
    mail = parse_mail(raw)
    at = _date(mail, received)
    if at is None:
        return RowError(place, "has no date.")
    name, address = _sender(mail)
    headers = _headers(mail)
    if (answer_address(headers, address) or "").lower() in defaults.ours:
        headers.pop("reply-to")  # we do not answer ourselves
    text, attachments = read_parts(mail)
    said = Said(
        external_id=_id(mail, raw),
        sender_id=address.lower() or name or "unknown",
        sender_name=name,
        sender_email=address or None,
        sent_at=at,
        body=text,
        subject=_text(mail, "subject"),
        attachments=attachments,
        headers=headers,
        # By the address where there is one: anybody may call themselves by ours.
        direction="out" if (address or name).lower() in defaults.ours else "in",
    )
    return make_entry(place, said, defaults)


def _values(mail: Message, name: str) -> Iterator[str]:
    """A header's values; bytes beyond ASCII, which it should not have, in the likeliest charset."""
    for key, value in mail.raw_items():
        if key.lower() == name:
            text = str(value)[:_LONGEST_HEADER]
            yield (
                text
                if text.isascii()
                else decode_bytes(text.encode("utf-8", "surrogateescape"), None)
            )


def _value(mail: Message, name: str) -> str:
    return next(_values(mail, name), "")


def _id(mail: Message, raw: bytes) -> str:
    found = bare("".join(_value(mail, "message-id").split()))
    return found or f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _date(mail: Message, received: datetime | None) -> datetime | None:
    """When it was sent, else when the nearest server took it; a clock far off is not believed."""
    took = _value(mail, "received").rpartition(";")[2]
    latest = clock.now() + LATEST
    for at in (_parsed(_value(mail, "date")), _parsed(took), received):
        if at is not None and EARLIEST <= at <= latest:
            return at
    return None


def _parsed(text: str) -> datetime | None:
    try:
        at = email.utils.parsedate_to_datetime(text[:200])
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _sender(mail: Message) -> tuple[str, str]:
    given = _value(mail, "from") or _value(mail, "sender")
    try:
        # A newer Python takes several authors (RFC 5322 section 3.6.2) for none: the first counts.
        several = email.utils.getaddresses([given[:2000]]) or [("", "")]
        name, address = next((one for one in several if "@" in one[1]), several[0])
    except RecursionError:  # comments within comments
        return "", ""
    name = " ".join(decode_words(name).split())
    return name, address.strip() if "@" in address[1:] else ""


def _text(mail: Message, header: str) -> str:
    return " ".join(decode_words(_value(mail, header)).split())


def _headers(mail: Message) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for name in _KEPT:
        values = [value.replace("\0", "") for value in _values(mail, name)][:20]
        if values:
            found[name] = [value.encode("utf-8", "replace").decode() for value in values]
    return found
