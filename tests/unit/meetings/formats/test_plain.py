from datetime import UTC, datetime

import pytest

from tidings.base.errors import FileInvalid
from tidings.meetings.formats.plain import read_plain
from tidings.meetings.formats.source import Source


def read(text):
    return read_plain(Source("notes.txt", text.split("\n")))


def said(text):
    return [(one.speaker, one.text, one.start) for one in read(text)[1]]


def test_header_and_utterances():
    head, spoken = read(
        """Title: Acme kick-off
Date: 2026-03-01T10:00:00+01:00
Attendees: Ann Lee <ann@acme.com>; bob@us.example, Carl
Location: Room 5
Company domain: https://www.acme.com
Recording: https://fathom.video/calls/5
-----

Ann Lee: Good morning.
And welcome: everybody.

Bob: Thanks.
"""
    )
    assert head.title == "Acme kick-off"
    assert head.date == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert [(i.name, i.email, i.email_domain) for i in head.invitees] == [
        ("Ann Lee", "ann@acme.com", "acme.com"),
        (None, "bob@us.example", "us.example"),
        ("Carl", None, None),
    ]
    assert head.company == "acme.com"
    assert head.url == "https://fathom.video/calls/5"
    assert [(s.speaker, s.text) for s in spoken] == [
        ("Ann Lee", "Good morning. And welcome: everybody."),
        ("Bob", "Thanks."),
    ]


def test_times_in_front_and_behind_names():
    assert said(
        "[00:01:02] Ann: one\n00:02:03 Bob: two\n(1:04) - Ann: three\nBob [00:05:06]: four\n"
        "Ann: five\n10:30 works for me\n10:45\n[00:06:00] six"
    ) == [
        ("Ann", "one", 62),
        ("Bob", "two", 123),
        ("Ann", "three", 64),
        ("Bob", "four", 306),
        ("Ann", "five 10:30 works for me 10:45", None),
        ("Ann", "six", 360),
    ]


def test_a_line_without_a_name_above_the_first_utterance_is_the_title():
    head, spoken = read("# Weekly sync\n=====\n\nAnn: hi")
    assert head.title == "Weekly sync"
    assert len(spoken) == 1
    assert read("Weekly sync\nTitle: Proper\nAnn: hi")[0].title == "Proper"


def test_a_name_alone_speaks_the_lines_below():
    assert said("Ann:\nfirst\nsecond\nBob:\nCarl: yes") == [
        ("Ann", "first second", None),
        ("Carl", "yes", None),
    ]


def test_lead_ins_and_sentences_are_not_speakers():
    assert said("Ann: hi\nNote: this stays\nand then I said: no\nBob: ok") == [
        ("Ann", "hi Note: this stays and then I said: no", None),
        ("Bob", "ok", None),
    ]


def test_lower_case_names_are_taken_when_nothing_else_can_be_meant():
    assert said("ann: hi\nbob: ho") == [("ann", "hi", None), ("bob", "ho", None)]
    assert said("Ann: hi\nso: then\nbob: x\nbob: y") == [
        ("Ann", "hi so: then", None),
        ("bob", "x", None),
        ("bob", "y", None),
    ]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01 10:30", datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        ("March 1, 2026", datetime(2026, 3, 1, tzinfo=UTC)),
        ("1 Mar 2026", datetime(2026, 3, 1, tzinfo=UTC)),
        ("01.03.2026", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_dates(date, expected):
    assert read(f"Date: {date}\nAnn: hi")[0].date == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Title: x\nDate: 03/01/2026\nAnn: hi", 2),
        ("Date: soon\nAnn: hi", 1),
        ("Date: 0001-01-01T00:00:00+05:00\nAnn: hi", 1),
        ("Attendees: Ann <ann>\nAnn: hi", 1),
        ("Attendees: ann@localhost\nAnn: hi", 1),
        ("Company domain: localhost\nAnn: hi", 1),
        ("Title: x\nfree text\nmore free text\nAnn: hi", 3),
        ("One title\n00:01 no name here\nAnn: hi", 2),
    ],
)
def test_the_first_wrong_line_is_named(text, line):
    with pytest.raises(FileInvalid, match=rf"^notes\.txt line {line}: "):
        read(text)


def test_a_link_that_is_none_is_left_out():
    assert read("Recording: on the shelf\nTitle:\nAnn: hi")[0].url is None


def test_many_lines_of_one_speaker_take_linear_time():
    (only,) = said("Ann: hi\n" + "word\n" * 50_000)
    assert only[1].count("word") == 50_000
