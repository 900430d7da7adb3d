"""Messages out of files: every date form, what is passed over, and what one bad part costs."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tidings.base.errors import FileInvalid
from tidings.messages.formats import Defaults, RowError, read_messages
from tidings.messages.formats.mail import LARGEST, mail_entry
from tidings.messages.formats.read import detect
from tidings.messages.formats.words import decode_bytes, decode_words
from tidings.messages.item import MessageItem

DEFAULTS = Defaults(ours=frozenset({"bo@tidings.example", "bo"}), timezone="Europe/Berlin")


def read(path: Path, file_format=None, defaults=DEFAULTS):
    return list(read_messages(path, file_format, defaults))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("12/31/20, 9:15\u202fPM - ", "2020-12-31T20:15"),
        ("12/31/2020, 12:05 AM - ", "2020-12-30T23:05"),
        ("31/12/2020, 21:15 - ", "2020-12-31T20:15"),
        ("31.12.20, 21:15 - ", "2020-12-31T20:15"),
        ("31-12-2020 21:15 - ", "2020-12-31T20:15"),
        ("2020-12-31, 21:15 - ", "2020-12-31T20:15"),
        ("[31/12/2020, 21:15:42] ", "2020-12-31T20:15:42"),
        ("\u200e[12/31/20, 9:15:42 p. m.] ", "2020-12-31T20:15:42"),
        ("7/8/2020, 21:15 - ", "2020-08-07T19:15"),
        ("7/8/20, 9:15 PM - ", "2020-07-08T19:15"),
    ],
)
def test_whatsapp_dates(tmp_path: Path, stamp: str, at: str) -> None:
    path = write(tmp_path, "chat.txt", f"{stamp}Ana Silva: Hello: you\n")
    (item,) = read(path)
    assert item.sent_at == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (item.sender.name, item.body, item.direction) == ("Ana Silva", "Hello: you", "in")


def test_whatsapp_lines(tmp_path: Path) -> None:
    text = (
        "13/01/2026, 09:00 - Messages and calls are end-to-end encrypted.\n"
        "13/01/2026, 09:01 - Ana: First\nsecond line\n\nthird\n"
        "13/01/2026, 09:01 - Bo: ok\n13/01/2026, 09:01 - Bo: ok\n"
        "13/01/2026, 09:02 - Ana: IMG-1.jpg (file attached)\n"
        "13/13/2026, 09:03 - Ana: never\n"
    )
    first = read(write(tmp_path, "chat.txt", text))
    assert [one.body for one in first[:3]] == ["First\nsecond line\n\nthird", "ok", "ok"]
    assert [one.direction for one in first[:3]] == ["in", "out", "out"]
    assert first[3].attachments[0].name == "IMG-1.jpg"
    assert first[4] == RowError("line 9", "its date is none.")
    ids = [one.external_id for one in first[:4]]
    assert len(set(ids)) == 4
    longer = read(write(tmp_path, "chat.txt", text + "14/01/2026, 09:00 - Ana: more\n"))
    assert [one.external_id for one in longer[:4]] == ids
    with pytest.raises(FileInvalid):
        read(write(tmp_path, "none.txt", "no dates\n"), "whatsapp")


def test_one_impossible_date_tells_nothing_of_the_others(tmp_path: Path) -> None:
    text = "13/13/26, 9:05 PM - Bo: never\n1/14/26, 9:06 PM - Ana: fine\n"
    error, item = read(write(tmp_path, "chat.txt", text))
    assert isinstance(error, RowError)
    assert item.sent_at == datetime(2026, 1, 14, 20, 6, tzinfo=UTC)


def test_irc(tmp_path: Path) -> None:
    log = (
        "=== ana [x@y] has joined #dev\n[23:58] <ana> hello\n[23:58] <ana> hello\n"
        "[23:59] * bo waves\n[00:01] <@bo> hi\n[00:02] <ana>  \n"
    )
    items = read(write(tmp_path, "2026-01-31.raw.txt", log))
    assert [(one.sender.id, one.body) for one in items] == [
        ("ana", "hello"),
        ("ana", "hello"),
        ("bo", "* bo waves"),
        ("bo", "hi"),
    ]
    assert [one.sent_at.isoformat() for one in items[2:]] == [
        "2026-01-31T22:59:00+00:00",
        "2026-01-31T23:01:00+00:00",
    ]
    assert len({one.external_id for one in items}) == 4
    twelve = "".join(f"[{clock}] <ana> x\n" for clock in ("11:59", "12:30", "01:10", "01:05"))
    of_twelve = read(write(tmp_path, "2026-01-31.txt", twelve), defaults=Defaults())
    assert [one.sent_at.strftime("%H:%M") for one in of_twelve] == [
        "11:59",
        "12:30",
        "13:10",
        "13:05",
    ]
    for name in ("log.txt", "2026-02-31.txt"):
        with pytest.raises(FileInvalid):
            read(write(tmp_path, name, log), "irc")


def test_csv(tmp_path: Path) -> None:
    table = (
        "\ufeffFrom;Date;Text;Direction\nana@x.example;2026-01-05T09:00:00;Hi \0there;\n"
        "bo;2026-01-05T09:00:00+00:00;Yes;\n;2026-01-05;x;\nana;soon;x;\n"
        'ana;2026-01-05;x;up\nana;2999-01-05;x;\n\nana;2026-01-05T10:00:00;"two\nlines";out\n'
    )
    found = read(write(tmp_path, "t.csv", table))
    items = [one for one in found if isinstance(one, MessageItem)]
    assert [(one.sender.id, one.sender.email, one.direction) for one in items] == [
        ("ana@x.example", "ana@x.example", "in"),
        ("bo", None, "out"),
        ("ana", None, "out"),
    ]
    assert items[0].sent_at.hour == 8
    assert items[0].body == "Hi there"
    errors = [one for one in found if isinstance(one, RowError)]
    assert [one.place for one in errors] == ["line 4", "line 5", "line 6", "line 7"]
    with pytest.raises(FileInvalid, match="sent_at, sender_id"):
        read(write(tmp_path, "u.csv", "text\nx\n"))
    long = "text,date,from,id\n" + "x" * 2**21 + ",2026-01-05,a,1\ny,2026-01-05,a,2\n"
    assert isinstance(read(write(tmp_path, "v.csv", long))[0], RowError)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, encoding: str) -> None:
    text = "sender;date;text\njörg@x.example;2026-01-05;Grüße – 5 € x \u201cja\u201d\n"
    (item,) = read(write(tmp_path, "a.csv", text.encode(encoding)))
    assert (item.sender.id, item.body) == ("jörg@x.example", "Grüße – 5 € x \u201cja\u201d")


def test_jsonl(tmp_path: Path) -> None:
    good = {
        "external_id": "1",
        "sender": {"id": "a"},
        "direction": "in",
        "body": "x",
        "sent_at": "2026-01-05T09:00:00Z",
    }
    lines = [json.dumps(good), "", "{", json.dumps({**good, "body": 1}), "7"]
    found = read(write(tmp_path, "t.jsonl", "\n".join(lines)))
    assert isinstance(found[0], MessageItem)
    assert [one.place for one in found[1:]] == ["line 3", "line 4", "line 5"]
    huge = b'"' + b"x" * (5 * 2**20) + b'"\n' + json.dumps(good).encode()
    assert isinstance(read(write(tmp_path, "u.jsonl", huge))[0], RowError)


MAIL = b"""From ana@x.example Mon Jan  5 09:00:00 2026
From: =?iso-8859-1?q?Ana_S=F8rensen?= <Ana@X.example>
Subject: =?utf-8?b?w6Q=?= bill
Date: Mon, 5 Jan 2026 10:00:00 +0100
Message-ID: <1@x.example>
Content-Type: text/plain; charset=latin-1

