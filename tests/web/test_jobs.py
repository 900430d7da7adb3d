"""Jobs over HTTP and on their page: what waits, what failed, and trying again."""

from uuid import UUID

from tidings.queue.claim import ClaimedJob, claim_jobs
from tidings.queue.enqueue import NewJob, enqueue
from tidings.queue.finish import block_job, fail_job
from web.house import House, Team, problem
from web.reading import HOSTILE, follow, read, words_of


def kind_of(team: Team) -> str:
    """A kind that no other test claims."""
    return f"work_{team.organization_id.hex}"


async def enqueued(house: House, team: Team, **fields: object) -> UUID:
    async with house.system.db.tenant_batch(team.people["owner"].tenant) as batch:
        return enqueue(batch, NewJob(kind=kind_of(team), **fields))  # type: ignore[arg-type]


async def claimed(house: House, team: Team) -> ClaimedJob:
    (job,) = await claim_jobs(house.system.db, [kind_of(team)], 1, lease=15, worker="w1")
    return job


async def failed(house: House, team: Team, problem_text: str = "No.") -> UUID:
    job_id = await enqueued(house, team, args={"text": HOSTILE})
    job = await claimed(house, team)
    await fail_job(house.system.db, job, problem_text, may_retry=False)
    return job_id


async def test_jobs_come_in_pages_and_by_state(house: House, team: Team) -> None:
    api = await house.api(team)
    dead = await failed(house, team)
    ids = [str(await enqueued(house, team)) for _ in range(3)]
    first = (await api.get("/v1/jobs?limit=2")).json()
    assert [job["id"] for job in first["items"]] == [ids[2], ids[1]]
    second = (await api.get(f"/v1/jobs?limit=2&cursor={first['next_cursor']}")).json()
    assert [job["id"] for job in second["items"]] == [ids[0], str(dead)]
    assert second["next_cursor"] is None
    letters = (await api.get(f"/v1/jobs?status=failed&kind={kind_of(team)}")).json()["items"]
    assert [(job["id"], job["error"]) for job in letters] == [(str(dead), "No.")]
    assert (await api.get("/v1/jobs?kind=other")).json()["items"] == []
    problem(await api.get("/v1/jobs?status=odd"), 400, "input_invalid")
    problem(await api.get("/v1/jobs?cursor=forged"), 400, "cursor_invalid")


async def test_a_dead_letter_is_tried_again_and_a_waiting_one_cancelled(
    house: House, team: Team
) -> None:
    api = await house.api(team)
    dead = await failed(house, team)
    again = await api.post(f"/v1/jobs/{dead}/retry")
    assert again.json() == {"id": str(dead), "status": "pending"}
    assert (await api.get(f"/v1/jobs/{dead}")).json()["status"] == "pending"
    problem(await api.post(f"/v1/jobs/{dead}/retry"), 409, "state_conflict")
    stopped = await api.post(f"/v1/jobs/{dead}/cancel")
    assert stopped.json() == {"id": str(dead), "status": "cancelled"}
    assert (await api.post(f"/v1/jobs/{dead}/cancel")).json()["status"] == "cancelled"


async def test_the_figures(house: House, team: Team) -> None:
    api = await house.api(team)
    assert (await api.get("/v1/jobs-stats")).json() == {
        "kinds": [], "due_since": None, "dead_letters": 0, "weight": 1,
    }  # fmt: skip
    await failed(house, team)
    await enqueued(house, team)
    job = await claimed(house, team)
    assert await block_job(house.system.db, job, "The budget is used up.", delay=600) == "blocked"
    await enqueued(house, team)
    found = (await api.get("/v1/jobs-stats")).json()
    (kind,) = found["kinds"]
    assert kind["kind"] == kind_of(team)
    assert (kind["pending"], kind["blocked"], kind["failed"]) == (1, 1, 1)
    assert found["dead_letters"] == 1
    assert found["due_since"] is not None
    run = await house.summarise(team, "a.example", "Our goal is to open a second site by spring.")
    assert run.status == "complete"
    found = (await api.get("/v1/jobs-stats")).json()
    summary = next(row for row in found["kinds"] if row["kind"] == "engagement")
    assert summary["completed"] == 1
    assert 0 <= summary["wait_p50"] <= summary["wait_p95"]
    assert 0 < summary["run_p50"] == summary["run_p95"]


async def test_the_page_shows_what_failed_and_tries_it_again(house: House, team: Team) -> None:
    browser = await house.browser(team)
    assert "No jobs yet." in words_of(await browser.get("/jobs"))
    dead = await failed(house, team, f"It said {HOSTILE}")
    page = await read(browser, "/jobs?status=failed")
    assert HOSTILE not in page
    assert f'action="/jobs/{dead}/retry"' in page
    shown = await read(browser, f"/jobs/{dead}")
    assert HOSTILE not in shown
    assert "dead letter" in shown
    after = await follow(browser, await browser.post(f"/jobs/{dead}/retry"))
    assert "The job is tried again." in after
    assert "waiting" in after
    after = await follow(browser, await browser.post(f"/jobs/{dead}/cancel"))
    assert "The job is cancelled." in after
    assert (await browser.post(f"/jobs/{dead}/retry")).status_code == 409


async def test_the_page_tells_when_a_blocked_one_goes_on_and_lets_it_go_now(
    house: House, team: Team
) -> None:
    browser = await house.browser(team)
    job_id = await enqueued(house, team)
    job = await claimed(house, team)
    await block_job(house.system.db, job, "The budget is used up.", delay=600)
    page = await read(browser, f"/jobs/{job_id}")
    assert "The budget is used up." in page
    assert "Try now" in page
    await follow(browser, await browser.post(f"/jobs/{job_id}/retry"))
    job = await claimed(house, team)
    assert job.id == job_id
    told = await follow(browser, await browser.post(f"/jobs/{job_id}/cancel"))
    assert "Its worker is told to stop." in told


async def test_pages_of_jobs(house: House, team: Team) -> None:
    browser = await house.browser(team)
    for _ in range(27):
        await enqueued(house, team)
    page = await read(browser, f"/jobs?status=pending&kind={kind_of(team)}")
    assert page.count('class="key" href="/jobs/') == 25
    link = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    later = await read(browser, link)
    assert later.count('class="key" href="/jobs/') == 2
    assert "Back to the first" in later
