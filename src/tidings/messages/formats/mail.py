"""One email as a message: headers in any charset, the text that people read, threads."""

import email
import email.errors
import email.policy
import email.utils
import hashlib
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message

from tidings.messages.formats.entry import Defaults, Entry, RowError, Said, make_entry
from tidings.messages.item import Attachment
from tidings.messages.references import bare

LARGEST = 32 * 1024 * 1024
"""Bytes of one email with all that is attached."""

_KEPT = (
    "references",
    "in-reply-to",
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
_BLOCKS = re.compile(r"(?is)<(script|style|head)\b.*?</\1\s*>")
_BREAKS = re.compile(r"(?i)<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>")
_TAGS = re.compile(r"(?s)<[^>]{1,2000}>")
_MANY = re.compile(r"\n\s*\n\s*\n+")


def mail_entry(
    place: str, raw: bytes, defaults: Defaults, received: datetime | None = None
) -> Entry:
    """The message in an email's bytes; `received` stands in for a date that is missing."""
    if len(raw) > LARGEST:
        return RowError(place, f"is larger than {LARGEST // 2**20} MiB.")
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    at = _date(mail) or received
    if at is None:
        return RowError(place, "has no date.")
    name, address = _sender(mail)
    text, attachments = _content(mail)
    said = Said(
        external_id=_id(mail, raw),
        sender_id=(address or name or "unknown").lower() if address else name or "unknown",
        sender_name=name,
        sender_email=address or None,
        sent_at=at,
        body=text,
        subject=_text(mail, "subject"),
        attachments=attachments,
        headers=_headers(mail),
    )
    return make_entry(place, said, defaults)


def _id(mail: Message, raw: bytes) -> str:
    found = bare(str(mail.get("message-id", "")).strip())
    return found or f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _date(mail: Message) -> datetime | None:
    try:
        at = email.utils.parsedate_to_datetime(str(mail.get("date", "")))
    except (ValueError, TypeError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _sender(mail: Message) -> tuple[str, str]:
    name, address = email.utils.parseaddr(str(mail.get("from", "")))
    return decode_words(name).strip(), address.strip() if "@" in address[1:] else ""


def _text(mail: Message, header: str) -> str:
    return " ".join(decode_words(str(mail.get(header, ""))).split())


def decode_words(value: str) -> str:
    """A header's text with its encoded words (RFC 2047); what cannot be decoded stays."""
    try:
        parts = decode_header(value)
    except (ValueError, email.errors.HeaderParseError):
        return value
    return "".join(
        part if isinstance(part, str) else decode_bytes(part, charset) for part, charset in parts
    )


def decode_bytes(data: bytes, charset: str | None) -> str:
    """Text in the charset that it claims, else in UTF-8, else in Windows' Western one."""
    for claimed in (charset, "utf-8", "cp1252"):
        try:
            if claimed:
                return data.decode(claimed)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


def _headers(mail: Message) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for name in _KEPT:
        values = [str(value)[:20_000] for value in mail.get_all(name, [])]
        if values:
            found[name] = [value.replace("\0", "") for value in values][:20]
    return {
        name: [value.encode("utf-8", "replace").decode() for value in values]
        for name, values in found.items()
    }


def _content(mail: Message) -> tuple[str, list[Attachment]]:
    """The text that is shown, plain before HTML, and what is attached."""
    plain: list[str] = []
    rich: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(mail):
        kind = part.get_content_type()
        name = part.get_filename()
        data = part.get_payload(decode=True)
        content = data if isinstance(data, bytes) else b""
        if name or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            called = decode_words(str(name or "")).encode("utf-8", "replace").decode()
            attachments.append(
                Attachment(
                    name=called.replace("\0", "")[:500],
                    media_type=kind.encode("ascii", "replace").decode()[:200],
                    bytes=len(content),
                )
            )
        else:
            text = decode_bytes(content, part.get_content_charset())
            (rich if kind == "text/html" else plain).append(text)
    text = "\n".join(plain) if any(one.strip() for one in plain) else "\n".join(map(_plain, rich))
    return text.replace("\r\n", "\n").strip(), attachments


def _leaves(mail: Message) -> Iterator[Message]:
    for part in mail.walk():
        if not part.is_multipart():
            yield part


def _plain(page: str) -> str:
    text = _TAGS.sub("", _BREAKS.sub("\n", _BLOCKS.sub("", page)))
    return _MANY.sub("\n\n", html.unescape(text)).strip()