Gr\xfc\xdfe
>From here on

From bo@tidings.example Mon Jan  5 09:30:00 2026
From: bo@tidings.example
Date: Mon, 5 Jan 2026 10:30:00 +0100
In-Reply-To: <1@x.example>
References: <0@x.example> <1@x.example>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=nonsense

<style>p {}</style><p>Hello &amp; <b>bye</b></p><br>x
--b
Content-Type: application/pdf; name="=?utf-8?q?a=C3=A4=2Epdf?="
Content-Disposition: attachment
Content-Transfer-Encoding: base64

aGVsbG8=
--b--

From nobody Mon Jan  5 09:30:00 2026
Subject: no date

x
"""


def test_mbox(tmp_path: Path) -> None:
    path = write(tmp_path, "mail", MAIL)
    assert detect(path) == "mbox"
    first, second, third = read(path)
    assert (first.external_id, first.sender.id) == ("1@x.example", "ana@x.example")
    assert (first.sender.name, first.subject) == ("Ana Sørensen", "ä bill")
    assert first.body == "Grüße\nFrom here on"
    assert first.sent_at.hour == 9
    assert (second.direction, second.references) == ("out", ["0@x.example", "1@x.example"])
    assert second.body == "Hello & bye\n\nx"
    assert [(one.name, one.bytes) for one in second.attachments] == [("aä.pdf", 5)]
    assert second.external_id.startswith("sha256:")
    assert (third.subject, third.sent_at) == ("no date", datetime(2026, 1, 5, 9, 30, tzinfo=UTC))
    with pytest.raises(FileInvalid):
        read(write(tmp_path, "x.mbox", "Subject: x\n"))
    assert read(write(tmp_path, "empty.mbox", "")) == []


def test_mail_is_bounded_and_robust() -> None:
    assert isinstance(mail_entry("1", b"x" * (LARGEST + 1), DEFAULTS), RowError)
    at = datetime(2026, 1, 5, tzinfo=UTC)
    odd = mail_entry(
        "1", b"From: \x00\xff\xfe\nMessage-ID: <>\nList-Id: \xff\n\n\xff", DEFAULTS, at
    )
    assert isinstance(odd, MessageItem)
    assert odd.automatic == "list"
    bounce = (
        b'From: mailer-daemon@x\nContent-Type: multipart/report; report-type="delivery-status"\n\n'
    )
    assert mail_entry("1", bounce, DEFAULTS, at).automatic == "bounce"
    assert decode_words("=?utf-8?b?x?=") == "=?utf-8?b?x?="
    assert decode_bytes(b"\x81", "nonsense") == "\x81"


def slack(folder: Path) -> Path:
    days = folder / "export" / "general"
    days.mkdir(parents=True)
    users = [
        {"id": "U1", "name": "ana", "profile": {"real_name": "Ana", "email": "ana@x.example"}},
        {"id": "U2", "profile": None, "name": "bo"},
        7,
    ]
    (folder / "export" / "users.json").write_text(json.dumps(users))
    (folder / "export" / "channels.json").write_text("[]")
    said = [
        {"type": "message", "subtype": "channel_join", "user": "U1", "ts": "1.0"},
        {
            "type": "message",
            "user": "U1",
            "ts": "1767603600.000100",
            "thread_ts": "1767603600.000100",
            "text": "Hi <@U2> in <#C1|general> &amp; <https://x.example|here> <!here> <https://y>",
        },
        {
            "user": "U2",
            "ts": "1767603700.0",
            "thread_ts": "1767603600.000100",
            "text": "yes",
            "files": [{"name": "a.png", "mimetype": "image/png", "size": 5}, 7],
        },
        {"subtype": "bot_message", "username": "CI", "ts": "1767603800.0", "text": "built"},
        {"user": "U3", "user_profile": {"real_name": "Cy"}, "ts": "x"},
        5,
    ]
    (days / "2026-01-05.json").write_text(json.dumps(said))
    (days / "2026-01-06.json").write_text("{")
    return folder / "export"


def test_slack(tmp_path: Path) -> None:
    export = slack(tmp_path)
    found = read(export)
    first, second, third = (one for one in found if isinstance(one, MessageItem))
    assert first.body == "Hi @bo in #general & here (https://x.example) @here https://y"
    assert (first.sender.name, first.sender.email) == ("Ana", "ana@x.example")
    assert first.thread_id == second.thread_id == "general:1767603600.000100"
    assert (second.direction, second.attachments[0].bytes) == ("out", 5)
    assert (third.sender.name, third.automatic) == ("CI", "reply")
    errors = [one for one in found if isinstance(one, RowError)]
    assert [one.place for one in errors] == [
        "general/2026-01-05.json message 5",
        "general/2026-01-06.json",
    ]
    for top in ("", "wrapped/"):
        with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
            for file in export.rglob("*.json"):
                archive.write(file, top + file.relative_to(export).as_posix())
        assert read(tmp_path / "e.zip")[:-1] == found[:-1]
    with pytest.raises(FileInvalid):
        read(write(tmp_path, "f.zip", "x"))
    with pytest.raises(FileInvalid):
        read(tmp_path / "export" / "general")


def test_bots_of_slack_are_no_people(tmp_path: Path) -> None:
    (tmp_path / "general").mkdir()
    write(tmp_path, "users.json", json.dumps([{"id": "B", "name": "ci", "is_bot": True}]))
    said = [
        {"user": "B", "text": "Build 7 failed.", "ts": "1768300001.0"},
        {"user": "U", "bot_id": "X", "text": "Deployed.", "ts": "1768300002.0"},
        {"user": "U", "text": "Thanks.", "ts": "1768300003.0"},
    ]
    write(tmp_path / "general", "2026-01-13.json", json.dumps(said))
    assert [item.automatic for item in read(tmp_path)] == ["reply", "reply", None]


def test_what_nothing_tells(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid, match="--format mbox or slack"):
        read(write(tmp_path, "x.txt", "what is this\n"))
    assert detect(write(tmp_path, "y.txt", "[08:24] <a> b\n[08:25] <c> d\n")) == "irc"
    assert detect(write(tmp_path, "z.txt", "1/2/26, 9:15 AM - A: b\n")) == "whatsapp"
