"""What a message must be, and that one bad item keeps no good one out."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidings.messages.item import decode_items

from factories.said import said


def refused(**more):
    (error,) = decode_items([said(1) | more])[1]
    assert error.code == "input_invalid"
    msgspec.json.encode(error)  # what it says can be sent
    return error.detail


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 501}, "external_id"),
        ({"external_id": "a\0b"}, "external_id"),
        ({"body": "a\0b"}, "body"),
        ({"body": "\ud800"}, "body"),
        ({"body": "x" * 200_001}, "body"),
        ({"body": 5}, "body"),
        ({"direction": "sideways\ud800"}, "item"),
        ({"sender": {"id": ""}}, "sender.id"),
        ({"sender": {"id": "a", "name": "\0"}}, "sender.name"),
        ({"sender": {"id": "a", "email": "\udfff@x"}}, "sender.email"),
        ({"sender": "Ada"}, "sender"),
        ({"thread_id": "\0"}, "thread_id"),
        ({"subject": "x" * 501}, "subject"),
        ({"attachments": [{"name": "\0"}]}, "attachments[0].name"),
        ({"attachments": [{"bytes": -1}]}, "attachments[0].bytes"),
        ({"headers": {"a\0": "b"}}, "headers"),
        ({"headers": {"Subject": ["ok", "\0"]}}, "headers.Subject[1]"),
        ({"sent_at": "yesterday"}, "sent_at"),
        ({"sent_at": "1969-12-31T23:59:59Z"}, "sent_at"),
        ({"sent_at": "2999-01-01T00:00:00Z"}, "sent_at"),
        ({"sent_at": "0001-01-01T00:00:00+14:00"}, "sent_at"),
        ({"sent_at": 1e300}, "sent_at"),
    ],
)
def test_what_is_refused_and_where(more, field):
    assert refused(**more).startswith(field)


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, {"external_id": "a"}, {"\ud800": 1}])
def test_junk_is_one_error(junk):
    items, errors = decode_items([said(1), junk, said(2)])
    assert [item.external_id for item in items] == ["m1", "m2"]
    assert [error.index for error in errors] == [1]


def test_times_are_utc_and_addresses_lower_case():
    (item,), _ = decode_items(
        [
            said(1)
            | {
                "sent_at": "2026-03-02T10:00:00+01:00",
                "sender": {"id": "Ada@North.example", "email": "Ada@North.example"},
                "reply_to": None,
            }
        ]
    )
    assert item.sent_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert (item.sender.id, item.sender.email) == ("ada@north.example",) * 2
    (item,), _ = decode_items(
        [
            said(1)
            | {"sent_at": "2026-03-02T09:00:00", "sender": {"id": "U0Aa", "email": "A@b.example"}}
        ]
    )
    assert item.sent_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert (item.sender.id, item.sender.email) == ("U0Aa", "a@b.example")


def test_references_are_the_nearest_last():
    headers = {
        "References": " ".join(f"<r{n}@x>" for n in range(50)),
        "IN-REPLY-TO": "<r7@x> (Ada's message)",
    }
    (item,), _ = decode_items([said(1) | {"headers": headers, "reply_to": "<z@x>"}])
    found = item.references
    assert (found[0], found[-2:], len(found)) == ("r0@x", ["r7@x", "z@x"], 20)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*sorted(said(1)), "headers", "attachments"]), JSON))
def test_whatever_comes_is_an_item_or_an_error(more):
    items, errors = decode_items([said(1) | more])
    assert len(items) + len(errors) == 1
    json.dumps([error.detail for error in errors])
