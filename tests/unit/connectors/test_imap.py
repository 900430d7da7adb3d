"""IMAP: each letter once and whole, in bounded batches, and every way in which a server is odd."""

from datetime import timedelta

import pytest

from tidings.base.errors import InputInvalid, SourceRefused, SourceUnavailable
from tidings.connectors import imap
from tidings.connectors.imap import open_folder
from tidings.connectors.targets import check_host

from factories.imap import NOON, FakeImap, letter


async def read_all(fake, *, since=None, **changes):
    """Every letter of a folder, batch after batch, and how many batches that took."""
    letters, last, batches = [], 0, 0
    async with open_folder(fake.server(**changes), "secret", allow_private=True) as folder:
        more = True
        while more:
            batch = await folder.after(last, since)
            letters += batch.letters
            last, more, batches = batch.last_uid, batch.has_more, batches + 1
    return letters, last, batches


@pytest.mark.parametrize("uid_next", [True, False])
async def test_letters_come_in_order_and_in_batches(monkeypatch, uid_next):
    monkeypatch.setattr(imap, "MOST", 3)
    monkeypatch.setattr(imap, "_WINDOW", 4)
    async with FakeImap(uid_next=uid_next) as fake:
        fake.put(*(letter(n) for n in range(1, 8)))
        fake.mails[50] = (NOON, letter(50))  # a gap that is wider than a window
        del fake.mails[3]
        letters, last, batches = await read_all(fake)
        assert [one.uid for one in letters] == [1, 2, 4, 5, 6, 7, 50]
        assert [one.raw for one in letters] == [fake.mails[one.uid][1] for one in letters]
        assert {one.received for one in letters} == {NOON}
        assert (last, batches >= 3) == (50, True)
        assert "SELECT" not in fake.commands  # nothing there is marked as read
        letters, last, batches = await read_all(fake, since=NOON + timedelta(days=1))
        assert (letters, last) == ([], 50)


async def test_an_empty_folder_is_one_look():
    async with FakeImap() as fake:
        assert await read_all(fake, folder="Entwürfe & so") == ([], 0, 1)
        assert "SEARCH" not in fake.commands


async def test_a_batch_is_bounded_in_bytes_and_a_huge_letter_is_cut(monkeypatch):
    monkeypatch.setattr(imap, "BATCH_BYTES", 1000)
    monkeypatch.setattr(imap, "LARGEST", 5000)
    monkeypatch.setattr(imap, "BEGINNING", 300)
    async with FakeImap() as fake:
        fake.put(letter(1), letter(2, "x" * 900), letter(3, "y" * 9000))
        letters, _, batches = await read_all(fake)
        assert [len(one.raw) for one in letters] == [
            len(fake.mails[1][1]),
            len(fake.mails[2][1]),
            300,
        ]
        assert batches == 3


async def test_a_letter_that_is_gone_is_passed_over_and_one_that_is_kept_back_is_not():
    async with FakeImap() as fake:
        fake.put(letter(1))
        fake.script(("FETCH", "empty"))  # gone between the search and the fetch
        assert (await read_all(fake))[:2] == ([], 1)
        async with open_folder(fake.server(), "secret", allow_private=True) as folder:
            heads = await folder._call(folder._heads, [1])
            fake.script(("FETCH", "empty"))
            with pytest.raises(SourceUnavailable, match="keeps a message"):
                await folder._call(folder._bodies, [1], heads)


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (("LOGIN", "NO [AUTHENTICATIONFAILED] not with secret"), SourceRefused, "not with …"),
        (("LOGIN", "NO [UNAVAILABLE] later"), SourceUnavailable, "later"),
        (("LOGIN", "BAD what"), SourceUnavailable, "what"),
        (("LOGIN", "drop"), SourceUnavailable, "127.0.0.1"),
        (("EXAMINE", "NO no such folder"), SourceUnavailable, "no such folder"),
        (("SEARCH", "NO not now"), SourceUnavailable, "not now"),
        (("FETCH", "NO \x07not\tnow"), SourceUnavailable, "not now"),
        (("FETCH", "flood"), SourceUnavailable, "more than it was asked"),
        (("FETCH", "drop"), SourceUnavailable, "127.0.0.1"),
    ],
)
async def test_what_goes_wrong_has_a_name(script, error, words):
    async with FakeImap() as fake:
        fake.put(letter(1))
        fake.script(script)
        with pytest.raises(error) as raised:
            await read_all(fake)
        assert type(raised.value) is error
        assert words in raised.value.message
        assert "secret" not in raised.value.message


async def test_a_silent_server_is_left_in_time():
    async with FakeImap() as fake:
        fake.script(("EXAMINE", "silence"))
        with pytest.raises(SourceUnavailable, match="no answer in time"):
            async with open_folder(fake.server(), "secret", allow_private=True, seconds=0.05):
                pass


async def test_words_beyond_ascii_sign_in_another_way():
    async with FakeImap(password="pässword") as fake:
        async with open_folder(fake.server(), "pässword", allow_private=True):
            pass
        with pytest.raises(SourceRefused):
            async with open_folder(fake.server(), "passwörd", allow_private=True):
                pass
        assert fake.commands.count("AUTHENTICATE") == 2


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_tls_is_not_given_up(tls):
    async with FakeImap() as fake:
        fake.script(("STARTTLS", "NO no"))
        with pytest.raises(SourceUnavailable):
            await read_all(fake, tls=tls)
        assert "LOGIN" not in fake.commands


async def test_our_own_network_is_closed():
    async with FakeImap() as fake:
        with pytest.raises(SourceUnavailable, match="private network"):
            async with open_folder(fake.server(), "secret", allow_private=False):
                pass
        assert fake.commands == []


@pytest.mark.parametrize(
    "host", ["", "a b", "http://x", "-x.example", "x/y", "127.0.0.1", "::1", "x" * 300, "a@b"]
)
def test_hosts_that_are_none(host):
    with pytest.raises(InputInvalid):
        check_host(host, allow_private=False)


@pytest.mark.parametrize("host", ["imap.house.example", "mail-1.example.", "93.184.216.34"])
def test_hosts(host):
    assert check_host(host, allow_private=False) == host
