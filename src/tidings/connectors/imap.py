"""IMAP (RFC 3501): what came into a folder after a point, some of it at a time.

The library blocks, so each conversation has a thread. Every wait ends, and so does what a server
may send: it is somebody's setting, and not ours.
"""

import asyncio
import imaplib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeVar

import msgspec
from imap_tools import BaseMailBox, MailboxLoginError
from imap_tools.errors import ImapToolsError, UnexpectedCommandStatusError

from tidings.base.errors import SourceRefused, SourceUnavailable
from tidings.connectors.targets import find_address

T = TypeVar("T")
Tls = Literal["implicit", "starttls", "never"]

PORTS: dict[Tls, int] = {"implicit": 993, "starttls": 143, "never": 143}
SECONDS = 120.0
"""One step: the beginning, or one batch. A single wait for the server is shorter."""
MOST, BATCH_BYTES = 100, 16 * 1024 * 1024
"""A batch: that many letters, and no more than that many bytes unless one alone is larger."""
LARGEST = 32 * 1024 * 1024
BEGINNING = 1024 * 1024
"""Of a larger letter only this much is read: headers and text come before what is attached."""

_WAIT = 30.0
_LISTED, _WINDOW, _WIDEST = 500, 10_000, 200_000
_SLACK = 1024 * 1024
_CONVERSATIONS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="imap")
_PASSING = (b"[UNAVAILABLE]", b"[INUSE]", b"[LIMIT]", b"[SERVERBUG]")  # RFC 5530
_UID, _BYTES = re.compile(rb"\bUID (\d{1,10})"), re.compile(rb"\bRFC822\.SIZE (\d{1,15})")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')


class MailServer(msgspec.Struct, frozen=True):
    """Whose mail is fetched, and from where."""

    host: str
    port: int
    tls: Tls
    user: str
    folder: str


class Letter(msgspec.Struct, frozen=True):
    """One email as it came; `received` is when the server took it."""

    uid: int
    received: datetime | None
    raw: bytes


class Batch(msgspec.Struct, frozen=True):
    """Letters in the order of their coming; everything up to `last_uid` was looked at."""

    letters: list[Letter]
    last_uid: int
    has_more: bool


