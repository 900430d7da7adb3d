"""The presentation page: a run in every state, editing together, exports."""

import html
import re
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from tidings.queue.runs import Run, list_runs
from web.house import Browser, House, Team, meeting
from web.reading import HOSTILE, SAID, field_of, follow, read, summarised, words_of


async def test_asking_without_javascript(house: House, team: Team, browser: Browser) -> None:
    items = [meeting(1, "a.example", *SAID)]
    await (await house.api(team)).post("/v1/meetings", json={"items": items})
    asked = await browser.post("/companies", {"website": "https://www.A.example/about"})
    assert asked.headers["location"] == "/companies/a.example"
    page = await follow(browser, asked)
    assert "Waiting for a worker to begin" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    run_id = re.search(r'data-run="([^"]+)"', page)
    assert run_id is not None
    assert "Waiting for a worker" in await read(browser, f"/runs/{run_id[1]}")
    assert "in progress" in await read(browser, "/")
    await house.finish(team, UUID(run_id[1]))
    page = await read(browser, "/companies/a.example")
    assert "booking system keeps losing appointments" in page
    assert "1 of 1 meeting read, 1 new" in html.unescape(re.sub(r"<[^>]*>", "", page))
    shown = await read(browser, f"/runs/{run_id[1]}")
    assert f'href="/companies/a.example?run={run_id[1]}"' in shown
    assert "booking system" in await read(browser, f"/companies/a.example?run={run_id[1]}")
    assert "a.example" in await read(browser, "/companies")
    assert "complete" in await read(browser, "/")


async def test_a_run_is_cancelled(house: House, team: Team, browser: Browser) -> None:
    await browser.post("/companies", {"website": "a.example"})
    page = await read(browser, "/companies/a.example")
    action = re.search(r'action="([^"]*/cancel)"', page)
    assert action is not None
    page = await follow(browser, await browser.post(action[1]))
    assert "The run is being stopped." in page
    assert "The last run was cancelled" in page
    assert "The run is being stopped." not in await read(browser, "/companies/a.example")


async def test_a_run_that_failed(house: House, team: Team, browser: Browser) -> None:
    started = await (await house.api(team)).post(
        "/v1/engagement-summary", json={"domain": "a.example", "sync": True}
    )
    run_id = UUID(started.json()["run_id"])
    run = await house.finish(team, run_id)
    assert run.status == "error"
    page = await read(browser, "/companies/a.example")
    assert "FATHOM_API_KEY not configured" in page
    assert "Set it where the service starts" in page
    assert "FATHOM_API_KEY not configured" in await read(browser, f"/runs/{run_id}")
    assert (await browser.post("/companies/a.example/runs")).status_code == 303


async def test_what_changed_since_the_run_before(
    house: House, team: Team, browser: Browser
) -> None:
    first = await house.summarise(team, "a.example", SAID[1], number=1)
    await house.summarise(team, "a.example", SAID[2], number=2)
    page = await read(browser, "/companies/a.example")
    assert "Since last time" in page
    assert 'id="line-changes.1.1"' in page
    assert "Since last time" not in await read(browser, f"/companies/a.example?run={first.id}")
    await read(browser, f"/companies/a.example?run={uuid4()}", 404)
    await browser.post("/companies", {"website": "a.example"})
    assert "Since last time" in await read(browser, "/companies/a.example")


async def test_a_deleted_meeting_is_not_cited(house: House, team: Team, browser: Browser) -> None:
    await summarised(house, team)
    assert "data-source=" in await read(browser, "/companies/a.example")
    api = await house.api(team)
    (stored,) = (await api.get("/v1/meetings")).json()["items"]
    await api.delete(f"/v1/meetings/{stored['id']}")
    assert "data-source=" not in await read(browser, "/companies/a.example")


async def test_no_meetings(house: House, team: Team, browser: Browser) -> None:
    await house.summarise(team, "nobody.example")
    assert "No meetings with nobody.example" in await read(browser, "/companies/nobody.example")


async def _edit_form(browser: Browser) -> dict[str, str]:
    page = await read(browser, "/companies/a.example?edit=1")
    form = {name: field_of(page, name) for name in ("run_id", "version")}
    for key, text in re.findall(
        r'<textarea[^>]*name="(text\.[^"]+)"[^>]*>([^<]*)</textarea>', page, re.DOTALL
    ):
        form[key] = html.unescape(text)
    return form


