"""One firing per tick, for any number of workers."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tidings.base import clock
from tidings.queue.cron import CronConfig, CronEntry, CronRunner
from tidings.queue.decide import UNEXPECTED
from tidings.queue.schedule import Every, cron

HOURLY = Every(3600)


def runner(db, *entries, worker="w1"):
    return CronRunner(db, worker, CronConfig(), entries)


@pytest.fixture
def at_noon():
    """This process's clock stands near noon, 10 s past the tick."""
    now = datetime.now(UTC)
    clock.shift(now.replace(hour=12, minute=0, second=10, microsecond=0) - now)
    yield
    clock.shift(timedelta(0))


def counting():
    runs = []

    async def run():
        runs.append(1)

    return runs, run


async def test_ten_racers_fire_a_tick_once(steps, at_noon):
    runs, run = counting()
    entry = CronEntry(name="sweep", schedule=HOURLY, run=run)
    racers = [runner(steps.db, entry, worker=f"w{n}") for n in range(10)]
    await asyncio.gather(*[racer.look() for racer in racers])
    await asyncio.gather(*[racer.look() for racer in racers])
    for racer in racers:
        await racer.wait_runs()
    assert len(runs) == 1
    (row,) = await steps.rows("SELECT * FROM tidings.cron_ticks")
    assert row["name"] == "sweep"
    assert (row["tick_at"].minute, row["error"]) == (0, None)
    assert row["finished_at"] is not None


async def test_every_tick_fires(steps, at_noon):
    runs, run = counting()
    racer = runner(steps.db, CronEntry(name="sweep", schedule=HOURLY, run=run))
    for hour in range(3):
        clock.shift(clock.now() - datetime.now(UTC) + timedelta(hours=min(hour, 1)))
        await racer.look()
        await racer.wait_runs()
    assert len(runs) == 3


async def test_a_missed_tick_runs_once_or_is_skipped(steps, at_noon):
    runs, run = counting()
    skips, skip = counting()
    daily = cron("0 2 * * *")
    racer = runner(
        steps.db,
        CronEntry(name="latest", schedule=daily, run=run, missed="latest"),
        CronEntry(name="skip", schedule=daily, run=skip, missed="skip"),
    )
    for _ in range(2):
        await racer.look()
        await racer.wait_runs()
    assert (len(runs), len(skips)) == (1, 0)


async def test_what_fails_is_recorded_and_ticks_again_next_time(steps, at_noon):
    async def run():
        raise KeyError("internal")

    racer = runner(steps.db, CronEntry(name="bad", schedule=HOURLY, run=run))
    await racer.look()
    await racer.wait_runs()
    (row,) = await steps.rows("SELECT error FROM tidings.cron_ticks")
    assert row["error"] == UNEXPECTED


async def test_a_run_that_takes_too_long_is_stopped(steps, at_noon):
    async def run():
        await asyncio.Event().wait()

    racer = runner(steps.db, CronEntry(name="slow", schedule=HOURLY, run=run, seconds=0.05))
    await racer.look()
    await racer.wait_runs()
    (row,) = await steps.rows("SELECT error FROM tidings.cron_ticks")
    assert row["error"] == UNEXPECTED


async def test_a_runner_that_closes_says_the_end_of_what_has_ended(steps, at_noon, monkeypatch):
    real, saying, go_on = steps.db.system_batch, asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slow(*, repeatable=False):
        if repeatable:
            saying.set()
            await go_on.wait()
        async with real(repeatable=repeatable) as batch:
            yield batch

    monkeypatch.setattr(steps.db, "system_batch", slow)
    closing = asyncio.Event()
    racer = runner(steps.db, CronEntry(name="sweep", schedule=HOURLY, run=counting()[1]))
    task = asyncio.create_task(racer.run(closing))
    await asyncio.wait_for(saying.wait(), 20)
    closing.set()
    assert (await asyncio.wait({task}, timeout=0.05))[0] == set()
    go_on.set()
    await asyncio.wait_for(task, 20)
    (row,) = await steps.rows("SELECT finished_at FROM tidings.cron_ticks")
    assert row["finished_at"] is not None


async def test_a_dead_workers_tick_is_run_by_another(steps, at_noon, later):
    runs, run = counting()
    hanging = asyncio.Event()

    async def hang():
        hanging.set()
        await asyncio.Event().wait()

    dead = runner(steps.db, CronEntry(name="sweep", schedule=HOURLY, run=hang))
    closing = asyncio.Event()
    task = asyncio.create_task(dead.run(closing))
    await asyncio.wait_for(hanging.wait(), 20)
    entry = CronEntry(name="sweep", schedule=HOURLY, run=run)
    await runner(steps.db, entry, worker="w2").look()
    assert runs == []
    async with later("611 s") as db:
        other = runner(db, entry, worker="w2")
        await other.look()
        await other.wait_runs()
    assert runs == [1]
    closing.set()
    await asyncio.wait_for(task, 20)


async def test_a_runner_looks_by_itself(steps):
    done = asyncio.Event()

    async def run():
        done.set()

    closing = asyncio.Event()
    racer = runner(steps.db, CronEntry(name="often", schedule=Every(0.05), run=run))
    task = asyncio.create_task(racer.run(closing))
    for _ in range(3):
        done.clear()
        await asyncio.wait_for(done.wait(), 20)
    closing.set()
    await asyncio.wait_for(task, 20)


async def test_two_schedules_of_one_name_are_refused(steps):
    entry = CronEntry(name="sweep", schedule=HOURLY, run=counting()[1])
    with pytest.raises(ValueError, match="share a name"):
        runner(steps.db, entry, entry)
