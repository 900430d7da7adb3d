"""Each duty refuses a config that would break its promise."""

import asyncio

import pytest

from tidings.base.errors import DatabaseBusy, SettingInvalid
from tidings.queue.claim import ClaimConfig
from tidings.queue.cron import CronConfig, CronEntry
from tidings.queue.duty import repeat, wait_any
from tidings.queue.heartbeat import HeartbeatConfig
from tidings.queue.rescue import RescueConfig
from tidings.queue.schedule import Every
from tidings.queue.wake import WakeUp
from tidings.queue.worker import WorkerConfig
from tidings.worker.registry import Registry


@pytest.mark.parametrize(
    "make",
    [
        lambda: ClaimConfig(slots=0),
        lambda: ClaimConfig(lease=0),
        lambda: ClaimConfig(poll_least=2, poll_most=1),
        lambda: ClaimConfig(poll_least=0),
        lambda: ClaimConfig(batch=0),
        lambda: ClaimConfig(prefetch=-1),
        lambda: ClaimConfig(share=0),
        lambda: HeartbeatConfig(interval=8, lease=15),
        lambda: HeartbeatConfig(interval=0),
        lambda: RescueConfig(interval=0),
        lambda: RescueConfig(batch=0),
        lambda: CronConfig(most_pause=0),
        lambda: CronConfig(most_pause=61),
        lambda: WorkerConfig(name="w", grace=-1),
    ],
)
def test_a_config_that_cannot_work_is_refused(make):
    with pytest.raises(SettingInvalid):
        make()


async def test_a_duty_survives_what_goes_wrong_and_hears_its_hint():
    closing, hint = asyncio.Event(), asyncio.Event()
    problems = [DatabaseBusy(), KeyError("x"), None]

    async def step():
        problem = problems.pop(0)
        hint.set()
        if problem is None:
            closing.set()
        else:
            raise problem

    await asyncio.wait_for(repeat("test", step, 600, closing, hint), 20)
    assert problems == []


async def test_waiting_ends_with_the_first_event_or_the_time():
    one, two = asyncio.Event(), asyncio.Event()
    await wait_any([one, two], 0.01)
    two.set()
    await asyncio.wait_for(wait_any([one, two]), 20)


async def test_without_an_address_nothing_is_heard():
    wake = WakeUp()
    await wake.run()
    assert not wake.is_listening


async def nothing(*args):
    return None


def test_the_registry_refuses_a_second_of_the_same():
    registry = Registry()
    entry = CronEntry(name="sweep", schedule=Every(60), run=nothing)
    registry.handle("work", nothing)
    registry.schedule(entry)
    with pytest.raises(ValueError, match="two handlers"):
        registry.handle("work", nothing)
    with pytest.raises(ValueError, match="two schedules"):
        registry.schedule(entry)
    assert (list(registry.handlers), registry.schedules) == (["work"], [entry])
