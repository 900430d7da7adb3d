"""What every way out keeps, whichever it is: each scenario against SMTP and the signed webhook."""

import pytest

from tidings.connectors.smtp import SmtpConnector, parse_smtp_url
from tidings.connectors.testing import FakeGateway, FakeSmtp
from tidings.connectors.webhook import WebhookConnector
from unit.deadlines import left_in_silence

from factories.outgoing import SECRET, make_outgoing


class ByMail:
    """SMTP, and how its server is made to behave."""

    def __init__(self):
        self.server = FakeSmtp()

    def connector(self, seconds=20.0):
        server = parse_smtp_url(self.server.url)
        return SmtpConnector(server, "Us <us@house.example>", seconds=seconds)

    def behave(self, how):
        answers = {
            "later": ("RCPT", "451 greylisted, try again"),
            "refuse": ("RCPT", "550 no such mailbox"),
            "silence": ("END", "silence"),
            "hang up": ("END", "drop"),
        }
        self.server.script(answers[how])

    def taken(self):
        return [
            (mail.recipients[0], mail.parsed.get_content().replace("\r\n", "\n"))
            for mail in self.server.mails
        ]


class ByWebhook:
    """The signed webhook, and how the gateway is made to behave."""

    def __init__(self):
        self.server = FakeGateway(SECRET)

    def connector(self, seconds=20.0):
        return WebhookConnector(self.server.url, SECRET, allow_private=True, seconds=seconds)

    def behave(self, how):
        self.server.script({"later": 503, "refuse": 400, "silence": 0, "hang up": -1}[how])

    def taken(self):
        return [(data["to"], data["content"]) for data in self.server.sent.values()]


@pytest.fixture(params=[ByMail, ByWebhook])
async def way(request):
    made = request.param()
    async with made.server:
        yield made


async def test_a_message_is_handed_over_as_it_was_approved(way):
    sent = make_outgoing()
    outcome = await way.connector().send(sent)
    assert outcome.result == "sent", outcome
    assert str(sent.idempotency_key) in (outcome.provider_id or "")
    assert way.taken() == [(sent.recipient, sent.content)]


@pytest.mark.parametrize(("how", "result"), [("later", "temporary"), ("refuse", "refused")])
async def test_a_no_says_whether_to_try_again(way, how, result):
    way.behave(how)
    outcome = await way.connector().send(make_outgoing())
    assert outcome.result == result
    assert outcome.detail
    assert way.taken() == []


async def test_no_answer_means_that_it_may_have_left(way):
    way.behave("hang up")
    assert (await way.connector().send(make_outgoing())).result == "unknown"


async def test_who_never_answers_is_not_waited_for(way):
    way.behave("silence")
    outcome = await left_in_silence(way.server, way.connector().send(make_outgoing()))
    assert outcome.result == "unknown"
    assert len(way.taken()) == 1


async def test_nobody_there_is_temporary(way):
    connector = way.connector()
    await way.server.__aexit__(None, None, None)
    assert (await connector.send(make_outgoing())).result == "temporary"
