"""A message as mail (RFC 5322), with the headers that a machine's mail owes its readers."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

import idna

from tidings.base.errors import SettingInvalid
from tidings.connectors.outgoing import Outgoing

_SUBJECT = "Re: your message"
# Long words are not folded: a link split in two, or encoded, is no link (RFC 8058 section 4).
_POLICY = SMTP.clone(max_line_length=998, cte_type="7bit")
_POLICY_UTF8 = SMTPUTF8.clone(max_line_length=998, cte_type="7bit")
_LONGEST_REFERENCES = 900
_ID = re.compile(r"[^\s<>]+@[^\s<>]+")


def build_mail(message: Outgoing, sender: str, at: datetime) -> EmailMessage:
    """The message from `sender` (an address, or `Name <address>`), dated `at` (aware).

    Its id is that of the approval, so that a repeat is the same message. RFC 8058 for one-click
    unsubscribing, RFC 3834 section 5 for automatic answers.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = ascii_domain(message.recipient)
    mail["Subject"] = message.subject or (_SUBJECT if message.in_reply_to else "")
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message.idempotency_key}@{domain_of(sender)}>"
    if answered := _as_id(message.in_reply_to):
        mail["In-Reply-To"] = answered
        before = _as_id(message.in_references)
        both = f"{before} {answered}"
        mail["References"] = both if before and len(both) <= _LONGEST_REFERENCES else answered
    if message.is_automatic:
        mail["Auto-Submitted"] = "auto-replied"
    if message.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.content)
    return mail


def as_bytes(mail: EmailMessage) -> bytes:
    """The mail as it goes over the wire; in UTF-8 where an address needs that (RFC 6532)."""
    return mail.as_bytes(policy=_POLICY if is_ascii(mail) else _POLICY_UTF8)


def is_ascii(mail: EmailMessage) -> bool:
    """Whether both addresses are."""
    return all(parseaddr(mail[name])[1].isascii() for name in ("From", "To"))


def address_of(sender: str) -> str:
    """The bare address. Raises `SettingInvalid` when there is none."""
    address = parseaddr(sender)[1]
    if not _ID.fullmatch(address):
        raise SettingInvalid("TIDINGS_SMTP_FROM must be an address, or Name <address>.")
    return address


def domain_of(sender: str) -> str:
    """What stands behind the @ of the sender."""
    return address_of(sender).rpartition("@")[2]


def ascii_domain(address: str) -> str:
    """The address with its domain as DNS has it; one that is no domain stays as it is."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address


def _as_id(external_id: str | None) -> str | None:
    """A Message-ID in its brackets, or None for an id that is none."""
    bare = (external_id or "").strip().strip("<>")
    return f"<{bare}>" if _ID.fullmatch(bare) else None
