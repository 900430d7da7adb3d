import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

import pytest

from tidings.base import ids
from tidings.base.ids import uuid7, uuid7s


def test_an_id_is_a_uuid_of_version_7_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, RFC_4122)
    # A busy millisecond may have counted into the next one.
    assert before <= made.int >> 80 <= after + 5


def test_ids_rise_also_within_a_millisecond() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_ids_drawn_together_are_as_if_drawn_one_by_one() -> None:
    assert uuid7s(0) == []
    made = [uuid7(), *uuid7s(10_000), uuid7()]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


def test_ids_of_several_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [uuid7() for _ in range(1000)], range(8)))
    assert len({one for some in made for one in some}) == 8000


def test_ids_rise_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000_000)
    assert uuid7() > first


def test_a_full_millisecond_borrows_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_counter", 0xFFF)
    monkeypatch.setattr(ids, "_last_ms", 2**47)
    assert uuid7().int >> 80 == 2**47 + 1
    monkeypatch.undo()
