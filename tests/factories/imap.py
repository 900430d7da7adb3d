"""An IMAP server (RFC 3501) to test against: a real conversation over loopback, tests only.

It says what servers say, in the forms that differ between them, and on demand what none should.
"""

import asyncio
import base64
import re
from datetime import UTC, datetime

from tidings.base.testing import LocalServer
from tidings.connectors.imap import MailServer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def letter(number: int, body: str = "", **headers: str) -> bytes:
    """An email by its number; headers by name, with _ for -."""
    given = {
        "From": "Ana <ana@example.com>",
        "To": "support@house.example",
        "Subject": f"Question {number}",
        "Date": "Mon, 2 Mar 2026 11:00:00 +0000",
        "Message-ID": f"<m{number}@example.com>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    return ("\r\n".join(lines) + f"\r\n\r\n{body or f'Text {number}'}\r\n").encode()


class FakeImap(LocalServer):
    """Serves `mails` ({UID: (received, bytes)}) of one folder while its context is open.

    `script(verb, answer)` makes the next such command answer so: `"NO [X] words"`, or `"drop"` to
    hang up, `"silence"` to say nothing more (`silent` is set then), `"empty"` for a plain OK,
    `"flood"` for more than was asked for, `"hold"` to answer once `go` is set (`silent` is set
    meanwhile), `"pass"` to answer as always. `commands` logs the verbs.
    """

    def __init__(self, *, password: str = "secret", uid_next: bool = True) -> None:
        super().__init__()
        self.mails: dict[int, tuple[datetime, bytes]] = {}
        self.uid_validity = 7
        self.commands: list[str] = []
        self.go = asyncio.Event()
        self._password = password
        self._has_uid_next = uid_next
        self._answers: list[tuple[str, str]] = []

    def put(self, *mails: bytes, at: datetime = NOON) -> None:
        """Deliver mails under the next UIDs."""
        for raw in mails:
            self.mails[max(self.mails, default=0) + 1] = (at, raw)

    def script(self, *answers: tuple[str, str]) -> None:
        """Let the next commands of these verbs be answered so, each once."""
        self._answers += answers

    def server(self, **changes) -> MailServer:
        """How a mailbox names it."""
        given = {"tls": "never", "user": "support@house.example", "folder": "INBOX"}
        return MailServer(host="127.0.0.1", port=self.port, **(given | changes))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while first := await reader.read(1):
            if first == b"\x16":  # a TLS handshake
                return
            line = first + await reader.readline()
            tag, _, rest = line.decode().rstrip("\r\n").partition(" ")
            if not await self._command(reader, writer, tag, rest):
                return

    async def _command(self, reader, writer, tag: str, rest: str) -> bool:
        verb, _, args = rest.partition(" ")
        if verb == "UID":
            verb, _, args = args.partition(" ")
        verb = verb.upper()
        self.commands.append(verb)
        scripted = self._take(verb)
        if verb == "AUTHENTICATE":
            writer.write(b"+ \r\n")
            said = base64.b64decode(await reader.readline()).decode()
            args = f'"{said.rpartition(chr(0))[2]}"'
        if scripted in ("silence", "hold"):
            self.silent.set()
            await (reader.read() if scripted == "silence" else self.go.wait())
        scripted = None if scripted in ("hold", "pass") else scripted
        if scripted in ("drop", "silence"):
            return False
        if scripted == "flood":
            writer.write(b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n")
        elif scripted not in (None, "empty"):
            writer.write(f"{tag} {scripted}\r\n".encode())
        else:
            if scripted is None:
                answered = getattr(self, f"_{verb.lower()}", lambda _: b"")(args)
                if answered is None:
                    writer.write(f"{tag} NO [AUTHENTICATIONFAILED] who are you\r\n".encode())
                    return True
                writer.write(answered)
            writer.write(f"{tag} OK done\r\n".encode())
        await writer.drain()
        return verb != "LOGOUT"

    def _take(self, verb: str) -> str | None:
        for place, (scripted, answer) in enumerate(self._answers):
            if scripted == verb:
                del self._answers[place]
                return answer
        return None

    def _capability(self, _: str) -> bytes:
        return b"* CAPABILITY IMAP4rev1\r\n"

    def _login(self, args: str) -> bytes | None:
        return b"" if args.endswith(f'"{self._password}"') else None

    _authenticate = _login

    def _examine(self, _: str) -> bytes:
        said = f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.uid_validity}] here\r\n"
        if self._has_uid_next:
            said += f"* OK [UIDNEXT {max(self.mails, default=0) + 1}] next\r\n"
        return said.encode()

    def _among(self, uids: str) -> list[int]:
        found: set[int] = set()
        newest = max(self.mails, default=0)
        for part in uids.split(","):
            first, _, last = part.partition(":")
            ends = [newest if end == "*" else int(end) for end in (first, last or first)]
            found |= {uid for uid in self.mails if min(ends) <= uid <= max(ends)}
        return sorted(found)

    def _search(self, args: str) -> bytes:
        uids = self._among(args.removeprefix("UID "))
        return f"* SEARCH {' '.join(map(str, uids))}\r\n".encode()

    def _fetch(self, args: str) -> bytes:
        uids, _, wanted = args.partition(" ")
        return b"".join(self._fetched(uid, wanted) for uid in self._among(uids))

    def _fetched(self, uid: int, wanted: str) -> bytes:
        received, raw = self.mails[uid]
        number = sorted(self.mails).index(uid) + 1
        if "BODY" not in wanted:
            at = received.strftime("%d-%b-%Y %H:%M:%S +0000")
            said = f'RFC822.SIZE {len(raw)} UID {uid} INTERNALDATE "{at}"'
            return f"* {number} FETCH ({said})\r\n".encode()
        cut = re.search(r"<0\.(\d+)>", wanted)
        part = raw[: int(cut[1])] if cut else raw
        name = "BODY[]<0>" if cut else "BODY[]"
        literal = f"{name} {{{len(part)}}}\r\n".encode() + part
        # Servers differ in the order, and tell of flags that somebody else changed.
        noise = b"* 1 FETCH (FLAGS (\\Seen))\r\n" if uid % 2 else b""
        one = f"UID {uid}".encode()
        both = one + b" " + literal if uid % 2 else literal + b" " + one
        return noise + f"* {number} FETCH (".encode() + both + b")\r\n"
