"""Every way a handler can end, without a database."""

import asyncio

import msgspec
import pytest

from tidings.base.errors import InputInvalid, LeaseLost, ProviderFailed, RunCancelled
from tidings.base.ids import uuid7
from tidings.queue.claim import ClaimedJob
from tidings.queue.context import JobContext
from tidings.queue.decide import UNEXPECTED
from tidings.queue.execute import Completed, Ended, Failed, Stopped, execute
from tidings.queue.held import Held, HeldJobs
from tidings.queue.result import LARGEST, encode_result


class Queued:
    """Where `finish` puts its statement."""

    def __init__(self):
        self.queries = []

    def queue(self, query, params=None):
        self.queries.append((query.name, params))


def held(seconds_left=None):
    job = ClaimedJob(
        uuid7(), uuid7(), "work", {"a": 1}, uuid7(), None, 1, 5, uuid7(), None, seconds_left
    )
    return Held(job, JobContext(None, job), leased_until=0)


async def outcome(handler, seconds_left=None, **options):
    return await execute(held(seconds_left), handler, **options)


async def test_what_it_returns_is_the_result():
    async def handler(context, args):
        return args

    assert await outcome(handler) == Completed('{"a":1}')


async def test_nothing_is_no_result():
    async def handler(context, args):
        return None

    assert await outcome(handler) == Completed(None)


async def test_a_handler_that_finished_has_ended():
    statements = Queued()

    async def handler(context, args):
        context.finish(statements, "made")

    assert await outcome(handler) == Ended()
    ((name, params),) = statements.queries
    assert (name, params["result"]) == ("finish_job", '"made"')


@pytest.mark.parametrize("result", ["nul \x00", {"a": ["\ud800"]}, object(), "x" * LARGEST])
async def test_a_result_that_cannot_be_kept_fails_its_own_job(result):
    async def handler(context, args):
        return result

    found = await outcome(handler)
    assert isinstance(found, Failed)
    assert found.problem == UNEXPECTED


async def test_an_error_says_whether_and_when_to_try_again():
    async def provider(context, args):
        raise ProviderFailed("OpenAI API error: 429.", retry_after=7)

    async def user(context, args):
        raise InputInvalid("No.")

    assert await outcome(provider) == Failed("OpenAI API error: 429.", True, 7)
    found = await outcome(user)
    assert (found.problem, found.may_retry) == ("No.", False)


@pytest.mark.parametrize(
    ("error", "reason"), [(RunCancelled(), "cancelled"), (LeaseLost(), "lost")]
)
async def test_a_handler_may_notice_itself_that_it_should_stop(error, reason):
    async def handler(context, args):
        raise error

    assert await outcome(handler) == Stopped(reason)


async def test_the_deadline_stops_it():
    async def handler(context, args):
        await asyncio.Event().wait()

    assert await outcome(handler, seconds_left=0.01) == Stopped("deadline")


@pytest.mark.parametrize("reason", ["lost", "cancelled", "shutdown"])
async def test_it_is_stopped_for_a_reason(reason):
    it = held()

    async def handler(context, args):
        it.stop(reason)
        it.stop("deadline")
        await asyncio.Event().wait()

    assert await execute(it, handler) == Stopped(reason)
    assert it.context.is_cancelled == (reason == "cancelled")
    it.reason = None
    it.stop("lost")
    assert it.reason is None


async def test_an_error_while_it_is_stopped_is_not_its_end():
    it = held()

    async def handler(context, args):
        it.stop("lost")
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError

    assert await execute(it, handler) == Stopped("lost")


async def test_what_does_not_stop_is_left_behind():
    go_on = asyncio.Event()
    it = held(seconds_left=0.01)

    async def handler(context, args):
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue

    assert await execute(it, handler, patience=0.01) == Stopped("deadline")
    go_on.set()
    await it.task


async def test_a_handler_that_cancels_itself_failed():
    async def handler(context, args):
        raise asyncio.CancelledError

    found = await outcome(handler)
    assert (found.problem, found.may_retry) == (UNEXPECTED, True)


async def test_cancelling_the_execution_cancels_the_handler():
    reached, it = asyncio.Event(), held()

    async def handler(context, args):
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(execute(it, handler))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(asyncio.CancelledError):
        await it.task


async def test_slots():
    jobs = HeldJobs(2)
    first, second = held(), held()
    jobs.add(first)
    jobs.add(second)
    assert (jobs.free, len(jobs), jobs.empty.is_set()) == (0, 2, False)
    jobs.remove(first)
    assert (jobs.free, jobs.freed.is_set(), jobs.empty.is_set()) == (1, True, False)
    assert list(jobs) == [second]
    jobs.remove(second)
    assert jobs.empty.is_set()


def test_a_result_may_be_a_struct():
    class Made(msgspec.Struct):
        link: str

    assert encode_result(Made("/x")) == '{"link":"/x"}'
