"""The parts of an email (RFC 2046): which one people read, and what is attached."""

import email
import email.policy
import re
from email.message import Message
from email.parser import BytesHeaderParser

import msgspec

from tidings.messages.formats.page_text import page_text
from tidings.messages.formats.words import decode_bytes, decode_words
from tidings.messages.item import Attachment

DEEPEST = 20
"""Parts within parts; what is deeper is no mail that somebody wrote."""

# Python's parser takes a time that grows with the square of these.
_LONG_PARAMETERS = re.compile(
    rb"(?im)^(content-(?:type|disposition)[ \t]*:(?:[^\n]|\n[ \t]){0,4000}+)(?:[^\n]|\n[ \t])+"
)


class Content(msgspec.Struct):
    """What a part says, and what hangs on it; `forwarded` is the text of a mail within it."""

    text: str = ""
    attachments: list[Attachment] = []
    forwarded: str = ""


def parse_mail(raw: bytes) -> Message:
    """The email; of one that nests beyond reason, its headers alone."""
    raw = _LONG_PARAMETERS.sub(rb"\1", raw)
    try:
        return email.message_from_bytes(raw, policy=email.policy.compat32)
    except RecursionError:
        return BytesHeaderParser(policy=email.policy.compat32).parsebytes(raw)


def read_parts(mail: Message) -> tuple[str, list[Attachment]]:
    """The text that is shown, plain before HTML, and what is attached.

    A mail that only passes another one on says what that one says, below who wrote it.
    """
    found = _read(mail, 0)
    # An invitation often comes twice, once for mailers that know and once for those that do not.
    attachments = {(one.name, one.bytes): one for one in reversed(found.attachments)}
    text = (found.text or found.forwarded).replace("\r\n", "\n").strip()
    return text, list(reversed(attachments.values()))


def _read(part: Message, depth: int) -> Content:
    kind = part.get_content_type()
    if depth > DEEPEST:
        return Content(attachments=[_attachment(part, kind)])
    inner = _inner(part)
    if kind.startswith("message/"):
        return _read_message(part, kind, inner, depth)
    if not inner:
        return _read_leaf(part, kind)
    read = [_read(one, depth + 1) for one in inner]
    if kind == "multipart/alternative":
        text = _best(inner, read)
    else:
        text = "\n\n".join(one.text for one in read if one.text)
    return Content(
        text,
        [attached for one in read for attached in one.attachments],
        next((one.forwarded for one in read if one.forwarded), ""),
    )


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if part.is_multipart() else []


def _best(inner: list[Message], read: list[Content]) -> str:
    """Of the same in several forms the plain one, where it says anything."""
    for part, one in zip(inner, read, strict=True):
        if part.get_content_type() == "text/plain" and one.text:
            return one.text
    return next((one.text for one in read if one.text), "")


def _read_message(part: Message, kind: str, inner: list[Message], depth: int) -> Content:
    if kind != "message/rfc822":  # what happened to a mail, for programs
        return Content()
    attached = _attachment(part, kind)
    if not inner:
        return Content(attachments=[attached])
    subject = _header(inner[0], "subject")
    if not attached.name and subject:
        attached = msgspec.structs.replace(attached, name=_cleaned(f"{subject[:490]}.eml"))
    content = _read(inner[0], depth + 1)
    words = content.text or content.forwarded
    if words:
        heads = (("From", _header(inner[0], "from")), ("Subject", subject))
        named = [f"{name}: {value}" for name, value in heads if value]
        # As a mail program writes it when it passes a mail on within the text.
        words = "\n".join(["---------- Forwarded message ---------", *named, "", words])
    return Content(attachments=[attached], forwarded=words)


def _header(mail: Message, name: str) -> str:
    return " ".join(decode_words(str(mail.get(name, ""))[:2000]).split())


def _read_leaf(part: Message, kind: str) -> Content:
    is_file = bool(part.get_filename()) or part.get_content_disposition() == "attachment"
    if is_file or not kind.startswith("text/") or kind == "text/calendar":
        return Content(attachments=[_attachment(part, kind)])
    if kind == "text/x-amp-html":  # a program, for mailers that run it
        return Content()
    text = decode_bytes(_bytes(part), part.get_content_charset())
    shown = page_text(text) if kind == "text/html" else text.strip("\r\n")
    return Content(shown if shown.strip() else "")


def _attachment(part: Message, kind: str) -> Attachment:
    name = decode_words(str(part.get_filename() or "")[:2000])
    if not name and kind == "text/calendar":
        name = "invite.ics"
    return Attachment(
        name=_cleaned(name)[:500],
        media_type=kind.encode("ascii", "replace").decode()[:200],
        bytes=len(_bytes(part)),
    )


def _cleaned(name: str) -> str:
    return " ".join(name.encode("utf-8", "replace").decode().replace("\0", "").split())


def _bytes(part: Message) -> bytes:
    data = None if part.is_multipart() else part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
