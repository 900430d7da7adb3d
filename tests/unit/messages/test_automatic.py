"""Which messages no machine may answer."""

import pytest

from tidings.messages.automatic import why_automatic

PERSON = "ada@northwind.example"


@pytest.mark.parametrize(
    ("headers", "subject", "why"),
    [
        ({}, "Hello", None),
        ({"Auto-Submitted": "no"}, "Hello", None),
        ({"Auto-Submitted": "auto-replied"}, "Hello", "reply"),
        ({"auto-submitted": "auto-generated; owner=x"}, "Hello", "reply"),
        ({"Precedence": "auto_reply"}, "Hello", "reply"),
        ({"X-Autoreply": "yes"}, "Hello", "reply"),
        ({"Precedence": "Bulk"}, "Hello", "list"),
        ({"Precedence": "junk"}, "Hello", "list"),
        ({"Precedence": "list"}, "Hello", "list"),
        ({"Precedence": "first-class"}, "Hello", None),
        ({"List-Id": "<dev.example>"}, "Hello", "list"),
        ({"List-Unsubscribe": ["<mailto:x>"]}, "Hello", "list"),
        ({"X-Auto-Response-Suppress": "OOF, AutoReply"}, "Hello", "reply"),
        ({"X-Auto-Response-Suppress": "None"}, "Hello", None),
        ({"Return-Path": "<>"}, "Undelivered", "bounce"),
        ({"Return-Path": "<ada@northwind.example>"}, "Hello", None),
        (
            {"Content-Type": 'multipart/report; report-type="delivery-status"; boundary=x'},
            "Undelivered",
            "bounce",
        ),
        ({}, "Out of office: back on Monday", None),
        ({"Precedence": "bulk"}, "Out of office: back on Monday", "reply"),
        ({"Return-Path": "<>", "Auto-Submitted": "auto-replied"}, "Re: Hello", "reply"),
    ],
)
def test_headers_tell(headers, subject, why):
    assert why_automatic(headers, "in", PERSON, subject) == why
    assert why_automatic(headers, "out", PERSON, subject) == ("own" if why else None)


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@mx.example", "postmaster@mx.example"])
def test_daemons_tell(sender):
    assert why_automatic({}, "in", sender, "Undelivered") == "bounce"
    assert why_automatic({}, "in", f"x{sender}", "Undelivered") is None


@pytest.mark.parametrize(
    "sender",
    ["no-reply@x.example", "NoReply@x.example", "do-not-reply@x.example", "noreply+7@x.example"],
)
def test_who_says_that_nobody_reads_is_a_machine(sender):
    assert why_automatic({}, "in", sender, "Your order") == "reply"
    assert why_automatic({}, "out", sender, "Your order") is None
    assert why_automatic({}, "in", f"nina.{sender}", "Your order") is None
