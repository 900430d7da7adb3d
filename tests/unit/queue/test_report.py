"""Which progress is written, in which order, without a database."""

import asyncio

from tidings.base.errors import LeaseLost
from tidings.queue.report import ProgressReport


class Written:
    """What was written; each write takes a turn of the loop, or longer when held."""

    def __init__(self):
        self.said = []
        self.works = True
        self.error = None
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()

    async def __call__(self, stage, done, total):
        self.begun.set()
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.said.append((stage, done))
        return self.works


async def later_ends(report):
    """Wait until what was left for later is done, or given up."""
    await asyncio.wait([report._later], timeout=20)


async def test_the_latest_of_a_burst_is_written_when_the_interval_ends():
    written = Written()
    report = ProgressReport(written)
    for done in range(4):
        await report.say("read", done, 9)
    assert written.said == [("read", 0)]
    await later_ends(report)
    assert written.said == [("read", 0), ("read", 3)]


async def test_a_new_stage_and_the_last_step_are_written_at_once_and_nothing_older_after():
    written = Written()
    report = ProgressReport(written)
    await report.say("read", 0, 3)
    await report.say("read", 1, 3)
    await report.say("read", 3, 3)
    await report.say("reduce", 0, 1)
    await later_ends(report)
    assert written.said == [("read", 0), ("read", 3), ("reduce", 0)]


async def test_a_late_write_in_flight_does_not_overtake_the_last_step():
    written = Written()
    report = ProgressReport(written)
    await report.say("read", 0, 3)
    await report.say("read", 1, 3)
    written.open.clear()
    written.begun.clear()
    await written.begun.wait()
    last = asyncio.create_task(report.say("read", 3, 3))
    written.open.set()
    await last
    assert written.said == [("read", 0), ("read", 1), ("read", 3)]


async def test_what_could_not_be_written_does_not_hold_back_the_next():
    written = Written()
    written.works = False
    report = ProgressReport(written)
    await report.say("read", 0, 3)
    await report.say("read", 1, 3)
    assert written.said == [("read", 0), ("read", 1)]


async def test_nothing_is_written_after_the_job_ended():
    written = Written()
    report = ProgressReport(written)
    await report.say("read", 0, 3)
    await report.say("read", 1, 3)
    report.close()
    await later_ends(report)
    assert written.said == [("read", 0)]


async def test_a_lost_lease_is_no_news_to_a_late_write(caplog):
    written = Written()
    report = ProgressReport(written)
    await report.say("read", 0, 3)
    await report.say("read", 1, 3)
    written.error = LeaseLost()
    await later_ends(report)
    assert written.said == [("read", 0)]
    assert "never retrieved" not in caplog.text
