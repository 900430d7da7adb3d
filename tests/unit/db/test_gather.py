"""Calls that arrive together go as one, and each caller gets what is its own."""

import asyncio
import contextvars
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.errors import DatabaseUnavailable, InputInvalid
from tidings.db.gather import Gathering


class Sender:
    """Answers a question with itself and its group; what it was sent is kept."""

    def __init__(self):
        self.sent = []
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()
        self.refused = set()
        self.error = None

    async def __call__(self, key, questions):
        self.sent.append((key, list(questions)))
        self.begun.set()
        await asyncio.sleep(0)  # as an answer takes at least a turn of the loop
        await self.open.wait()
        if self.error is not None:
            raise self.error
        if self.refused & set(questions):
            raise InputInvalid("refused")
        return [(key, question) for question in questions]


async def test_what_is_asked_at_once_goes_as_one():
    sender = Sender()
    gathering = Gathering(sender)
    answers = await asyncio.gather(*(gathering.ask("a", n) for n in range(16)))
    assert answers == [("a", n) for n in range(16)]
    assert sender.sent == [("a", list(range(16)))]


async def test_while_one_is_under_way_the_next_gathers():
    sender = Sender()
    sender.open.clear()
    gathering = Gathering(sender)
    first = asyncio.create_task(gathering.ask("a", 0))
    await sender.begun.wait()
    others = [asyncio.create_task(gathering.ask("a", n)) for n in (1, 2, 3)]
    sender.open.set()
    assert await asyncio.gather(first, *others) == [("a", n) for n in range(4)]
    assert sender.sent == [("a", [0]), ("a", [1, 2, 3])]


async def test_two_lanes_share_what_waits():
    sender = Sender()
    gathering = Gathering(sender, lanes=2)
    await asyncio.gather(*(gathering.ask("a", n) for n in range(5)))
    assert sender.sent == [("a", [0, 1, 2]), ("a", [3, 4])]


async def test_groups_never_share():
    sender = Sender()
    gathering = Gathering(sender)
    answers = await asyncio.gather(*(gathering.ask(n % 2, n) for n in range(6)))
    assert answers == [(n % 2, n) for n in range(6)]
    assert sorted(sender.sent) == [(0, [0, 2, 4]), (1, [1, 3, 5])]


async def test_one_identity_is_asked_in_order_and_never_twice_in_a_batch():
    sender = Sender()
    gathering = Gathering(sender, identity=lambda question: question[0])
    asked = ["a1", "b1", "a2", "a3", "b2"]
    await asyncio.gather(*(gathering.ask(0, question) for question in asked))
    assert [batch for _, batch in sender.sent] == [["a1", "b1"], ["a2"], ["a3", "b2"]]


async def test_batches_are_bounded_in_number_and_size():
    sender = Sender()
    gathering = Gathering(sender, size=lambda question: question, most=3, most_bytes=10)
    await asyncio.gather(*(gathering.ask(0, n) for n in (1, 1, 1, 1, 9, 4, 20, 2)))
    assert [batch for _, batch in sender.sent] == [[1, 1, 1], [1, 9], [4], [20], [2]]


async def test_a_refused_one_fails_alone():
    sender = Sender()
    sender.refused = {2}
    gathering = Gathering(sender)
    answers = await asyncio.gather(*(gathering.ask(0, n) for n in range(4)), return_exceptions=True)
    assert [isinstance(answer, InputInvalid) for answer in answers] == [False, False, True, False]


async def test_a_lost_connection_fails_all_and_nothing_is_sent_again():
    sender = Sender()
    sender.error = DatabaseUnavailable("gone")
    gathering = Gathering(sender)
    answers = await asyncio.gather(*(gathering.ask(0, n) for n in range(4)), return_exceptions=True)
    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    assert len(sender.sent) == 1
    sender.error = None
    assert await gathering.ask(0, 7) == (0, 7)


async def test_a_cancelled_caller_takes_nothing_from_the_others():
    sender = Sender()
    sender.open.clear()
    gathering = Gathering(sender)
    under_way = [asyncio.create_task(gathering.ask(0, n)) for n in (0, 1)]
    await sender.begun.wait()
    waiting = [asyncio.create_task(gathering.ask(0, n)) for n in (2, 3)]
    await asyncio.sleep(0)
    under_way[0].cancel()
    waiting[0].cancel()
    sender.open.set()
    assert await under_way[1] == (0, 1)
    assert await waiting[1] == (0, 3)
    assert sender.sent == [(0, [0, 1]), (0, [3])]


async def test_a_sender_that_is_ended_leaves_nobody_waiting():
    sender = Sender()
    sender.open.clear()
    gathering = Gathering(sender)
    asked = [asyncio.create_task(gathering.ask(0, n)) for n in (0, 1)]
    await sender.begun.wait()
    asked.append(asyncio.create_task(gathering.ask(0, 2)))
    await asyncio.sleep(0)
    (task,) = gathering._groups[0].senders
    task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)
    assert gathering._groups == {}


async def test_it_runs_in_nobodys_context():
    of_a_request = contextvars.ContextVar("of_a_request", default="")
    seen = []

    async def send(key, questions):
        seen.append(of_a_request.get())
        return questions

    of_a_request.set("mine")
    await Gathering(send).ask(0, 0)
    assert seen == [""]


@pytest.mark.parametrize("lanes", [1, 2, 3])
@given(asked=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.booleans()), max_size=60))
def test_everyone_is_answered_once(lanes, asked):
    sender = Sender()
    gathering = Gathering(sender, identity=lambda q: q[0], most=4, lanes=lanes)

    async def caller(place, key, identity, pauses):
        if pauses:
            await asyncio.sleep(0)
        return await gathering.ask(key, (identity, place))

    async def play():
        return await asyncio.gather(*(caller(n, *each) for n, each in enumerate(asked)))

    answers = asyncio.run(play())
    assert answers == [(key, (identity, n)) for n, (key, identity, _) in enumerate(asked)]
    sent = [(key, question) for key, batch in sender.sent for question in batch]
    assert Counter(sent) == Counter(answers)
    for _, batch in sender.sent:
        assert len({identity for identity, _ in batch}) == len(batch) <= 4
    assert gathering._groups == {}
