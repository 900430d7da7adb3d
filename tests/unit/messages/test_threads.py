"""Which thread a message belongs to, whatever the order in which they come."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tidings.base.ids import uuid7
from tidings.messages.threads import Known, plan_threads

from factories.said import MONDAY, item


def groups(items, messages=None, threads=None):
    """External ids by thread, each a sorted list; those alone are left out."""
    plan = plan_threads(items, 1, messages or {}, threads or {})
    found: dict[UUID, list[str]] = {}
    for one, thread in zip(items, plan.threads_of, strict=True):
        if thread is not None:
            found.setdefault(thread, []).append(one.external_id)
    assert {thread.id for thread in plan.threads} >= set(found)
    return sorted(sorted(ids) for ids in found.values())


def test_alone_is_no_thread():
    assert groups([item(1), item(2)]) == []


def test_answers_join_what_they_answer():
    assert groups([item(1), item(2, reply_to="m1"), item(3, reply_to="m2"), item(4)]) == [
        ["m1", "m2", "m3"]
    ]


def test_siblings_of_an_unknown_beginning_meet():
    assert groups([item(2, reply_to="m0"), item(3, reply_to="m0")]) == [["m2", "m3"]]


def test_circles_end():
    around = [item(1, reply_to="m2"), item(2, reply_to="m1"), item(3, reply_to="m3")]
    assert groups(around) == [["m1", "m2"]]


def test_the_sources_word_wins():
    items = [item(1, thread_id="t"), item(2, reply_to="m1", thread_id="u"), item(3, reply_to="m2")]
    assert groups(items) == [["m1"], ["m2", "m3"]]


def test_brackets_do_not_matter():
    assert groups([item(1, external_id="<a@x>"), item(2, headers={"In-Reply-To": "<a@x>"})]) == [
        ["<a@x>", "m2"]
    ]


def test_a_stored_message_brings_its_thread_or_joins_a_new_one():
    thread, alone = uuid7(), uuid7()
    stored = {
        "s1": Known(uuid7(), thread, MONDAY, "Old"),
        "s2": Known(alone, None, MONDAY, "Root"),
    }
    items = [item(1, reply_to="s1"), item(2, reply_to="s2"), item(3, reply_to="s2")]
    plan = plan_threads(items, 11, stored, {})
    assert plan.threads_of[0] == thread
    assert plan.threads_of[1] == plan.threads_of[2]
    assert plan.joining == [(alone, plan.threads_of[1])]
    by_id = {one.id: one for one in plan.threads}
    assert (by_id[thread].count, by_id[thread].external_id) == (1, None)
    new = by_id[plan.threads_of[1]]
    assert (new.count, new.external_id, new.subject, new.last_position) == (3, "s2", "Root", 13)
    assert new.first_at == MONDAY


def test_the_first_message_finds_the_thread_that_waits():
    waiting = uuid7()
    plan = plan_threads([item(1)], 1, {}, {"m1": waiting})
    assert plan.threads_of == [waiting]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.randoms())
def test_order_does_not_matter(parents, random):
    """Of a forest where each one answers an earlier one or nobody."""
    items = [
        item(n, reply_to=f"m{parent}" if parent < n else None) for n, parent in enumerate(parents)
    ]
    shuffled = list(items)
    random.shuffle(shuffled)
    assert groups(shuffled) == groups(items)
    assert sum(thread.count for thread in plan_threads(items, 1, {}, {}).threads) == sum(
        len(group) for group in groups(items)
    )
