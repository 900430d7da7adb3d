"""What people read of an email, what hangs on it, and mails that were made to hold us up."""

import email.message
from datetime import UTC, datetime
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from tidings.messages.formats.entry import Defaults, RowError
from tidings.messages.formats.mail import mail_entry
from tidings.messages.formats.mbox import read_mbox
from tidings.messages.formats.page_text import page_text
from tidings.messages.item import MessageItem
from tidings.messages.quotes import opening, split_quote

AT = datetime(2026, 1, 5, tzinfo=UTC)
ICS = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Talk\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def read(raw: bytes | email.message.Message) -> MessageItem:
    found = mail_entry("1", raw if isinstance(raw, bytes) else raw.as_bytes(), Defaults(), AT)
    assert isinstance(found, MessageItem)
    return found


def test_an_invitation_is_attached_and_not_read_out():
    mail = MIMEMultipart("alternative")
    mail.attach(MIMEText("Let us talk.", "plain", "utf-8"))
    mail.attach(MIMEText("<p>Let us <b>talk</b>.</p>", "html", "utf-8"))
    mail.attach(MIMEText(ICS, "calendar", "utf-8"))
    again = MIMEText(ICS, "calendar", "utf-8")
    again.add_header("Content-Disposition", "attachment", filename="invite.ics")
    mail.attach(again)
    found = read(mail)
    assert found.body == "Let us talk."
    assert [(one.name, one.media_type) for one in found.attachments] == [
        ("invite.ics", "text/calendar")
    ]


def test_of_the_same_twice_the_plain_one_and_of_different_ones_all():
    both = MIMEMultipart("alternative")
    both.attach(MIMEText("  ", "plain"))
    both.attach(MIMEText("amp", "x-amp-html"))
    both.attach(MIMEText("<p>The offer</p>", "html"))
    mail = MIMEMultipart("mixed")
    mail.attach(both)
    mail.attach(MIMEText("-- \nA list's footer", "plain"))
    found = read(mail)
    assert found.body == "The offer\n\n-- \nA list's footer"
    assert found.attachments == []


def test_a_mail_in_a_mail_is_attached_and_read_where_nothing_else_is_said():
    inner = MIMEText("The old words", "plain")
    inner["Subject"] = "=?utf-8?b?w6Q=?= bill"
    passed_on = (
        "---------- Forwarded message ---------\nFrom: Bo <bo@x.example>\nSubject: ä bill\n\n"
        "The old words"
    )
    inner["From"] = "Bo <bo@x.example>"
    for said, body in (("Look at this.", "Look at this."), ("", passed_on)):
        mail = MIMEMultipart("mixed")
        mail.attach(MIMEText(said, "plain"))
        mail.attach(MIMEMessage(inner))
        found = read(mail)
        assert found.body == body
        assert [(one.name, one.media_type) for one in found.attachments] == [
            ("ä bill.eml", "message/rfc822")
        ]


def test_a_bounce_says_what_the_server_says():
    report = (
        b"From: mailer-daemon@x.example\nContent-Type: multipart/report;"
        b' report-type="delivery-status"; boundary=b\n\n--b\n\nIt did not arrive.\n'
        b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n"
        b"--b--\n"
    )
    found = read(report)
    assert (found.body, found.automatic) == ("It did not arrive.", "bounce")
    assert found.attachments == []


def test_headers_that_are_not_as_they_should_be():
    raw = "From: Jürgen <J@x.example>\nSubject: Grüße\n €\nDate: Mon, 5 Jan 2099 10:00 +0100\n"
    found = read(raw.encode() + b"Message-ID: <a@\n b>\n\nx")
    assert (found.sender.name, found.sender.id) == ("Jürgen", "j@x.example")
    assert (found.subject, found.external_id) == ("Grüße €", "a@b")
    assert found.sent_at == AT  # nobody writes from the future
    took = b"Received: from a by b;\n Mon, 5 Jan 2026 09:00:00 +0100\nSender: b@x.example\n\nx"
    found = read(took)
    assert (found.sent_at.hour, found.sender.id) == (8, "b@x.example")
    assert mail_entry("1", b"Subject: x\n\ny", Defaults()) == RowError("1", "has no date.")


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/html\n\n" + b"<style " * 300_000,
        b"Content-Type: text/html\n\n" + b"<!--" * 300_000,
        b"Content-Type: text/html\n\n" + b"<a" * 300_000,
        b'Content-Type: multipart/mixed; a="' + b";" * 300_000 + b"\n\nx",
        b"From: " + b"(" * 30_000 + b"\n\nx",
        b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 400_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)
        ),
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(30)
        ),
    ],
    ids=["style", "comment", "tags", "parameters", "comments", "charset", "depth", "deep"],
)
def test_mails_that_were_made_to_hold_us_up(raw):
    assert read(raw).sender.id == "unknown"


