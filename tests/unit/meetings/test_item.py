import json
import random
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.errors import InputInvalid
from tidings.meetings.item import clock_time, content_hash, decode_item, item_hash, seconds


def wire(**changes):
    whole = {
        "recording_id": 123456789,
        "title": "Quarterly review",
        "meeting_title": "QBR 2026",
        "url": "https://fathom.video/calls/123456789",
        "share_url": "https://fathom.video/share/abc",
        "created_at": "2026-03-01T17:01:30Z",
        "scheduled_start_time": "2026-03-01T16:00:00Z",
        "scheduled_end_time": "2026-03-01T17:00:00Z",
        "recording_start_time": "2026-03-01T17:01:12+01:00",
        "recording_end_time": None,
        "transcript_language": "en",
        "calendar_invitees": [
            {
                "name": "Alice Johnson",
                "email": "Alice.Johnson@Acme.com",
                "email_domain": "Acme.com",
                "is_external": True,
                "matched_speaker_display_name": "Alice J",
            },
            {"name": "Bob", "email": "bob@bücher.de"},
        ],
        "recorded_by": {"name": "Ann", "email": "ann@us.example", "team": "Sales"},
        "transcript": [
            {
                "speaker": {
                    "display_name": "Alice J",
                    "matched_calendar_invitee_email": "Alice.Johnson@Acme.com",
                },
                "text": "Let's revisit the budget.",
                "timestamp": "00:05:32",
            },
            {"speaker": {"display_name": "Bob"}, "text": "  \n", "timestamp": "00:05:40"},
            {"speaker": None, "text": "Fine.", "timestamp": "soon"},
        ],
        "default_summary": {"template_name": "general", "markdown_formatted": "## Summary"},
        "action_items": [
            {
                "description": "Send the offer",
                "user_generated": False,
                "completed": False,
                "recording_timestamp": "00:10:45",
                "recording_playback_url": "https://fathom.video/calls/123456789?timestamp=645",
                "assignee": {"name": "Ann", "email": "ann@us.example", "team": "Sales"},
            },
            {"description": ""},
        ],
        "crm_matches": {"anything": [1, 2]},
    }
    return whole | changes


def without(raw, key):
    return {k: v for k, v in raw.items() if k != key}


def test_a_whole_item_keeps_what_readings_and_links_need():
    item = decode_item(wire())
    assert item.external_id == "123456789"
    assert item.recording_start_time == datetime(2026, 3, 1, 16, 1, 12, tzinfo=UTC)
    assert item.recording_end_time is None
    alice, bob = item.calendar_invitees
    assert (alice.email, alice.email_domain) == ("Alice.Johnson@Acme.com", "acme.com")
    assert (bob.email, bob.email_domain) == ("bob@bücher.de", "xn--bcher-kva.de")
    assert [(u.speaker_name, u.text, u.at) for u in item.transcript] == [
        ("Alice J", "Let's revisit the budget.", 332),
        ("", "Fine.", None),
    ]
    assert item.transcript[0].speaker_email == "Alice.Johnson@Acme.com"
    assert item.transcript[1].speaker_email is None
    assert item.summary_markdown == "## Summary"
    assert [(a.description, a.at) for a in item.action_items] == [("Send the offer", 645)]
    assert item.recorded_by is not None
    assert item.recorded_by.name == "Ann"


def test_the_four_required_fields_are_enough():
    item = decode_item(
        {
            "recording_id": 0,
            "title": "",
            "created_at": "2026-03-01T17:01:30",
            "calendar_invitees": [],
        }
    )
    assert item.external_id == "0"
    assert item.created_at == datetime(2026, 3, 1, 17, 1, 30, tzinfo=UTC)
    assert item.transcript == []
    assert item.action_items == []
    assert item.summary_markdown is None


@pytest.mark.parametrize("field", ["recording_id", "title", "created_at", "calendar_invitees"])
def test_a_required_field_that_is_missing_or_null_is_named(field):
    for raw in (without(wire(), field), wire(**{field: None})):
        with pytest.raises(InputInvalid) as caught:
            decode_item(raw)
        assert caught.value.errors[0].field == field
        assert caught.value.errors[0].message == "is missing"


def test_every_other_field_may_be_missing_or_null():
    whole = wire()
    for field in without(whole, "x"):
        if field in {"recording_id", "title", "created_at", "calendar_invitees"}:
            continue
        assert decode_item(without(whole, field)) == decode_item(wire(**{field: None}))


def test_the_sender_does_not_choose_the_external_id():
    assert decode_item(wire(external_id="mine")).external_id == "123456789"
    assert decode_item(wire(external_id=5)).external_id == "123456789"


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (wire(calendar_invitees=[{}, {}, {"email": 5}]), "calendar_invitees[2].email"),
        (wire(calendar_invitees=[{}, "ann"]), "calendar_invitees[1]"),
        (wire(calendar_invitees={"0": {}}), "calendar_invitees"),
        (wire(recording_id="12"), "recording_id"),
        (wire(recording_id=True), "recording_id"),
        (wire(recording_id=-1), "recording_id"),
        (wire(recording_id=2**63), "recording_id"),
        (wire(recording_id=10**5000), "recording_id"),
        (wire(recording_id=1.5), "recording_id"),
        (wire(title=["x"]), "title"),
        (wire(title="a\x00b"), "title"),
        (wire(title="a\ud800b"), "title"),
        (wire(unknown={"deep": ["\x00"]}), "unknown.deep[0]"),
        (wire(created_at="yesterday"), "created_at"),
        (wire(created_at="2026-03-01"), "created_at"),
        (wire(created_at=1_700_000_000), "created_at"),
        (wire(created_at="0001-01-01T00:00:00+14:00"), "created_at"),
        (wire(scheduled_end_time="9999-12-31T23:59:59-10:00"), "scheduled_end_time"),
        (wire(transcript=[{"text": 5}]), "transcript[0].text"),
        (wire(transcript=[{"speaker": "Ann", "text": "Hi"}]), "transcript[0].speaker"),
        (wire(transcript=[None]), "transcript[0]"),
        (wire(default_summary="text"), "default_summary"),
        ([], "item"),
        (None, "item"),
        ("item", "item"),
        ({1: 2}, "item"),
        ({"\x00": 1}, "body"),
    ],
)
def test_a_bad_value_is_refused_by_its_path(raw, field):
    with pytest.raises(InputInvalid) as caught:
        decode_item(raw)
    assert caught.value.errors[0].field == field
    assert caught.value.message.startswith(f"{field}: ")
    assert caught.value.code == "input_invalid"
    caught.value.message.encode()  # can be sent


