import asyncio
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

import httpx
import pytest

from tidings.base.errors import SourceUnavailable, SourceUnconfigured
from tidings.meetings.fathom import ATTEMPTS, BASE_URL, FathomClient, ItemProblem
from tidings.meetings.testing import (
    BROKEN_CONNECTION,
    GARBAGE,
    NO_ANSWER,
    TRUNCATED_JSON,
    Failure,
    FakeFathom,
    limited,
    status,
)
from unit.deadlines import left_in_silence

KEY = "fathom-test-key"


class Hours:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.at = datetime(2026, 3, 1, tzinfo=UTC)
        self.slept = []

    def now(self):
        return self.at

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def meeting(number, domain="acme.com", **changes):
    return {
        "recording_id": number,
        "title": f"Meeting {number}",
        "created_at": f"2026-03-{number % 28 + 1:02}T10:00:00Z",
        "calendar_invitees": [{"email": f"ann@{domain}", "email_domain": domain}],
        "transcript": [{"speaker": {"display_name": "Ann"}, "text": "Hi", "timestamp": "00:00:01"}],
        "default_summary": {"template_name": "general", "markdown_formatted": "Short"},
        "action_items": [{"description": "Send it"}],
    } | changes


@pytest.fixture
async def fathom():
    async with FakeFathom() as fake:
        yield fake


@pytest.fixture
def hours():
    return Hours()


@pytest.fixture
async def client(fathom, hours):
    async with FathomClient(
        KEY, fathom.base_url, now=hours.now, sleep=hours.sleep, jitter=lambda: 1.0
    ) as client:
        yield client


async def read(client, *domains, created_after=None):
    return [item async for item in client.meetings(domains, created_after)]


async def test_all_pages_are_read_in_order_with_every_part_asked_for(fathom, client):
    fathom.meetings = [meeting(n) for n in range(25)]
    items = await read(client, "acme.com")
    assert [item.external_id for item in items] == [str(n) for n in range(25)]
    assert items[0].transcript[0].text == "Hi"
    assert items[0].summary_markdown == "Short"
    assert items[0].action_items[0].description == "Send it"
    assert len(fathom.calls) == 3
    first, second, _ = fathom.calls
    assert first.path == "/external/v1/meetings"
    assert first.headers["x-api-key"] == KEY
    assert "cursor" not in first.query
    assert second.query["cursor"]
    assert second.query["calendar_invitees_domains[]"] == ["acme.com"]


async def test_only_the_meetings_of_the_domains_come(fathom, client):
    fathom.meetings = [meeting(1), meeting(2, "other.com"), meeting(3, "third.com")]
    items = await read(client, "acme.com", "third.com")
    assert [item.recording_id for item in items] == [1, 3]
    assert fathom.calls[0].query["calendar_invitees_domains[]"] == ["acme.com", "third.com"]
    assert len(await read(client)) == 3


async def test_created_after_is_sent_in_utc(fathom, client):
    fathom.meetings = [meeting(n) for n in range(5)]
    after = datetime.fromisoformat("2026-03-03T12:00:00.900+02:00")
    items = await read(client, "acme.com", created_after=after)
    assert [item.recording_id for item in items] == [3, 4]
    assert fathom.calls[0].query["created_after"] == ["2026-03-03T10:00:00Z"]


async def test_no_meeting_is_no_item(client):
    assert await read(client, "nobody.com") == []


async def test_a_bad_item_does_not_stop_the_others(fathom, client):
    fathom.page_size = 2
    fathom.meetings = [
        meeting(1),
        meeting(2, title=None),
        meeting(3),
        meeting(4, recording_id="x"),
        meeting(5),
    ]
    items = await read(client, "acme.com")
    assert items[1] == ItemProblem(1, "2", "title: is missing.")
    assert items[3] == ItemProblem(3, None, "recording_id: expected `int | null`, got `str`.")
    assert [items[i].recording_id for i in (0, 2, 4)] == [1, 3, 5]


async def test_an_item_that_is_no_object_is_a_problem_too(fathom, client):
    fathom.script(Failure(body=b'{"items":["meeting"]}'))
    (problem,) = await read(client, "acme.com")
    assert isinstance(problem, ItemProblem)
    assert problem.external_id is None


