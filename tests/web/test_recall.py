"""Meetings come from memory, and never from memory once somebody changed them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from web.house import Browser, House, Team, meeting

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


async def listening(house: House) -> None:
    """Wait until the cache is on."""
    await asyncio.wait_for(house.services.recall.on.wait(), 20)


async def held(house: House, api: httpx.AsyncClient, path: str) -> None:
    """Read until it comes from memory: news of the write may still overtake the first read."""
    hits = house.services.recall.stats().hits
    async with asyncio.timeout(20):
        while house.services.recall.stats().hits == hits:
            assert (await api.get(path)).status_code == 200


async def store(api: httpx.AsyncClient, *items: dict[str, Any]) -> None:
    answer = await api.post("/v1/meetings", json={"items": list(items)})
    assert answer.status_code == 200, answer.text


async def only(api: httpx.AsyncClient) -> str:
    (row,) = (await api.get("/v1/meetings")).json()["items"]
    return str(row["id"])


async def test_a_meeting_is_read_from_the_database_once(house: House, team: Team) -> None:
    await listening(house)
    api = await house.api(team)
    await store(api, meeting(1, "a.example"))
    path = f"/v1/meetings/{await only(api)}"
    first = await api.get(path)
    async with asyncio.timeout(20):
        while True:  # the news that it was made may still come, and drop what was just held
            await held(house, api, path)
            before = house.services.recall.stats()
            again = await api.get(path)
            after = house.services.recall.stats()
            assert again.json() == first.json()
            if (after.hits, after.loads) == (before.hits + 1, before.loads):
                break
    viewer = await house.api(team, "viewer")
    assert (await viewer.get(path)).json() == first.json()
    stranger = await house.api(await house.team("Elsewhere"))
    assert (await stranger.get(path)).status_code == 404


async def test_who_changes_a_meeting_reads_the_change(house: House, team: Team) -> None:
    await listening(house)
    api = await house.api(team)
    await store(api, meeting(1, "a.example"))
    path = f"/v1/meetings/{await only(api)}"
    for turn in range(5):
        await held(house, api, path)
        await store(api, meeting(1, "a.example", title=f"Title {turn}"))
        assert (await api.get(path)).json()["title"] == f"Title {turn}"
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404
    assert (await api.get(path)).status_code == 404


async def test_the_companies_to_choose_from_follow_what_is_stored(
    house: House, team: Team, browser: Browser
) -> None:
    await listening(house)
    api = await house.api(team)
    assert "a.example" not in (await browser.get("/meetings")).text
    await store(api, meeting(1, "a.example"))
    assert "a.example" in (await browser.get("/meetings")).text
    files = [("files", ("call.vtt", b"WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ada>Hello\n"))]
    answer = await browser.client.post(
        "/meetings/upload", data={"_csrf_token": browser.csrf}, files=files
    )
    assert answer.status_code == 200, answer.text
    assert "a.example" in (await browser.get("/meetings")).text


async def test_another_process_hears_of_it(
    house: House, team: Team, another_house: OpenHouse
) -> None:
    await listening(house)
    async with another_house() as other:
        await listening(other)
        api = await house.api(team)
        await store(api, meeting(1, "a.example"))
        path = f"/v1/meetings/{await only(api)}"
        there = other.client(await house.key(team))
        await held(other, there, path)
        assert (await api.delete(path)).status_code == 204
        async with asyncio.timeout(20):
            while (await there.get(path)).status_code != 404:
                pass


async def test_its_figures_are_among_the_metrics(house: House) -> None:
    await listening(house)
    text = (await house.client().get("/metrics")).text
    assert 'tidings_recall{figure="on"} 1.0' in text
    assert 'tidings_recall_events_total{event="stale_prevented"}' in text
    assert "tidings_recall_load_seconds_sum" in text
    ready = (await house.client().get("/readyz")).json()
    assert "hit rate" in ready["checks"]["recall"]


async def test_without_a_listener_nothing_is_remembered(another_house: OpenHouse) -> None:
    async with another_house(live=False) as quiet:
        api = await quiet.api(await quiet.team())
        await store(api, meeting(1, "a.example"))
        path = f"/v1/meetings/{await only(api)}"
        for _ in range(2):
            assert (await api.get(path)).status_code == 200
        stats = quiet.services.recall.stats()
        assert (stats.is_on, stats.hits, stats.size) == (False, 0, 0)
        ready = (await quiet.client().get("/readyz")).json()
        assert ready["checks"]["recall"].startswith("off")