async def test_a_run_that_ends_while_the_page_is_made(
    house: House, team: Team, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen running, and its summary there a moment later: it is done, and nothing waits for it."""
    await house.summarise(team, "nobody.example")

    async def seen_before(*args: Any, **given: Any) -> list[Run]:
        runs = await list_runs(*args, **given)
        return [msgspec.structs.replace(run, status="running") for run in runs]

    monkeypatch.setattr("tidings.web.pages.companies.list_runs", seen_before)
    page = await read(browser, "/companies/nobody.example")
    assert "No meetings with nobody.example" in page
    assert "data-run=" not in page


async def test_editing_hiding_and_undoing(house: House, team: Team, browser: Browser) -> None:
    await summarised(house, team)
    record = await (await house.api(team)).get("/v1/companies/a.example")
    form = await _edit_form(browser)
    goal = next(key for key in form if key.startswith("text.goals"))
    risk = next(key for key in form if key.startswith("text.risks"))
    form[goal] = f"Open by spring {HOSTILE}"
    form[risk.replace("text.", "hidden.")] = "1"
    page = await follow(browser, await browser.post("/companies/a.example/edition", form))
    assert "Your version is saved." in page
    assert "Open by spring &lt;script&gt;" in page
    assert HOSTILE not in page
    assert "1 edited, 1 hidden" in html.unescape(re.sub(r"<[^>]*>", "", page))
    assert "Every line here is hidden in this version." in page
    assert "Open by spring" not in await read(browser, "/companies/a.example?words=record")
    # The record is untouched.
    again = await (await house.api(team)).get("/v1/companies/a.example")
    assert again.json() == record.json()
    action = re.search(r'action="([^"]*/edition/undo)"', page)
    assert action is not None
    undone = await browser.post(action[1], {"version": field_of(page, "version")})
    page = await follow(browser, undone)
    assert "Undone." in page
    assert "Open by spring" not in page


async def test_who_saved_first_wins(house: House, team: Team, browser: Browser) -> None:
    await summarised(house, team)
    mine, theirs = await _edit_form(browser), await _edit_form(browser)
    goal = next(key for key in mine if key.startswith("text.goals"))
    other = await house.browser(team, "member")
    await other.post("/companies/a.example/edition", theirs | {goal: "Saved first."})
    answer = await browser.post("/companies/a.example/edition", mine | {goal: "Typed later."})
    assert answer.status_code == 412
    text = words_of(answer)
    assert "The Member saved another version while you were editing." in text
    assert "Typed later." in text
    assert "Saved first." in text
    form = mine | {goal: "Typed later.", "version": field_of(answer.text, "version")}
    page = await follow(browser, await browser.post("/companies/a.example/edition", form))
    assert "Typed later." in page
    stale = await browser.post("/companies/a.example/edition/undo", {"version": "1"})
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"run_id": "x", "version": "0"}, 400),
        ({"run_id": str(uuid4()), "version": "²"}, 400),
        ({"run_id": str(uuid4()), "version": "-1"}, 400),
        ({"run_id": str(uuid4()), "version": "9" * 40}, 400),
        ({"run_id": str(uuid4()), "version": "0"}, 404),
    ],
)
async def test_forms_that_are_incomplete(
    browser: Browser, fields: dict[str, str], status: int
) -> None:
    answer = await browser.post("/companies/a.example/edition", fields)
    assert answer.status_code == status


async def test_lines_have_limits(house: House, team: Team, browser: Browser) -> None:
    await summarised(house, team)
    form = await _edit_form(browser)
    goal = next(key for key in form if key.startswith("text.goals"))
    for bad in ("x" * 2001, "a\x00b"):
        answer = await browser.post("/companies/a.example/edition", form | {goal: bad})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("kind", "content_type", "ending"),
    [("markdown", "text/markdown; charset=utf-8", "md"), ("json", "application/json", "json")],
)
async def test_exports(
    house: House, team: Team, browser: Browser, kind: str, content_type: str, ending: str
) -> None:
    run_id = await summarised(house, team)
    answer = await browser.get(f"/companies/a.example/export?format={kind}&run_id={run_id}")
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"] == f'attachment; filename="a.example.{ending}"'
    assert "booking system" in answer.text
    gone = await browser.get(f"/companies/a.example/export?format={kind}&run_id={uuid4()}")
    assert gone.status_code == 404
