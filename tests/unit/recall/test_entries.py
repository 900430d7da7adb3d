"""Entries go in order of use, ended ones first, and tags lead to exactly what carries them."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from tidings.recall.entries import Entries, Entry, Tags

ORGANIZATION = 7


def place(key):
    return ORGANIZATION, key


def entry(until=100.0, weight=1):
    return Entry("value", until, weight, ())


def keys(gone):
    return [key for (_, key), _ in gone]


def test_what_was_used_longest_ago_goes_first():
    entries = Entries(2)
    entries.put(place("a"), entry(), 0)
    entries.put(place("b"), entry(), 0)
    assert entries.get(place("a")) is not None
    assert keys(entries.put(place("c"), entry(), 0)) == ["b"]
    assert entries.get(place("b")) is None
    assert len(entries) == 2


def test_what_has_ended_goes_before_what_was_used_longest_ago():
    entries = Entries(3)
    entries.put(place("old"), entry(until=100), 0)
    entries.put(place("ended"), entry(until=5), 0)
    entries.put(place("young"), entry(until=100), 0)
    assert keys(entries.put(place("new"), entry(), 6)) == ["ended"]
    assert entries.get(place("old")) is not None


def test_a_heavy_entry_takes_the_place_of_several_and_one_too_heavy_is_not_kept():
    entries = Entries(4)
    for key in "abcd":
        entries.put(place(key), entry(), 0)
    assert keys(entries.put(place("heavy"), entry(weight=3), 0)) == ["a", "b", "c"]
    assert entries.weight == 4
    assert keys(entries.put(place("too heavy"), entry(weight=5), 0)) == ["too heavy"]
    assert (len(entries), entries.weight) == (2, 4)
    assert entries.clear() == 2
    assert (len(entries), entries.weight) == (0, 0)


def test_the_ends_of_entries_that_are_gone_do_not_pile_up():
    entries = Entries(10)
    for n in range(5000):
        entries.put(place(f"k{n % 20}"), entry(until=1e9 + n), 0)
        entries.pop(place(f"k{n % 20}"))
    assert len(entries._ends) < 100


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["get", "put", "pop", "later"]),
            st.sampled_from("abcdefgh"),
            st.integers(1, 3),
            st.integers(1, 20),
        ),
        max_size=80,
    )
)
def test_it_is_a_least_recently_used_cache_that_lets_ended_ones_go_first(steps):
    entries, model, now = Entries(6), OrderedDict(), 0
    for what, key, weight, seconds in steps:
        if what == "later":
            now += seconds
        elif what == "get":
            found = entries.get(place(key))
            assert found is model.get(key)
            if found is not None:
                model.move_to_end(key)
        elif what == "pop":
            assert entries.pop(place(key)) is model.pop(key, None)
        elif key not in model:
            new = entry(until=now + seconds, weight=weight)
            gone = []
            while sum(e.weight for e in model.values()) + weight > 6:
                ended = [k for k, e in model.items() if e.until <= now]
                first = min(ended, key=lambda k: model[k].until) if ended else next(iter(model))
                gone.append((first, model.pop(first)))
            # Of several that ended at the same time any may go first.
            came = [(k, e) for (_, k), e in entries.put(place(key), new, now)]
            assert sorted(e.until for _, e in came) == sorted(e.until for _, e in gone)
            for (mine, one), (theirs, other) in zip(came, gone, strict=True):
                if mine != theirs:
                    model[theirs] = other
                    model.move_to_end(theirs, last=False)
                    assert model.pop(mine) is one
            model[key] = new
        assert len(entries) == len(model)
        assert entries.weight == sum(e.weight for e in model.values()) <= 6


def test_a_tag_stands_under_its_family_in_its_own_organization():
    tags = Tags()
    tags.add(place("m7"), ["meeting:7", "lead:1"])
    tags.add(place("m8"), ["meeting:8"])
    tags.add((8, "m7"), ["meeting:7"])
    assert tags.keys(ORGANIZATION, "meeting:7") == ["m7"]
    assert sorted(tags.keys(ORGANIZATION, "meeting")) == ["m7", "m8"]
    assert tags.keys(ORGANIZATION, "company") == []
    tags.remove(place("m7"), ["meeting:7", "lead:1"])
    tags.remove(place("m7"), ["meeting:7"])
    assert tags.keys(ORGANIZATION, "meeting") == ["m8"]
    assert tags.keys(8, "meeting:7") == ["m7"]
    tags.remove(place("m8"), ["meeting:8"])
    tags.remove((8, "m7"), ["meeting:7"])
    assert len(tags) == 0
