"""One load for all who ask, nothing past its time, and nothing past a change that was heard of."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.recall.cache import MISSING, Recall

HOUSE = Tenant(uuid7(), uuid7(), "member")
OTHER = Tenant(uuid7(), uuid7(), "member")


class Clock:
    """A timer that moves when told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Source:
    """What is loaded; a load reads when it is let, and answers when it is let."""

    def __init__(self, value="one"):
        self.value = value
        self.loads = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.has_read = asyncio.Event()

    async def load(self):
        self.loads += 1
        read = self.value
        self.has_read.set()
        await self.may_answer.wait()
        if isinstance(read, Exception):
            raise read
        return read


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def recall(clock):
    recall = Recall(10, 60, timer=clock)
    recall.turn_on()
    return recall


async def read(recall, source, key="k", tenant=HOUSE, **more):
    return await recall.get(tenant, key, source.load, tags=["thing:1"], **more)


async def test_what_was_loaded_is_held_and_counted(recall):
    source = Source()
    assert recall.peek(HOUSE, "k") is MISSING
    assert await read(recall, source) == "one"
    assert await read(recall, source) == "one"
    assert recall.peek(HOUSE, "k") == "one"
    stats = recall.stats()
    assert (source.loads, stats.loads, stats.size) == (1, 1, 1)
    assert (stats.hits, stats.misses, stats.hit_rate) == (2, 2, 0.5)


async def test_an_organization_never_meets_anothers_entry(recall):
    mine, theirs = Source("mine"), Source("theirs")
    assert await read(recall, mine) == "mine"
    assert await read(recall, theirs, tenant=OTHER) == "theirs"
    recall.drop(OTHER.organization_id, ["thing:1"])
    assert recall.peek(OTHER, "k") is MISSING
    assert recall.peek(HOUSE, "k") == "mine"
    same = Tenant(UUID(int=HOUSE.organization_id.int), uuid7(), "viewer")
    assert recall.peek(same, "k") == "mine"


async def test_an_entry_ends_with_its_time_counted_from_the_beginning_of_its_load(recall, clock):
    source = Source()
    source.may_answer.clear()
    asked = asyncio.create_task(read(recall, source))
    await source.has_read.wait()
    clock.now += 50
    source.may_answer.set()
    assert await asked == "one"
    clock.now += 9
    assert await read(recall, source) == "one"
    clock.now += 1
    source.value = "two"
    assert await read(recall, source) == "two"
    assert await read(recall, Source("brief"), "brief", ttl=5) == "brief"
    clock.now += 5
    assert recall.peek(HOUSE, "brief") is MISSING
    assert recall.stats().load_seconds == 50


async def test_that_there_is_nothing_is_remembered_for_less_long(recall, clock):
    source = Source(None)
    assert await read(recall, source) is None
    assert await read(recall, source) is None
    assert recall.peek(HOUSE, "k") is None
    assert source.loads == 1
    clock.now += 31
    assert await read(recall, source) is None
    assert source.loads == 2
    recall.drop(HOUSE.organization_id, ["thing"])
    source.value = "made"
    assert await read(recall, source) == "made"


async def test_a_thousand_who_ask_at_once_make_one_load(recall):
    source = Source()
    source.may_answer.clear()
    asked = [asyncio.create_task(read(recall, source)) for _ in range(1000)]
    await source.has_read.wait()
    source.may_answer.set()
    assert await asyncio.gather(*asked) == ["one"] * 1000
    stats = recall.stats()
    assert (source.loads, stats.loads, stats.joined, stats.misses) == (1, 1, 999, 1000)


async def test_an_error_reaches_all_who_waited_and_is_not_kept(recall):
    source = Source(LookupError("no"))
    source.may_answer.clear()
    asked = [asyncio.create_task(read(recall, source)) for _ in range(3)]
    await source.has_read.wait()
    source.may_answer.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError] * 3
    source.value = "one"
    assert await read(recall, source) == "one"


async def test_who_is_cancelled_takes_nothing_from_the_others(recall):
    source = Source()
    source.may_answer.clear()
    first = asyncio.create_task(read(recall, source))
    await source.has_read.wait()
    second = asyncio.create_task(read(recall, source))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    source.may_answer.set()
    assert await second == "one"
    assert recall.peek(HOUSE, "k") == "one"


async def test_a_load_that_a_change_overtook_is_given_to_who_asked_before_and_to_nobody_after(
    recall,
):
    source = Source("old")
    source.may_answer.clear()
    before = asyncio.create_task(read(recall, source))
    await source.has_read.wait()  # it has read "old"; now the change commits and is heard of
    source.value = "new"
    recall.drop(HOUSE.organization_id, ["thing:1"])
    source.has_read.clear()
    after = asyncio.create_task(read(recall, source))
    await source.has_read.wait()
    source.may_answer.set()
    assert await before == "old"
    assert await after == "new"
    assert recall.peek(HOUSE, "k") == "new"
    stats = recall.stats()
    assert (stats.loads, stats.stale_prevented, stats.dropped) == (2, 1, 0)