class Folder:
    """A folder that is open for reading; nothing in it is changed, not even what is unread."""

    def __init__(self, client: "_Client", call: Callable[..., Any]) -> None:
        """Made by `open_folder`."""
        self._client = client
        self._call = call
        self.uid_validity = _number(client, "UIDVALIDITY") or 0
        self._end = _number(client, "UIDNEXT")

    async def after(self, last_uid: int, since: datetime | None = None) -> Batch:
        """The next letters after a UID that came since a time. Raises `SourceUnavailable`."""
        batch: Batch = await self._call(self._after, last_uid, since)
        return batch

    def _after(self, last_uid: int, since: datetime | None) -> Batch:
        found, seen = self._find(last_uid + 1)
        if not found:
            return Batch([], max(last_uid, seen), has_more=False)
        chosen = found[:_LISTED]
        heads = self._heads(chosen)
        picked: list[int] = []
        size, last = 0, last_uid
        for uid in chosen:
            head = heads.get(uid)
            if head is not None and _is_wanted(head[1], since):
                if picked and (len(picked) == MOST or size + head[0] > BATCH_BYTES):
                    break
                picked.append(uid)
                size += head[0]
            last = uid
        letters = [
            Letter(uid, heads[uid][1], raw) for uid, raw in self._bodies(picked, heads).items()
        ]
        return Batch(letters, last, has_more=last < max(found[-1], seen))

    def _find(self, first: int) -> tuple[list[int], int]:
        """The next UIDs from one on, and up to where that looked."""
        if self._end is None:
            found = self._search(f"{first}:*")  # which names the last one even when it is before
            return [uid for uid in found if uid >= first], 0
        width = _WINDOW
        while first < self._end:
            last = min(first + width, self._end) - 1
            found = [uid for uid in self._search(f"{first}:{last}") if first <= uid <= last]
            if found:
                return found, self._end - 1
            first, width = last + 1, min(width * 4, _WIDEST)
        return [], self._end - 1

    def _search(self, uids: str) -> list[int]:
        self._client.budget = 20 * _SLACK
        said = _checked(self._client.uid("SEARCH", f"UID {uids}"))
        return sorted(int(uid) for line in said for uid in (line or b"").split() if uid.isdigit())

    def _heads(self, uids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
        """Size and time of each that is still there."""
        self._client.budget = 2 * _SLACK
        said = _checked(self._client.uid("FETCH", _ranges(uids), "(UID RFC822.SIZE INTERNALDATE)"))
        return {
            int(uid[1]): (int(size[1]), _time(meta))
            for meta, _ in _answers(said)
            if (uid := _UID.search(meta)) and (size := _BYTES.search(meta))
        }

    def _bodies(
        self, uids: Sequence[int], heads: dict[int, tuple[int, datetime | None]]
    ) -> dict[int, bytes]:
        whole = [uid for uid in uids if heads[uid][0] <= LARGEST]
        found = self._fetch(whole, "BODY.PEEK[]", sum(heads[uid][0] for uid in whole))
        for uid in set(uids) - set(whole):
            found |= self._fetch([uid], f"BODY.PEEK[]<0.{BEGINNING}>", BEGINNING)
        missing = [uid for uid in uids if uid not in found]
        if missing and self._heads(missing).keys() & set(missing):
            raise SourceUnavailable("The server keeps a message to itself that it says is there.")
        return dict(sorted(found.items()))

    def _fetch(self, uids: Sequence[int], part: str, size: int) -> dict[int, bytes]:
        if not uids:
            return {}
        self._client.budget = 2 * size + _SLACK  # some servers only guess sizes
        said = _checked(self._client.uid("FETCH", ",".join(map(str, uids)), f"(UID {part})"))
        return {
            int(uid[1]): bytes(raw)
            for meta, raw in _answers(said)
            if raw is not None and (uid := _UID.search(meta)) and int(uid[1]) in uids
        }


@asynccontextmanager
async def open_folder(
    server: MailServer, password: str, *, allow_private: bool, seconds: float = SECONDS
) -> AsyncIterator[Folder]:
    """Sign in and open the folder for the block.

    Raises `SourceRefused` for a user or password that is none, `SourceUnavailable` for the rest.
    """
    ip = await find_address(server.host, server.port, allow_private=allow_private)
    conversation = _Conversation(server, ip, password, seconds)
    try:
        yield await conversation.call(conversation.begin)
    finally:
        conversation.hang_up()


class _Client(imaplib.IMAP4):
    """Connects to the address that was checked, and reads no more than was asked for."""

    def __init__(self, server: MailServer, ip: str, context: ssl.SSLContext) -> None:
        self.ip = ip
        self.budget = _SLACK
        self.context = context
        self.tls = server.tls
        super().__init__(server.host, server.port, timeout=_WAIT)
        if server.tls == "starttls":
            try:
                self.starttls(context)
            except Exception:
                _close(self)
                raise

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = socket.create_connection((self.ip, self.port), timeout)
        if self.tls != "implicit":
            return plain
        return self.context.wrap_socket(plain, server_hostname=self.host)

    def read(self, size: int) -> bytes:
        """As many bytes of a literal, where they were to be expected."""
        self._spend(size)
        return super().read(size)

    def readline(self) -> bytes:
        """A line, which counts too."""
        line = super().readline()
        self._spend(len(line))
        return line

    def _spend(self, size: int) -> None:
        self.budget -= size
        if self.budget < 0:
            raise self.abort("The server sends more than it was asked for.")


class _Box(BaseMailBox):
    """imap-tools around the client: it knows how names of folders and passwords are written."""

    def __init__(self, client: _Client) -> None:
        self._made = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._made


class _Conversation:
    """One connection, spoken over by one thread at a time."""

    def __init__(self, server: MailServer, ip: str, password: str, seconds: float) -> None:
        self._server = server
        self._ip = ip
        self._password = password
        self._seconds = seconds
        self._client: _Client | None = None
        self._is_over = False

    async def call(self, step: Callable[..., T], *args: Any) -> T:
        """Do a step in a thread, and call everything that can go wrong by one name."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds):
                return await loop.run_in_executor(_CONVERSATIONS, step, *args)
        except TimeoutError:
            raise SourceUnavailable(f"{self._server.host} gave no answer in time.") from None
        except MailboxLoginError as error:
            said = self._said(error)
            if any(code in _status(error) for code in _PASSING):
                raise SourceUnavailable(said) from None
            raise SourceRefused(said) from None
        except (imaplib.IMAP4.error, ImapToolsError, OSError, ValueError, EOFError) as error:
            raise SourceUnavailable(self._said(error)) from None

    def begin(self) -> Folder:
        """Connect, sign in and open the folder."""
        server = self._server
        client = _Client(server, self._ip, ssl.create_default_context())
        if self._is_over:  # nobody waits for it any more
            _close(client)
            raise EOFError
        self._client = client
        box = _Box(client)
        self._sign_in(box)
        client.budget = 4 * _SLACK
        box.folder.set(server.folder, readonly=True)
        return Folder(client, self.call)

    def _sign_in(self, box: _Box) -> None:
        user, password = self._server.user, self._password
        if user.isascii() and password.isascii():
            box.login(user, password, initial_folder=None)
            return
        try:
            box.login_utf8(user, password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:  # imaplib says NO so, and imap-tools lets it
            raise MailboxLoginError(("NO", [str(error).encode()]), "OK") from None

    def hang_up(self) -> None:
        """End it at once, even under a thread that waits for the server."""
        self._is_over = True
        if self._client is None:
            return
        with suppress(OSError, ValueError):
            self._client.sock.shutdown(socket.SHUT_RDWR)
        _CONVERSATIONS.submit(_close, self._client)

    def _said(self, error: BaseException) -> str:
        """The other side's words in one line, without the password if they repeat it."""
        if isinstance(error, UnexpectedCommandStatusError):
            words = _status(error).decode("utf-8", "replace")
        elif isinstance(error, ssl.SSLError):
            words = f"TLS failed: {getattr(error, 'verify_message', '') or error.reason or error}"
        else:
            first = error.args[0] if len(error.args) == 1 else error
            words = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
        clean = "".join(one if one.isprintable() else " " for one in words)
        clean = " ".join(clean.split()).replace(self._password, "…")
        return f"{self._server.host}: {clean[:300] or type(error).__name__}"


def _close(client: _Client) -> None:
    with suppress(OSError, ValueError):
        client.shutdown()


def _status(error: UnexpectedCommandStatusError) -> bytes:
    said = error.command_result[1]
    return b" ".join(one for one in said if isinstance(one, bytes))


def _checked(answer: tuple[str, list[Any]]) -> list[Any]:
    status, said = answer
    if status != "OK":
        raise imaplib.IMAP4.error(b" ".join(one for one in said if isinstance(one, bytes)))
    return said


def _answers(said: Sequence[Any]) -> Iterator[tuple[bytes, bytes | None]]:
    """What a FETCH said of each message: the line, wherever its parts stand, and the literal."""
    line, literal = b"", None
    for one in said:
        if isinstance(one, tuple):
            line, literal = line + one[0], one[1]
            continue
        yield line + b" " + (one or b""), literal
        line, literal = b"", None


def _ranges(uids: Sequence[int]) -> str:
    """All that lies between the first and the last: the others are gone."""
    return f"{uids[0]}:{uids[-1]}"


def _is_wanted(received: datetime | None, since: datetime | None) -> bool:
    return since is None or received is None or received >= since


def _time(meta: bytes) -> datetime | None:
    found = _DATE.search(meta)
    try:
        return (
            parsedate_to_datetime(found[1].decode().strip().replace("-", " ", 2)) if found else None
        )
    except (ValueError, TypeError, UnicodeDecodeError):
        return None


def _number(client: imaplib.IMAP4, name: str) -> int | None:
    found = client.response(name)[1][-1]
    return int(found) if found and found.isdigit() else None
