"""SMTP, at most once: what may have left is never sent again by itself."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import msgspec

from tidings.base import clock
from tidings.base.errors import SettingInvalid
from tidings.connectors.mail import (
    address_of,
    as_bytes,
    ascii_domain,
    build_mail,
    domain_of,
    is_ascii,
)
from tidings.connectors.outgoing import Outcome, Outgoing

SECONDS = 60.0
"""One try, from connecting to the last answer; the lease of a send is longer."""

_PORTS = {"smtp": 587, "smtps": 465}

Tls = Literal["implicit", "required", "offered", "never"]


class Server(msgspec.Struct, frozen=True):
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = None


def parse_smtp_url(url: str) -> Server:
    """Read `smtp://[user[:password]@]host[:port][?starttls=never]`, or `smtps://…`.

    `smtp` insists on STARTTLS, but on this machine itself, where it is used when offered. Raises
    `SettingInvalid`, which never repeats the address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("has a port that is no number") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _invalid("must be smtp://… or smtps://… with a host")
    starttls = parse_qs(parts.query).get("starttls", ["required"])[-1]
    if starttls not in ("required", "never"):
        raise _invalid("may have ?starttls=required or ?starttls=never")
    tls: Tls = "never" if starttls == "never" else "required"
    if parts.scheme == "smtps":
        tls = "implicit"
    elif tls == "required" and _is_loopback(parts.hostname):
        tls = "offered"
    return Server(
        parts.hostname,
        port or _PORTS[parts.scheme],
        tls,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


class SmtpConnector:
    """Hands one message at a time to a server."""

    is_repeatable = False

    def __init__(
        self,
        server: Server,
        sender: str,
        *,
        now: Callable[[], datetime] = clock.now,
        seconds: float = SECONDS,
    ) -> None:
        """`sender` is an address, or `Name <address>`. Raises `SettingInvalid` for none."""
        self._server = server
        self._sender = sender
        self._from = address_of(sender)
        self._now = now
        self._seconds = seconds

    @property
    def address(self) -> str:
        """The bare address that mail comes from."""
        return self._from.lower()

    async def send(self, message: Outgoing) -> Outcome:
        """Try once; never raises for what the other side does."""
        try:
            mail = build_mail(message, self._sender, self._now())
        except ValueError as error:
            return Outcome("refused", f"This cannot be written as mail: {error}")
        client = self._client()
        attempt = _Attempt(client, self._from, ascii_domain(message.recipient))
        try:
            async with asyncio.timeout(self._seconds):
                return await attempt.run(mail)
        except TimeoutError:
            return attempt.failed("No answer in time.")
        except aiosmtplib.SMTPResponseException as error:
            return attempt.failed(_said(error), error.code)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return attempt.failed(_said(error))
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        start = {"required": True, "offered": None}.get(server.tls, False)
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "implicit",
            start_tls=start,
            username=server.user if server.password else None,
            password=server.password,
            local_hostname=domain_of(self._sender),
            timeout=self._seconds,
            # On this machine a certificate proves nothing.
            validate_certs=server.tls != "offered",
        )


class _Attempt:
    """One try, and how far it got: once the content goes out, silence means it may have left."""

    def __init__(self, client: aiosmtplib.SMTP, sender: str, recipient: str) -> None:
        self._client = client
        self._sender = sender
        self._recipient = recipient
        self._stage: Literal["connecting", "addressing", "handing over"] = "connecting"

    async def run(self, mail: EmailMessage) -> Outcome:
        client = self._client
        await client.connect()
        self._stage = "addressing"
        options, encoding = [], "ascii"
        if not is_ascii(mail):
            if not client.supports_extension("smtputf8"):
                return Outcome("refused", "The server takes no addresses beyond ASCII.")
            options, encoding = ["SMTPUTF8"], "utf-8"
        await client.mail(self._sender, options=options, encoding=encoding)
        await client.rcpt(self._recipient, encoding=encoding)
        content = as_bytes(mail)
        self._stage = "handing over"
        answer = await client.data(content)
        said = " ".join(f"{answer.code} {answer.message}".split())
        return Outcome("sent", said, str(mail["Message-ID"]))

    def failed(self, said: str, code: int = 0) -> Outcome:
        """What a failure means at the point it came.

        A server that takes no mail from us at all says nothing of this message: a person mends
        the password, say, and it goes.
        """
        if self._stage == "connecting":
            return Outcome("temporary", said)
        if 500 <= code < 600:
            return Outcome("refused", said)
        if 400 <= code < 500 or self._stage == "addressing":
            return Outcome("temporary", said)
        return Outcome("unknown", said)


def _said(error: Exception) -> str:
    """The other side's words, in one line."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return " ".join(f"{error.code} {error.message}".split())
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'no reason given'}"
    return " ".join(str(error).split()) or type(error).__name__


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _invalid(problem: str) -> SettingInvalid:
    return SettingInvalid(f"TIDINGS_SMTP_URL {problem}.")
