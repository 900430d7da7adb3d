"""What is claimed is started in turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.ids import uuid7
from tidings.queue.buffer import FairBuffer
from tidings.queue.claim import ClaimedJob
from tidings.queue.context import JobContext
from tidings.queue.held import Held

A, B, C = sorted(uuid7() for _ in range(3))


def held(organization):
    job = ClaimedJob(organization, uuid7(), "work", {}, A, None, 1, 5, uuid7(), None, None, 1)
    return Held(job, JobContext(None, job), 0, 0)


def owners(buffer):
    return [buffer.pop().job.organization_id for _ in range(len(buffer))]


def test_organizations_take_turns():
    buffer = FairBuffer()
    buffer.add([held(A) for _ in range(4)])
    buffer.add([held(B), held(C), held(C)])
    assert owners(buffer) == [A, B, C, A, C, A, A]
    with pytest.raises(IndexError):
        buffer.pop()


def test_clearing_takes_all():
    buffer = FairBuffer()
    jobs = [held(A), held(B), held(A)]
    buffer.add(jobs)
    assert set(buffer.clear()) == set(jobs)
    assert len(buffer) == 0
    buffer.add([held(C)])
    assert owners(buffer) == [C]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([A, B, C])), max_size=60))
def test_each_organizations_order_is_kept_and_nobody_waits_two_rounds(steps):
    """Against lists: first in, first out within one; while it waits, no other is served twice."""
    buffer, waiting = FairBuffer(), {A: [], B: [], C: []}
    since = {A: [], B: [], C: []}
    for adds, organization in steps:
        if adds:
            one = held(organization)
            if not waiting[organization]:
                since[organization] = []
            waiting[organization].append(one)
            buffer.add([one])
        elif len(buffer):
            one = buffer.pop()
            owner = one.job.organization_id
            assert waiting[owner].pop(0) is one
            for other in waiting:
                if other == owner:
                    since[other] = []
                elif waiting[other]:
                    since[other].append(owner)
                    assert since[other].count(owner) == 1
        assert len(buffer) == sum(map(len, waiting.values()))