def test_pages_as_text():
    page = (
        "<html><head><title>No</title><style>p{}</style><body><h1>Hi</h1><p>One\n two<br>three</p>"
        "<ul><li>a</li><li>b &amp; c</li></ul><!-- <p>no</p> --><table><tr><td>1</td><td>2</td>"
        "</tr></table><script>if (1 < 2) {}</script><blockquote>old <p>words</p></blockquote>"
        "1 < 2<!-- never ends"
    )
    assert page_text(page) == (
        "Hi\n\nOne two\nthree\n\n- a\n- b & c\n\n1 2\n\n> old\n\n> words\n\n1 < 2"
    )


@pytest.mark.parametrize(
    ("body", "said", "quoted"),
    [
        ("Yes.\n\nOn Monday Ana wrote:\n> Is it?\n\n", "Yes.", "On Monday Ana wrote:\n> Is it?"),
        ("Ja.\n\nAm 5.1. um 9 schrieb Ana\n<a@x>:\n\n> So?", "Ja.", None),
        ("Yes.\n> Is it?", "Yes.", "> Is it?"),
        ("Yes.\n\n-----Original Message-----\nwhat it was", "Yes.", None),
        ("Oui.\n\nDe : Ana\nEnvoyé : lundi\nÀ : Bo\nObjet : x\n\nOld", "Oui.", None),
        ("> Is it?\nYes.\n> And this?\nNo.", "> Is it?\nYes.\n> And this?\nNo.", ""),
        ("> all quoted", "> all quoted", ""),
        ("From: here we go", "From: here we go", ""),
        ("", "", ""),
    ],
)
def test_where_history_begins(body, said, quoted):
    found = split_quote(body)
    assert found[0] == said
    if quoted is not None:
        assert found[1] == quoted
    else:
        assert found[1]
        assert "".join(found).replace("\n", "") == body.replace("\n", "")


def test_who_calls_themselves_by_our_name_is_not_us():
    ours = Defaults(ours=frozenset({"us@house.example"}))
    for sender, direction in (
        (b'"us@house.example" <thief@x.example>', "in"),
        (b"Us <US@house.example>", "out"),
    ):
        found = mail_entry("1", b"From: " + sender + b"\n\nx", ours, AT)
        assert isinstance(found, MessageItem)
        assert found.direction == direction


def test_how_it_begins():
    assert opening("> Is it?\nYes,\n it is.\n> And?\nNo.\n\nOn Monday Ana wrote:\n> x") == (
        "Yes, it is. No."
    )
    assert opening("> only\n> this") == "> only > this"


def test_a_sentence_that_begins_with_from_is_no_new_mail(tmp_path: Path):
    path = tmp_path / "x.mbox"
    mail = b"From a@x Mon Jan  5 09:00:00 2026\nSubject: x\n\nHi\n\nFrom here on it is fine.\n\n"
    path.write_bytes(mail + mail.replace(b"Subject: x", b"Subject: y"))
    found = list(read_mbox(path, Defaults()))
    assert [one.subject for one in found if isinstance(one, MessageItem)] == ["x", "y"]
    assert all(one.body.endswith("From here on it is fine.") for one in found)
    odd = b"From a@x Mon Foo 99 09:00:00 2026\nSubject: x\n\nHi\n"
    path.write_bytes(odd)
    assert list(read_mbox(path, Defaults())) == [RowError("email 1", "has no date.")]


@pytest.mark.parametrize(
    ("reply_to", "answer_to"),
    [
        ("Desk <desk@shop.example>", "desk@shop.example"),
        ("<desk@shop.example>, other@shop.example", "desk@shop.example"),
        ("nobody, desk@shop.example", "desk@shop.example"),
        ("Ana <ANA@shop.example>", None),
        ("desk@shop.example, ana@shop.example", None),
        ("us@house.example", None),
        ("nobody", None),
        ("a" * 400 + "@shop.example", None),
        ("(" * 5000, None),
    ],
)
def test_where_a_sender_wants_answers(reply_to: str, answer_to: str | None):
    mail = MIMEText("Hello")
    mail["From"], mail["Reply-To"] = "ana@shop.example", reply_to
    ours = Defaults(ours=frozenset({"us@house.example"}))
    found = mail_entry("1", mail.as_bytes(), ours, AT)
    assert isinstance(found, MessageItem)
    assert found.answer_to == answer_to


def test_of_several_authors_the_first_counts():
    raw = b"From: Ana <ana@x.example>, bo@x.example\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n\nHi\n"
    item = mail_entry("mail", raw, Defaults(ours=frozenset(), timezone="UTC"))
    assert isinstance(item, MessageItem)
    assert (item.sender.id, item.sender.name) == ("ana@x.example", "Ana")
