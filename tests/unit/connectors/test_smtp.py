"""Mail: its headers, where it is handed in, and what the server's words mean."""

from datetime import UTC, datetime

import pytest

from tidings.base.errors import SettingInvalid
from tidings.connectors.mail import address_of, as_bytes, build_mail
from tidings.connectors.smtp import Server, SmtpConnector, parse_smtp_url
from tidings.connectors.testing import FakeSmtp

from factories.outgoing import make_outgoing

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
US = "Us <us@house.example>"


def connector(server, **changes):
    made = Server("127.0.0.1", server.port, "offered", **changes)
    return SmtpConnector(made, US, now=lambda: NOW, seconds=20)


def test_a_mail_says_whose_answer_it_is_and_how_to_end_it():
    link = "https://tidings.example/unsubscribe/" + "t" * 64
    sent = make_outgoing(
        is_automatic=True,
        in_reply_to="question@example.com",
        in_references="<before@example.com>",
        unsubscribe_url=link,
    )
    raw = as_bytes(build_mail(sent, US, NOW)).decode("ascii")
    assert f"List-Unsubscribe: <{link}>\r\n" in raw
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert "Auto-Submitted: auto-replied\r\n" in raw
    assert "In-Reply-To: <question@example.com>\r\n" in raw
    assert "References: <before@example.com> <question@example.com>\r\n" in raw
    assert f"Message-ID: <{sent.idempotency_key}@house.example>\r\n" in raw
    assert "Date: Mon, 02 Mar 2026 12:00:00 +0000\r\n" in raw


def test_a_plain_mail_has_no_such_headers():
    sent = make_outgoing(in_reply_to="slack-17", subject="")
    raw = as_bytes(build_mail(sent, US, NOW)).decode("ascii")
    for header in ("List-Unsubscribe", "Auto-Submitted", "In-Reply-To", "References"):
        assert header not in raw
    assert "Subject: Re: your message" in raw


@pytest.mark.parametrize("before", ["no id", "x" * 900 + "@example.com"])
def test_references_that_cannot_be_are_left_out(before):
    sent = make_outgoing(in_reply_to="a@b.example", in_references=before)
    assert build_mail(sent, US, NOW)["References"] == "<a@b.example>"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 587, "required")),
        ("smtp://localhost:25", Server("localhost", 25, "offered")),
        ("smtp://mail.example?starttls=never", Server("mail.example", 587, "never")),
        (
            "smtps://me%40house:p%2Fw@mail.example",
            Server("mail.example", 465, "implicit", "me@house", "p/w"),
        ),
    ],
)
def test_an_address_of_a_server_is_read(url, server):
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    "url", ["mail.example", "http://x", "smtp://:25", "smtp://h:x", "smtp://h?starttls=maybe"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url):
    with pytest.raises(SettingInvalid) as refused:
        parse_smtp_url(url)
    assert url not in refused.value.message


def test_the_sender_is_an_address():
    assert address_of(US) == "us@house.example"
    with pytest.raises(SettingInvalid):
        address_of("Us")


async def test_it_signs_in_with_the_password():
    async with FakeSmtp(password="right") as server:
        assert (
            await connector(server, user="us", password="right").send(make_outgoing())
        ).result == "sent"
        outcome = await connector(server, user="us", password="wrong").send(make_outgoing())
        assert outcome.result == "temporary"
        assert "535" in outcome.detail
        assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (("CONNECT", "554 not today"), "temporary"),
        (("EHLO", "drop"), "temporary"),
        (("MAIL", "552 too much"), "refused"),
        (("MAIL", "drop"), "temporary"),
        (("DATA", "451 wait"), "temporary"),
        (("END", "550 spam"), "refused"),
        (("END", "452 full"), "temporary"),
    ],
)
async def test_what_the_server_says_at_each_step(answer, result):
    async with FakeSmtp() as server:
        server.script(answer)
        assert (await connector(server).send(make_outgoing())).result == result
        assert server.mails == []


async def test_addresses_beyond_ascii_need_a_server_that_takes_them():
    async with FakeSmtp() as server:
        assert (
            await connector(server).send(make_outgoing(recipient="bø@exämple.com"))
        ).result == "sent"
        (mail,) = server.mails
        assert mail.recipients == ["bø@xn--exmple-cua.com"]
    async with FakeSmtp(utf8=False) as server:
        assert (
            await connector(server).send(make_outgoing(recipient="bø@x.example"))
        ).result == "refused"
        assert (
            await connector(server).send(make_outgoing(recipient="b@exämple.com"))
        ).result == "sent"


async def test_a_server_without_tls_gets_nothing_where_tls_is_required():
    async with FakeSmtp() as server:
        made = SmtpConnector(Server("127.0.0.1", server.port, "required"), US, seconds=20)
        assert (await made.send(make_outgoing())).result == "temporary"
        assert server.mails == []


async def test_what_cannot_be_written_as_mail_is_refused():
    async with FakeSmtp() as server:
        outcome = await connector(server).send(make_outgoing(subject="a\nBcc: eve@example.com"))
    assert outcome.result == "refused"
