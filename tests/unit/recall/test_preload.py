"""A cache is filled when it comes on and again after a while, whatever one of the preloads does."""

import asyncio

import pytest

from tidings.base.errors import DatabaseBusy
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.recall.cache import MISSING, Recall
from tidings.recall.preload import Preloader

HOUSE = Tenant(uuid7(), uuid7(), "viewer")


@pytest.mark.parametrize("fails", [None, DatabaseBusy, ZeroDivisionError])
async def test_it_fills_a_cache_that_is_on_and_does_so_again(fails):
    recall = Recall(100, 60)
    rounds = asyncio.Queue()

    async def load():
        return "value"

    async def broken(_, __):
        if fails:
            raise fails

    async def preload(cache, most):
        await cache.get(HOUSE, "k", load, tags=["k"])
        rounds.put_nowait(most)

    running = asyncio.create_task(Preloader(recall, [broken, preload], interval=0.01).run())
    await asyncio.sleep(0)
    assert rounds.empty()
    recall.turn_on()
    assert await asyncio.wait_for(rounds.get(), 20) == 12
    assert recall.peek(HOUSE, "k") == "value"
    recall.drop(HOUSE.organization_id, ["k"])
    while recall.peek(HOUSE, "k") is MISSING:
        await asyncio.wait_for(rounds.get(), 20)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
