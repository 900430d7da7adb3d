"""A mail server and a gateway to test against: real servers on this machine."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http import HTTPStatus
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from tidings.base.testing import LocalServer

Verb = str


class Mail(msgspec.Struct, frozen=True):
    """What was handed in: the envelope and the content as it came."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def parsed(self) -> EmailMessage:
        """The content, read."""
        read = message_from_bytes(self.content, policy=default)
        if not isinstance(read, EmailMessage):
            raise TypeError("the default policy reads into EmailMessage")
        return read


class FakeSmtp(LocalServer):
    """A mail server (RFC 5321) that keeps what it takes in `mails`.

    `script(verb, answer)` makes the next such command answer so: `"451 later"`, or `"drop"` to
    hang up, `"silence"` to say nothing more (`silent` is set then). Verbs are CONNECT, EHLO, AUTH,
    MAIL, RCPT, DATA, and END for what follows the content. `password` asks for AUTH first.
    """

    def __init__(self, *, password: str | None = None, utf8: bool = True) -> None:
        """`utf8` is whether it offers SMTPUTF8 (RFC 6531)."""
        super().__init__()
        self.mails: list[Mail] = []
        self._password = password
        self._utf8 = utf8
        self._answers: list[tuple[Verb, str]] = []

    @property
    def url(self) -> str:
        """What TIDINGS_SMTP_URL says to reach it."""
        return f"smtp://127.0.0.1:{self.port}"

    def script(self, *answers: tuple[Verb, str]) -> None:
        """Let the next commands of these verbs be answered so, each once."""
        self._answers += answers

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self, reader, writer)
        if not await session.answer("CONNECT", "220 fake.example ready"):
            return
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if not await session.command(verb.upper(), rest):
                return

    def _take(self, verb: Verb, otherwise: str) -> str:
        for place, (scripted, answer) in enumerate(self._answers):
            if scripted == verb:
                del self._answers[place]
                return answer
        return otherwise

    def _extensions(self) -> list[str]:
        offered = ["8BITMIME", "PIPELINING"]
        if self._utf8:
            offered.append("SMTPUTF8")
        if self._password is not None:
            offered.append("AUTH PLAIN LOGIN")
        return offered

    def _opens(self, credential: str) -> bool:
        try:
            said = base64.b64decode(credential, validate=True).split(b"\0")
        except binascii.Error:
            return False
        return self._password is not None and said[-1].decode() == self._password


class _Session:
    """One connection to a FakeSmtp."""

    def __init__(
        self, server: FakeSmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._sender = ""
        self._recipients: list[str] = []
        self._is_known = server._password is None

    async def answer(self, verb: Verb, otherwise: str) -> bool:
        """Say what is scripted for the verb, else `otherwise`; whether to go on."""
        return await self._say(self._server._take(verb, otherwise))

    async def _say(self, said: str) -> bool:
        if said == "silence":
            self._server.silent.set()
            await self._reader.read()  # until the caller gives up
        if said in ("drop", "silence"):
            return False
        self._writer.write(f"{said}\r\n".encode())
        await self._writer.drain()
        return not said.startswith("421")

    async def command(self, verb: Verb, rest: str) -> bool:
        """Do one command; whether to go on."""
        does: dict[Verb, Callable[[str], Awaitable[bool]]] = {
            "EHLO": self._ehlo,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
        }
        if verb in does:
            return await does[verb](rest)
        if verb == "QUIT":
            await self.answer(verb, "221 bye")
            return False
        known = verb in ("RSET", "NOOP")
        return await self.answer(verb, "250 ok" if known else "502 not here")

    async def _ehlo(self, _: str) -> bool:
        lines = ["fake.example", *self._server._extensions()]
        said = [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]
        return await self.answer("EHLO", "\r\n".join(said))

    async def _auth(self, rest: str) -> bool:
        _, _, credential = rest.partition(" ")
        self._is_known = self._server._opens(credential)
        said = "235 welcome" if self._is_known else "535 who are you"
        return await self.answer("AUTH", said)

    async def _mail(self, rest: str) -> bool:
        self._sender, self._recipients = _path(rest), []
        said = "250 ok" if self._is_known else "530 sign in first"
        return await self.answer("MAIL", said)

    async def _rcpt(self, rest: str) -> bool:
        self._recipients.append(_path(rest))
        return await self.answer("RCPT", "250 ok")

    async def _data(self, _: str) -> bool:
        said = self._server._take("DATA", "354 go on")
        if not said.startswith("354"):
            return await self._say(said)
        await self._say(said)
        raw = await self._reader.readuntil(b"\r\n.\r\n")
        lines = raw.removesuffix(b".\r\n").split(b"\r\n")
        content = b"\r\n".join(line.removeprefix(b".") for line in lines)
        end = self._server._take("END", "250 taken")
        # A refused content was not taken; where the answer is lost, it was.
        if not end.startswith(("4", "5")):
            self._server.mails.append(Mail(self._sender, self._recipients, content))
        return await self._say(end)


def _path(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]


class Posted(msgspec.Struct, frozen=True):
    """One post that came to a FakeGateway."""

    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        """The message in it."""
        data: dict[str, Any] = msgspec.json.decode(self.body)["data"]
        return data


class FakeGateway(LocalServer):
    """A customer's gateway: checks signatures and sends each `webhook-id` once.

    `posts` logs every request, `sent` the messages by webhook-id. `script(…)` makes the next
    posts answer with these statuses; 0 takes the message in and says nothing (`silent` is set),
    -1 hangs up at once.
    """

    def __init__(self, secret: str) -> None:
        """`secret` is `whsec_` and base64."""
        super().__init__()
        self.posts: list[Posted] = []
        self.sent: dict[str, dict[str, Any]] = {}
        self._secret = secret
        self._statuses: list[int] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/messages"

    def script(self, *statuses: int) -> None:
        """Let the next posts be answered so, one each."""
        self._statuses += statuses

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in head[1:] if ":" in line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        status = self._statuses.pop(0) if self._statuses else 200
        if status == -1:
            return
        post = Posted(headers, body)
        self.posts.append(post)
        if not self._is_ours(post):
            status = 401
        elif status in (0, 200):
            self.sent.setdefault(headers["webhook-id"], post.data)
        if status == 0:
            self.silent.set()
            await reader.read()
            return
        writer.write(_http(status, headers["webhook-id"]))
        await writer.drain()

    def _is_ours(self, post: Posted) -> bool:
        try:
            Webhook(self._secret).verify(post.body.decode(), post.headers)
        except WebhookVerificationError:
            return False
        return True


def _http(status: int, webhook_id: str) -> bytes:
    body = msgspec.json.encode({"id": f"gateway-{webhook_id}"})
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Retry-After: 7\r\nLocation: /elsewhere\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