@pytest.mark.parametrize(
    ("given_domain", "email", "expected"),
    [
        ("ACME.com", "ann@other.com", "acme.com"),
        ("", "ann@acme.com", "acme.com"),
        ("not a domain", "ann@acme.com", "acme.com"),
        ("not a domain", None, None),
        (None, "phone", None),
        ("acme.com", None, "acme.com"),
    ],
)
def test_an_invitees_domain_is_normalised_or_taken_from_the_email(given_domain, email, expected):
    raw = wire(calendar_invitees=[{"email": email, "email_domain": given_domain}])
    (invitee,) = decode_item(raw).calendar_invitees
    assert invitee.email_domain == expected
    assert invitee.email == email


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("00:00:00", 0),
        ("01:02:03", 3723),
        ("1:2:3", 3723),
        ("123:00:01", 442801),
        (" 00:01:00 ", 60),
        ("05:32", 332),
        ("90:00", 5400),
        ("00:00:01.900", 1),
        ("00:00:01,900", 1),
        ("00:60:00", None),
        ("00:00:60", None),
        ("-0:00:01", None),
        ("١:٢:٣", None),
        ("999999:00:00", None),
        ("", None),
        (":", None),
        ("soon", None),
        (5, None),
        (None, None),
        ([], None),
    ],
)
def test_seconds(timestamp, expected):
    assert seconds(timestamp) == expected


@given(st.integers(min_value=0, max_value=359_999_999))
def test_clock_time_and_seconds_are_inverse(at):
    assert seconds(clock_time(at)) == at


def test_the_hashes_ignore_key_order_and_unknown_fields():
    raw = wire()
    shuffled = list(raw.items())
    random.Random(1).shuffle(shuffled)
    same = dict(shuffled) | {"x": 1}
    same["calendar_invitees"] = [dict(reversed(i.items())) for i in raw["calendar_invitees"]][::-1]
    for digest in (item_hash, content_hash):
        assert digest(decode_item(same)) == digest(decode_item(raw))
        assert len(digest(decode_item(raw))) == 32


def test_the_hashes_ignore_blank_utterances_and_the_zone_a_time_is_written_in():
    raw = wire()
    same = wire(
        created_at="2026-03-01T18:01:30+01:00",
        transcript=[*raw["transcript"], {"text": " "}, {"text": None}],
    )
    for digest in (item_hash, content_hash):
        assert digest(decode_item(same)) == digest(decode_item(raw))


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"meeting_title": None},
        {"created_at": "2026-03-01T17:01:31Z"},
        {"recording_end_time": "2026-03-01T18:00:00Z"},
        {"calendar_invitees": []},
        {"url": "https://elsewhere.example/1"},
        {"share_url": None},
        {"recorded_by": {"name": "Somebody else"}},
        {"default_summary": {"markdown_formatted": "## Other"}},
        {"action_items": []},
    ],
)
def test_what_is_stored_may_change_without_a_new_reading(change):
    changed, before = decode_item(wire(**change)), decode_item(wire())
    assert item_hash(changed) != item_hash(before)
    assert content_hash(changed) == content_hash(before)


def test_what_was_said_is_what_a_reading_rests_on():
    other = [{"text": "Let's revisit the budget.", "timestamp": "00:05:32"}]
    changed, before = decode_item(wire(transcript=other)), decode_item(wire())
    assert item_hash(changed) != item_hash(before)
    assert content_hash(changed) != content_hash(before)


@pytest.mark.parametrize(
    "change", [{"default_summary": {"markdown_formatted": "## Other"}}, {"action_items": []}]
)
def test_without_a_transcript_a_reading_rests_on_what_the_meeting_says_of_itself(change):
    before = decode_item(wire(transcript=[]))
    assert content_hash(decode_item(wire(transcript=[], **change))) != content_hash(before)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//x.example",
        "https://x.example/a b",
        "https://x.example/<b>",
        "https://x.example/\nb",
        "",
        "https://x.example/" + "a" * 3000,
    ],
)
def test_an_address_that_no_page_may_link_to_is_left_out(address):
    actions = [{"description": "Call", "recording_playback_url": address}]
    item = decode_item(wire(url=address, share_url=address, action_items=actions))
    assert (item.url, item.share_url, item.action_items[0].recording_playback_url) == (None,) * 3


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(wire())), json_values)
def test_any_value_in_any_field_decodes_or_is_input_invalid(field, value):
    try:
        item = decode_item(wire(**{field: value}))
    except InputInvalid:
        return
    assert len(content_hash(item)) == len(item_hash(item)) == 32
    assert item_hash(decode_item(wire(**{field: value}))) == item_hash(item)


def test_a_decoded_item_written_back_decodes_to_itself():
    item = decode_item(wire())
    assert decode_item(json.loads(msgspec.json.encode(item))) == item