@pytest.mark.parametrize("code", [401, 403])
async def test_a_refused_key_is_named_and_never_shown(fathom, client, code):
    fathom.script(status(code))
    with pytest.raises(SourceUnconfigured) as caught:
        await read(client, "acme.com")
    assert "refused the API key" in caught.value.message
    assert KEY not in caught.value.message
    assert len(fathom.calls) == 1


async def test_the_fake_refuses_another_key(fathom):
    async with FathomClient("another-key", fathom.base_url) as client:
        with pytest.raises(SourceUnconfigured, match="refused the API key"):
            await read(client, "acme.com")


@pytest.mark.parametrize("key", ["", "  ", "ke\ny", "kéy", "key\x00"])
def test_a_key_that_no_header_can_carry_is_refused_at_once(key):
    with pytest.raises(SourceUnconfigured) as caught:
        FathomClient(key)
    assert caught.value.message.startswith("FATHOM_API_KEY ")


@pytest.mark.parametrize("code", [400, 404, 302])
async def test_other_refusals_are_not_repeated(fathom, client, code):
    fathom.script(status(code))
    with pytest.raises(SourceUnavailable, match=f"status {code}"):
        await read(client, "acme.com")
    assert len(fathom.calls) == 1


async def test_server_errors_and_broken_connections_are_repeated_with_backoff(
    fathom, client, hours
):
    fathom.meetings = [meeting(1)]
    fathom.script(status(500), status(503), BROKEN_CONNECTION)
    assert len(await read(client, "acme.com")) == 1
    assert hours.slept == [0.5, 1.0, 2.0]


async def test_repeating_ends(fathom, client):
    fathom.script(*[status(500)] * 10)
    with pytest.raises(SourceUnavailable) as caught:
        await read(client, "acme.com")
    assert caught.value.message == f"Fathom answered with status 500 after {ATTEMPTS} attempts."
    assert len(fathom.calls) == ATTEMPTS


async def test_jitter_halves_the_backoff_at_most(fathom, hours):
    fathom.script(*[status(500)] * 4)
    draw = random.Random(7).random
    async with FathomClient(
        KEY, fathom.base_url, now=hours.now, sleep=hours.sleep, jitter=draw
    ) as client:
        await read(client, "acme.com")
    for step, slept in zip([0.5, 1, 2, 4], hours.slept, strict=True):
        assert step / 2 <= slept <= step


@pytest.mark.parametrize("header", ["RateLimit-Reset", "Retry-After"])
async def test_a_used_up_limit_is_waited_out(fathom, client, hours, header):
    fathom.meetings = [meeting(1)]
    fathom.script(limited(17, header))
    assert len(await read(client, "acme.com")) == 1
    assert hours.slept == [17.0]


async def test_retry_after_may_be_a_date(fathom, client, hours):
    date = format_datetime(hours.at + timedelta(seconds=30), usegmt=True)
    fathom.script(Failure(status=429, headers={"Retry-After": date}))
    await read(client, "acme.com")
    assert hours.slept == [30.0]


@pytest.mark.parametrize("date", ["Sun, 01 Mar 2026 00:00:30 -0000", "nonsense"])
async def test_an_odd_retry_after_still_waits(fathom, client, hours, date):
    fathom.script(Failure(status=429, headers={"Retry-After": date}))
    await read(client, "acme.com")
    assert hours.slept in ([30.0], [0.5])


async def test_a_limit_used_up_for_too_long_ends_the_sync(fathom, client, hours):
    fathom.script(limited(3600))
    with pytest.raises(SourceUnavailable) as caught:
        await read(client, "acme.com")
    assert caught.value.retry_after == 3600
    assert hours.slept == []


async def test_a_limit_that_stays_used_up_ends_the_sync(fathom, client):
    fathom.script(*[limited(1)] * 9)
    with pytest.raises(SourceUnavailable, match="status 429"):
        await read(client, "acme.com")
    assert len(fathom.calls) == ATTEMPTS


