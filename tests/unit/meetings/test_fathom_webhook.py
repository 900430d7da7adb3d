import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tidings.base.errors import InputInvalid, SettingInvalid, SignatureInvalid
from tidings.base.webhook_signature import verify
from tidings.meetings.fathom_webhook import parse_event
from tidings.meetings.testing import sign_webhook

SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode()
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ITEM = {
    "recording_id": 7,
    "title": "Kick-off",
    "created_at": "2026-03-01T10:00:00Z",
    "calendar_invitees": [],
}
BODY = json.dumps(ITEM).encode()


def signed(**changes):
    return sign_webhook(SECRET, "msg_1", NOW, BODY) | {
        name.replace("_", "-"): value for name, value in changes.items()
    }


def test_the_librarys_signature_is_accepted_and_the_id_returned():
    assert verify(signed(), BODY, SECRET, NOW) == "msg_1"


def test_header_names_come_in_any_case():
    headers = {name.title(): value for name, value in signed().items()}
    assert verify(headers, BODY, SECRET, NOW) == "msg_1"


@given(st.text(st.characters(exclude_categories=["Cs"])).map(str.encode), st.binary(min_size=1))
def test_agrees_with_the_library_on_any_body_and_key(body, key):
    secret = "whsec_" + base64.b64encode(key).decode()
    now = datetime.now(UTC)
    headers = sign_webhook(secret, "msg_2", now, body)
    assert verify(headers, body, secret, now) == "msg_2"
    Webhook(secret).verify(body, headers, json_parse=False)
    with pytest.raises(SignatureInvalid):
        verify(headers, body + b" ", secret, now)


def test_a_body_that_is_not_text_is_verified_as_bytes():
    with pytest.raises(SignatureInvalid):
        verify(signed(), b"\xff\xfe", SECRET, NOW)


def test_a_secret_may_lack_its_padding_and_prefix():
    short = "whsec_" + base64.b64encode(b"12345").decode()
    headers = sign_webhook(short, "msg_1", NOW, BODY)
    assert verify(headers, BODY, short.rstrip("="), NOW) == "msg_1"
    assert verify(headers, BODY, short.removeprefix("whsec_"), NOW) == "msg_1"


def test_one_matching_signature_of_several_is_enough():
    good = signed()["webhook-signature"]
    several = f"v1,AAAA v1a,{good[3:]} nonsense {good}"
    assert verify(signed(webhook_signature=several), BODY, SECRET, NOW) == "msg_1"


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_five_minutes_off_is_accepted(off):
    assert verify(signed(), BODY, SECRET, NOW + timedelta(seconds=off)) == "msg_1"


@pytest.mark.parametrize("off", [-301, 301, 10**8])
def test_more_than_five_minutes_off_is_refused(off):
    with pytest.raises(SignatureInvalid):
        verify(signed(), BODY, SECRET, NOW + timedelta(seconds=off))


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_id": "msg_2"},
        {"webhook_id": ""},
        {"webhook_id": "m" * 256},
        {"webhook_id": "m\x00"},
        {"webhook_timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook_timestamp": "soon"},
        {"webhook_timestamp": "1e9"},
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "²"},
        {"webhook_timestamp": "9" * 400},
        {"webhook_timestamp": ""},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v1"},
        {"webhook_signature": "v1,é\ud800"},
        {"webhook_signature": "v2," + signed()["webhook-signature"][3:]},
        {"webhook_signature": "v1,AAAA " * 600 + signed()["webhook-signature"]},
    ],
)
def test_a_tampered_header_is_refused(changes):
    with pytest.raises(SignatureInvalid):
        verify(signed(**changes), BODY, SECRET, NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(name):
    headers = signed()
    del headers[name]
    with pytest.raises(SignatureInvalid):
        verify(headers, BODY, SECRET, NOW)


def test_another_secret_is_refused():
    with pytest.raises(SignatureInvalid):
        verify(signed(), BODY, "whsec_" + base64.b64encode(b"other").decode(), NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "whsec_é", "whsec_A"])
def test_a_secret_that_is_none_is_a_bad_setting(secret):
    with pytest.raises(SettingInvalid) as caught:
        verify(signed(), BODY, secret, NOW)
    assert "!!" not in caught.value.message


@pytest.mark.parametrize(
    "event",
    [
        ITEM,
        {"type": "new-meeting-content-ready", "data": ITEM},
        {"event": "new-meeting-content-ready", "data": ITEM},
        {"data": ITEM},
        ITEM | {"data": "ignored"},
    ],
)
def test_the_meeting_is_found_in_the_body(event):
    assert parse_event(json.dumps(event).encode()).external_id == "7"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff", "body"),
        (b'{"title":"\\ud800"}', "body"),
        (b"[" * 100_000, "body"),
        (b"[]", "item"),
        (b'{"type":"other","data":{}}', "type"),
        (b'{"type":"new-meeting-content-ready","data":null}', "item"),
        (json.dumps(ITEM | {"title": "\x00"}).encode(), "title"),
    ],
)
def test_anything_else_is_input_invalid(body, field):
    with pytest.raises(InputInvalid) as caught:
        parse_event(body)
    assert caught.value.errors[0].field == field
