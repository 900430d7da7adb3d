"""The signed webhook: its signature, what may be called, what answers mean."""

import pytest

from tidings.base.errors import InputInvalid, SourceUnavailable
from tidings.base.testing import LocalServer
from tidings.connectors.targets import check_url, find_target
from tidings.connectors.testing import FakeGateway
from tidings.connectors.webhook import WebhookConnector
from unit.deadlines import left_in_silence

from factories.outgoing import SECRET, make_outgoing


def connector(gateway, secret=SECRET):
    return WebhookConnector(gateway.url, secret, allow_private=True, seconds=20)


async def test_a_repeat_carries_the_same_key_and_is_sent_once():
    async with FakeGateway(SECRET) as gateway:
        sent = make_outgoing()
        gateway.script(0)
        assert (await left_in_silence(gateway, connector(gateway).send(sent))).result == "unknown"
        assert (await connector(gateway).send(sent)).result == "sent"
        first, second = gateway.posts
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.headers["idempotency-key"] == str(sent.idempotency_key)
        assert len(gateway.sent) == 1


async def test_a_post_is_signed():
    async with FakeGateway(SECRET) as gateway:
        outcome = await connector(gateway, "whsec_" + "YW5vdGhlci1vbmUtYW5vdGhlcg==").send(
            make_outgoing()
        )
        assert (outcome.result, gateway.sent) == ("refused", {})


@pytest.mark.parametrize(
    ("status", "result", "wait"),
    [
        (202, "sent", None),
        (301, "refused", None),
        (410, "refused", None),
        (429, "temporary", 7.0),
        (500, "temporary", 7.0),
    ],
)
async def test_what_an_answer_means(status, result, wait):
    async with FakeGateway(SECRET) as gateway:
        gateway.script(status)
        outcome = await connector(gateway).send(make_outgoing())
    assert (outcome.result, outcome.retry_after) == (result, wait)


async def test_an_answer_that_nests_beyond_reason_is_one():
    class Deep(LocalServer):
        async def _serve(self, reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            body = b"[" * 60_000
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()

    async with Deep() as server:
        url = f"http://127.0.0.1:{server.port}/"
        gateway = WebhookConnector(url, SECRET, allow_private=True, seconds=20)
        outcome = await gateway.send(make_outgoing())
    assert (outcome.result, outcome.provider_id) == ("sent", None)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "ftp://example.com",
        "https://",
        "https://user:pw@example.com",
        "https://example.com:0",
        "https://example.com:x",
        "https://127.0.0.1/",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://224.0.0.1/",
        "https://exa mple.com",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_what_cannot_be_a_gateway_is_refused(url):
    with pytest.raises(InputInvalid):
        check_url(url, allow_private=False)


def test_what_can_be_one():
    assert check_url("https://8.8.8.8/x", allow_private=False)
    assert check_url("https://gateway.example/x", allow_private=False)
    assert check_url("http://10.0.0.8/x", allow_private=True)


async def test_a_host_that_is_not_there_is_temporary():
    outcome = await WebhookConnector("https://nowhere.invalid/", SECRET).send(make_outgoing())
    assert outcome.result == "temporary"
    assert "nowhere.invalid" in outcome.detail


async def test_a_name_that_leads_inside_is_not_called():
    async with FakeGateway(SECRET) as gateway:
        inside = gateway.url.replace("127.0.0.1", "localhost").replace("http:", "https:")
        with pytest.raises(SourceUnavailable):
            await find_target(inside, allow_private=False)
        outcome = await WebhookConnector(inside, SECRET).send(make_outgoing())
        assert (outcome.result, gateway.posts) == ("temporary", [])
        target = await find_target(inside, allow_private=True)
        assert target.host == "localhost"