async def test_the_last_call_of_a_window_is_followed_by_a_pause(fathom, client, hours):
    last = Failure(
        body=b'{"items":[],"next_cursor":"c3RhcnQ6MA=="}',
        headers={"RateLimit-Remaining": "0", "RateLimit-Reset": "9"},
    )
    fathom.script(last)
    await read(client, "acme.com")
    assert hours.slept == [9.0]


async def test_never_more_than_60_calls_in_any_minute(fathom, client, hours):
    fathom.page_size = 1
    fathom.meetings = [meeting(n) for n in range(130)]
    assert len(await read(client, "acme.com")) == 130
    assert hours.slept == [60.0, 60.0]


@pytest.mark.parametrize(
    "answer",
    [
        GARBAGE,
        TRUNCATED_JSON,
        Failure(body=b""),
        Failure(body=b"[]"),
        Failure(body=b'{"items":null}'),
        Failure(body=b'{"items":[],"next_cursor":5}'),
        Failure(body=b'{"items":["\xff"]}'),
        Failure(body=b'{"items":' + b"[" * 100_000),
    ],
)
async def test_an_answer_that_is_no_page_is_an_error(fathom, client, answer):
    fathom.script(answer)
    with pytest.raises(SourceUnavailable, match="not a page of meetings"):
        await read(client, "acme.com")


async def test_a_cursor_that_comes_again_ends_the_sync(fathom, client):
    again = Failure(body=b'{"items":[],"next_cursor":"same"}')
    fathom.script(again, again, again)
    with pytest.raises(SourceUnavailable, match="cursor twice"):
        await read(client, "acme.com")
    assert len(fathom.calls) == 2


async def test_no_answer_ends_at_the_deadline(fathom, hours):
    fathom.script(*[NO_ANSWER] * ATTEMPTS)
    async with FathomClient(KEY, fathom.base_url, now=hours.now, sleep=hours.sleep) as client:
        with pytest.raises(SourceUnavailable, match="cannot be reached"):
            await left_in_silence(fathom, read(client, "acme.com"))
    assert len(fathom.calls) == ATTEMPTS


@pytest.mark.parametrize("base", ["http://127.0.0.1:1", "http://a:b:c/", "nonsense"])
async def test_a_server_that_is_not_there(hours, base):
    async with FathomClient(KEY, base, now=hours.now, sleep=hours.sleep) as client:
        with pytest.raises(SourceUnavailable, match="cannot be reached"):
            await read(client, "acme.com")


async def test_a_handed_in_http_client_stays_open(fathom):
    async with httpx.AsyncClient() as http:
        async with FathomClient(KEY, fathom.base_url + "/", http) as client:
            await read(client, "acme.com")
        assert not http.is_closed


def test_the_real_address_is_the_default():
    assert BASE_URL == "https://api.fathom.ai/external/v1"


@pytest.fixture
async def http():
    async with httpx.AsyncClient(headers={"X-Api-Key": KEY}) as http:
        yield http


async def test_the_fake_hides_what_was_not_asked_for(fathom, http):
    fathom.meetings = [meeting(1)]
    page = (await http.get(f"{fathom.base_url}/meetings")).json()
    assert page["limit"] == 10
    assert page["next_cursor"] is None
    assert page["items"][0]["title"] == "Meeting 1"
    for part in ("transcript", "default_summary", "action_items"):
        assert page["items"][0][part] is None


@pytest.mark.parametrize(
    ("path", "code"),
    [("/meetings?cursor=forged", 400), ("/meetings?cursor=%FF", 400), ("/teams", 404)],
)
async def test_the_fake_refuses_what_fathom_refuses(fathom, http, path, code):
    assert (await http.get(fathom.base_url + path)).status_code == code


async def test_the_fake_outlives_a_caller_that_goes_away(fathom, client):
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(fathom.base_url).port)
    writer.write(b"GET /external")
    writer.close()
    await writer.wait_closed()
    assert await read(client, "acme.com") == []


async def test_the_fake_hangs_up_on_calls_it_left_unanswered():
    async with FakeFathom() as fathom:
        fathom.script(NO_ANSWER)
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(fathom.base_url).port)
        writer.write(b"GET /external/v1/meetings HTTP/1.1\r\nHost: x\r\n\r\n")
        await fathom.silent.wait()
    assert await reader.read() == b""
    writer.close()