async def test_a_change_of_something_else_overtakes_nothing(recall):
    source = Source()
    source.may_answer.clear()
    asked = asyncio.create_task(read(recall, source))
    await source.has_read.wait()
    recall.drop(HOUSE.organization_id, ["thing:2", "other"])
    recall.drop(OTHER.organization_id, ["thing:1"])
    source.may_answer.set()
    assert await asked == "one"
    assert recall.peek(HOUSE, "k") == "one"


@pytest.mark.parametrize("tag", ["thing:1", "thing"])
async def test_dropping_a_tag_or_its_family_forgets_all_that_carries_it(recall, tag):
    for key in ("a", "b"):
        await read(recall, Source(), key)
    await recall.get(HOUSE, "c", Source().load, tags=["thing:2"])
    recall.drop(HOUSE.organization_id, [tag])
    assert recall.peek(HOUSE, "a") is MISSING
    assert recall.peek(HOUSE, "b") is MISSING
    assert (recall.peek(HOUSE, "c") is MISSING) == (tag == "thing")
    assert recall.stats().dropped == (2 if tag == "thing:1" else 3)


async def test_a_cache_that_is_off_holds_nothing_and_shares_no_load(recall):
    source = Source()
    await read(recall, source)
    source.may_answer.clear()
    source.value = "two"
    under_way = asyncio.create_task(read(recall, source, "later"))
    await asyncio.wait_for(source.has_read.wait(), 20)
    recall.turn_off()
    assert recall.peek(HOUSE, "k") is MISSING
    source.may_answer.set()
    assert await under_way is not None
    assert (await read(recall, source), await read(recall, source)) == ("two", "two")
    stats = recall.stats()
    assert (stats.is_on, stats.size, stats.stale_prevented) == (False, 0, 1)
    recall.turn_on()
    await read(recall, source)
    assert recall.peek(HOUSE, "k") == "two"


async def test_what_does_not_fit_goes_with_its_tags(recall):
    for n in range(25):
        await recall.get(HOUSE, f"k{n}", Source(n).load, tags=[f"thing:{n}"])
    stats = recall.stats()
    assert (stats.size, stats.evictions, stats.weight) == (10, 15, 10)
    await recall.get(HOUSE, "heavy", Source("h").load, tags=["heavy"], weigh=lambda _: 11)
    assert recall.peek(HOUSE, "heavy") is MISSING
    assert recall.stats().size == 10
    recall.drop(HOUSE.organization_id, ["thing"])
    assert recall.stats().size == 0
    assert len(recall._tags) == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "read", "answer", "write", "hear", "lose", "later"]),
        st.integers(0, 1),
    ),
    max_size=60,
)


@given(STEPS)
def test_nobody_who_asks_after_a_change_was_heard_of_gets_what_was_before(steps):
    asyncio.run(Race().play(steps))


class Race:
    """Readers, writers and late news of the writes, in any order: versions only rise."""

    def __init__(self):
        self.clock = Clock()
        self.recall = Recall(1, 60, timer=self.clock)  # one entry: evictions take part
        self.recall.turn_on()
        self.committed = {0: 0, 1: 0}
        self.heard = {0: 0, 1: 0}
        self.news = []
        self.loads = []  # [key, let it read, let it answer] of those under way
        self.asked = []

    async def play(self, steps):
        for what, key in steps:
            await getattr(self, what)(key)
            for _ in range(6):
                await asyncio.sleep(0)
        for load in self.loads:
            load[1].set()
            load[2].set()
        await asyncio.gather(*self.asked)
        assert self.recall._flights == {}
        assert len(self.recall._tags) == 2 * self.recall.stats().size

    async def ask(self, key):
        least = self.heard[key]

        async def load():
            gates = [key, asyncio.Event(), asyncio.Event()]
            self.loads.append(gates)
            await gates[1].wait()
            value = self.committed[key]
            await gates[2].wait()
            return value

        async def get():
            got = await self.recall.get(HOUSE, f"k{key}", load, tags=[f"of{key}:1"])
            assert got >= least

        self.asked.append(asyncio.create_task(get()))

    async def read(self, key):
        for load in self.loads:
            if load[0] == key:
                load[1].set()

    async def answer(self, key):
        for load in self.loads:
            if load[0] == key and load[1].is_set():
                load[2].set()

    async def write(self, key):
        self.committed[key] += 1
        self.news.append((key, self.committed[key]))

    async def hear(self, _):
        if self.news:
            key, version = self.news.pop(0)
            self.recall.drop(HOUSE.organization_id, [f"of{key}:1"])
            self.heard[key] = version

    async def lose(self, key):
        """The connection is lost, and back: the news that were under way are gone."""
        self.recall.turn_off()
        if key:
            self.news.clear()
            self.heard = dict(self.committed)
            self.recall.turn_on()

    async def later(self, _):
        self.clock.now += 31
