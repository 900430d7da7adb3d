"""`tidings mailbox`: set with the password on standard input, checked right here."""

import asyncio
from collections.abc import Iterator
from threading import Thread

import pytest

from factories.imap import FakeImap, letter


@pytest.fixture
def imap() -> Iterator[FakeImap]:
    """A server in a thread of its own: a command keeps this one busy."""
    fake = FakeImap()
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(fake.__aenter__(), loop).result()
    yield fake
    asyncio.run_coroutine_threadsafe(fake.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_mailbox_from_its_beginning_to_its_end(cli, imap, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TIDINGS_GATEWAY_PRIVATE", "true")
    mails = tmp_path / "support.mbox"
    mails.write_bytes(b"From a Mon Jan  5 09:00:00 2026\n" + letter(1).replace(b"\r\n", b"\n"))
    assert cli("import", "messages", str(mails), "--channel", "Support", "--create").code == 0
    assert cli("mailbox", "show", "Support").code == 1
    assert cli("mailbox", "show", "Nowhere").code == 1
    given = ["--host", "127.0.0.1", "--port", str(imap.port), "--tls", "never", "--user", "me@x.de"]
    done = cli("mailbox", "set", "Support", *given, "--own", "us@x.de", stdin="secret\n")
    assert (done.code, "every minute" in done.err) == (0, True)
    imap.put(letter(1), letter(2))
    assert cli("mailbox", "check", "Support").out == "1 created, 1 there already.\n"
    assert cli("mailbox", "check", "Support", "--json").json["created"] == 0
    shown = cli("mailbox", "show", "Support", "--json").json
    assert (shown["user"], shown["own_addresses"]) == ("me@x.de", ["us@x.de"])
    imap.script(("EXAMINE", "NO no such folder"))
    failed = cli("mailbox", "check", "Support")
    assert (failed.code, "no such folder" in failed.err) == (1, True)
    text = cli("mailbox", "show", "Support").out
    assert "INBOX: failing, checked 20" in text
    assert "no such folder" in text
    assert cli("mailbox", "delete", "Support").code == 0
    assert cli("mailbox", "check", "Support").code == 1
