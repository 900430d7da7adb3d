"""Every way a handler can end, without a database."""

import asyncio
import time

import msgspec
import pytest

from tidings.base.errors import (
    BudgetExceeded,
    InputInvalid,
    LeaseLost,
    ProviderFailed,
    RunCancelled,
)
from tidings.base.ids import uuid7
from tidings.queue.claim import ClaimedJob
from tidings.queue.context import JobContext
from tidings.queue.decide import UNEXPECTED
from tidings.queue.execute import Blocked, Completed, Ended, Execution, Failed, Stopped
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
        uuid7(), uuid7(), "work", {"a": 1}, uuid7(), None, 1, 5, uuid7(), None, seconds_left, 1
    )
    return Held(job, JobContext(None, job), claimed_at=time.monotonic(), leased_until=0)


async def execute(it, handler, **options):
    ended = asyncio.get_running_loop().create_future()
    Execution(it, handler, lambda held, outcome: ended.set_result((held, outcome)), **options)
    held_, outcome = await asyncio.wait_for(ended, 20)
    assert held_ is it
    return outcome


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
    go_on, over = asyncio.Event(), asyncio.Event()
    it = held(seconds_left=0.01)

    async def handler(context, args):
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue
        over.set()

    assert await execute(it, handler, patience=0.01) == Stopped("deadline")
    assert it.has_ended
    # Its late end is nobody's: it would set the future a second time.
    go_on.set()
    await asyncio.wait_for(over.wait(), 20)
    await asyncio.sleep(0)


async def test_a_handler_that_cancels_itself_failed():
    async def handler(context, args):
        raise asyncio.CancelledError

    found = await outcome(handler)
    assert (found.problem, found.may_retry) == (UNEXPECTED, True)


async def test_what_a_budget_refuses_waits_until_it_resets():
    async def handler(context, args):
        raise BudgetExceeded("The budget of the day is used up.", retry_after=7200)

    assert await outcome(handler) == Blocked("The budget of the day is used up.", 7200)


def test_held_jobs():
    jobs = HeldJobs()
    first, second = held(), held()
    jobs.add(first)
    jobs.add(second)
    assert (len(jobs), jobs.empty.is_set()) == (2, False)
    jobs.remove(first)
    assert (list(jobs), jobs.empty.is_set()) == ([second], False)
    jobs.remove(second)
    assert jobs.empty.is_set()


def test_one_stopped_before_it_started_says_why():
    it = held()
    it.stop("cancelled")
    it.stop("lost")
    assert (it.reason, it.context.is_cancelled) == ("cancelled", True)


def test_a_result_may_be_a_struct():
    class Made(msgspec.Struct):
        link: str

    assert encode_result(Made("/x")) == '{"link":"/x"}'
