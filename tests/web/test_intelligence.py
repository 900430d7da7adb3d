"""What channels mean, over HTTP and on their pages."""

from datetime import timedelta
from uuid import UUID

import pytest

from tidings.base import clock
from tidings.intelligence.read import Reader
from tidings.web.pages.intelligence import lasts
from web.house import House, Team, problem
from web.reading import HOSTILE, read

from factories.channels import add_messages, make_channel

SAID = [
    ("Ana", "The annual contract is broken again, this is terrible."),
    ("Bo", "Sorry. All of them?"),
    ("Ana", f"All of them. When will it be fixed? {HOSTILE}"),
]


async def channel_of(house: House, team: Team, *said: tuple[str, str]) -> UUID:
    """A channel whose messages were read."""
    tenant = team.people["owner"].tenant
    channel_id = await make_channel(house.system.db, tenant, name="Support")
    if said:
        start = clock.now() - timedelta(minutes=len(said))
        await add_messages(house.system.db, tenant, channel_id, said, start=start)
        reader = Reader(house.system.db, house.system.gateway)
        await reader.read(tenant.as_service(), channel_id)
    return channel_id


async def test_a_channel_over_http(house: House, team: Team) -> None:
    api = await house.api(team)
    channel_id = await channel_of(house, team, *SAID)
    found = (await api.get(f"/v1/channels/{channel_id}/intelligence")).json()
    assert found["current_sentiment"] == "negative"
    assert found["engagement_trend"] == "stable"
    assert len(found["sentiment_history"]) == 1
    assert found["open_questions"][0]["asked_by"] == "Ana"
    assert {person["name"] for person in found["participant_engagement"]} == {"Ana", "Bo"}
    assert found["engagement_score"] > 60
    history = (await api.get(f"/v1/channels/{channel_id}/sentiment-history?days=7")).json()
    assert [reading["sentiment"] for reading in history["items"]] == ["negative"]
    topics = (await api.get(f"/v1/channels/{channel_id}/topics?days=30")).json()
    assert any("contract" in topic["topic"] for topic in topics["items"])
    overview = (await api.get("/v1/intelligence")).json()
    assert overview["worst_sentiment"][0]["channel_id"] == str(channel_id)
    assert overview["oldest_unanswered"][0]["asked_by"] == "Ana"
    problem(await api.get(f"/v1/channels/{channel_id}/topics?days=0"), 400, "input_invalid")
    history = await api.get(f"/v1/channels/{channel_id}/sentiment-history?cursor=forged")
    problem(history, 400, "cursor_invalid")


async def test_who_is_no_member_of_the_channel_sees_none(house: House, team: Team) -> None:
    channel_id = await channel_of(house, team, *SAID)
    for role in ("admin", "member"):
        api = await house.api(team, role)
        for path in ("intelligence", "sentiment-history", "topics"):
            problem(await api.get(f"/v1/channels/{channel_id}/{path}"), 404, "not_found")
        problem(await api.post(f"/v1/channels/{channel_id}/analyze"), 404, "not_found")
        assert (await api.get("/v1/intelligence")).json()["worst_sentiment"] == []
        browser = await house.browser(team, role)
        assert (await browser.get(f"/channels/{channel_id}/intelligence")).status_code == 404
        assert (await browser.post(f"/channels/{channel_id}/intelligence")).status_code == 404


async def test_an_analysis_is_a_run(house: House, team: Team) -> None:
    api = await house.api(team)
    channel_id = await channel_of(house, team)
    tenant = team.people["owner"].tenant
    await add_messages(house.system.db, tenant, channel_id, SAID)
    answer = await api.post(f"/v1/channels/{channel_id}/analyze")
    assert answer.status_code == 202
    started = answer.json()
    assert started["created"] is True
    run = await house.finish(team, UUID(started["run_id"]))
    assert (run.status, run.subject) == ("complete", str(channel_id))
    found = (await api.get(f"/v1/channels/{channel_id}/intelligence")).json()
    assert (found["position"], found["unread"]) == (3, 0)


async def test_a_channels_page(house: House, team: Team) -> None:
    browser = await house.browser(team)
    empty = await channel_of(house, team)
    answer = await browser.get(f"/channels/{empty}/intelligence")
    assert "Nothing was read here yet" in answer.text
    channel_id = await channel_of(house, team, *SAID)
    assert "One reading in these days" in await read(
        browser, f"/channels/{channel_id}/intelligence?days=30"
    )
    text = await read(browser, f"/channels/{channel_id}/intelligence?days=odd")
    assert "When will it be fixed?" in text
    assert HOSTILE not in text
    assert "Answer Ana’s question." in text
    assert f"/inbox/{channel_id}?message=" in text
    overview = (await browser.get("/intelligence")).text
    assert "Unanswered the longest" in overview
    assert f"/channels/{channel_id}/intelligence" in overview
    began = await browser.post(f"/channels/{channel_id}/intelligence")
    assert began.status_code == 303
    viewer = await house.browser(team, "viewer")
    assert (await viewer.post(f"/channels/{channel_id}/intelligence")).status_code == 403


async def test_a_channel_that_declines_is_on_the_overview(house: House, team: Team) -> None:
    channel_id = await channel_of(house, team, *SAID)
    for change in (-0.6, 0.1):
        await house.sql(
            "UPDATE tidings.conversation_intelligence SET engagement_trend = 'declining',"
            " engagement_change = %s WHERE channel_id = %s",
            change,
            channel_id,
        )
        text = (await (await house.browser(team)).get("/intelligence")).text
        assert ("60 % fewer" if change < 0 else "answers take longer") in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (61, "1 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (86_400, "1 d"),
        (700_000, "8 d"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert lasts(seconds) == words
