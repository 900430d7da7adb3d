import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidings.base.errors import DomainInvalid, FileInvalid, InputInvalid
from tidings.meetings.formats import FileDefaults, read_file
from tidings.meetings.item import clock_time, content_hash, item_hash

DEFAULTS = FileDefaults(date=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC))
TEXT = b"Ann Lee: Hello.\nBob: Hi.\n"
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann Lee>Hello.</v>\n"
SRT = b"1\r\n00:00:01,000 --> 00:00:02,000\r\nAnn Lee: Hello.\r\n"
ITEM = {
    "recording_id": 7,
    "title": "Kick-off",
    "created_at": "2026-03-01T10:00:00Z",
    "calendar_invitees": [{"email": "ann@acme.com"}],
}


def only(name, data, **defaults):
    (item,) = read_file(name, data, FileDefaults(date=DEFAULTS.date, **defaults))
    return item


@pytest.mark.parametrize(
    ("name", "data"),
    [
        *(("call.vtt", VTT), ("call.txt", VTT), ("call", VTT), ("call.srt", SRT)),
        *(
            ("call.txt", SRT),
            ("CALL.SRT", b"\xef\xbb\xbf" + SRT),
            ("call.vtt", b"\xef\xbb\xbf" + VTT),
        ),
        *(("call.vtt", VTT.replace(b"\n", b"\r\n")), ("call.vtt", VTT.replace(b"\n", b"\r"))),
        ("call.vtt", VTT.decode().encode("utf-16")),
        ("call.vtt", b"\xfe\xff" + VTT.decode().encode("utf-16-be")),
    ],
)
def test_extension_and_content_tell_the_format_in_any_encoding(name, data):
    item = only(name, data)
    (hello,) = item.transcript
    assert (hello.speaker_name, hello.text, hello.at) == ("Ann Lee", "Hello.", 1)
    assert item.recording_id is None


def test_windows_1252_is_the_last_resort():
    assert only("a.txt", "Zoë: “Café”".encode("cp1252")).transcript[0].text == "“Café”"


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("a.txt", b"", 1),
        ("a.txt", b" \n\n", 1),
        ("a.txt", b"Ann: hi\nBob: \x00", 2),
        ("a.txt", "Ann: hi\n".encode("utf-16-le"), 1),
        ("a.txt", "Zoë: hi\n".encode() + b"Bob: caf\xe9", 2),
        ("a.txt", b"Ann: hi\n\x81\xff", 2),
        ("a.pdf", b"%PDF-1.7\n\xe2\xe3\x01", 2),
        ("a.txt", b"\xff\xfeA\x00\x00\xd8", 1),
        ("a.vtt", b"Ann: hi", 1),
        ("a.vtt", b"WEBVTT\n\n", 3),
        ("a.srt", b"Ann: hi", 1),
        ("a.txt", b"Only a title", 1),
        ("a.txt", b"Ann:\n", 2),
        ("a.json", b"Ann: hi", 1),
        ("a.json", b"[]", 1),
        ("a.json", b'{"items":[]}', 1),
        ("a.json", b"5", 1),
        ("a.json", b"[{}]", 1),
        ("a.json", b'{\n "recording_id": 7,\n "title": x}', 3),
        ("a.json", b'{\n "recording_id": 7,', 2),
        ("a.json", b"[" * 100_000, 1),
        ("a.json", b'{"title":"\\ud800"}', 1),
        ("a.jsonl", json.dumps(ITEM).encode() + b"\n\n{}\n", 3),
        ("a.jsonl", json.dumps(ITEM).encode() + b"\n{\n", 2),
        ("a.jsonl", json.dumps(ITEM).encode() + b"\n" + b"[" * 100_000, 2),
        ("a.json", json.dumps([ITEM, {}], indent=1).encode(), 12),
        ("a.json", json.dumps({"next": 1, "items": [ITEM, ITEM, 5]}, indent=0).encode(), 24),
    ],
)
def test_a_bad_file_is_named_with_its_line(name, data, line):
    with pytest.raises(FileInvalid) as caught:
        read_file(name, data, DEFAULTS)
    assert caught.value.message.startswith(f"{name} line {line}: ")
    assert caught.value.errors[0].field == f"line {line}"


def test_a_name_that_no_answer_can_carry_is_made_fit():
    with pytest.raises(FileInvalid) as caught:
        read_file("a\udcff\x00.txt", b"", DEFAULTS)
    assert caught.value.message.startswith("a??.txt line 1: ")


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(ITEM),
        json.dumps([ITEM], indent=2),
        json.dumps({"items": [ITEM], "next_cursor": None}),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.txt", "a"])
def test_fathom_shaped_json(name, data):
    item = only(name, data.encode())
    assert item.external_id == "7"
    assert item.calendar_invitees[0].email_domain == "acme.com"


def test_json_lines():
    lines = "\n".join(json.dumps(ITEM | {"recording_id": n}) for n in range(3)) + "\n\n"
    assert [i.recording_id for i in read_file("a.jsonl", lines.encode(), DEFAULTS)] == [0, 1, 2]
    assert len(read_file("a.txt", lines.encode(), DEFAULTS)) == 3


def test_the_date_comes_from_the_header_then_the_name_then_the_importer():
    headed = b"Date: 2026-01-01\n" + TEXT
    assert only("2026-02-02 call.txt", headed).created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert only("2026-02-02 call.txt", TEXT).created_at == datetime(2026, 2, 2, tzinfo=UTC)
    for name in ("call.txt", "2026-13-45.txt", "12026-02-02.txt", "2026-02-02/call.txt"):
        assert only(name, TEXT).created_at == DEFAULTS.date


def test_the_title_comes_from_the_header_then_the_importer_then_the_name():
    headed = b"Title: Headed\n" + TEXT
    assert only("call.txt", headed, title="Given").title == "Headed"
    assert only("call.txt", TEXT, title="Given").title == "Given"
    assert only("dir/2026-02-02_acme_kick-off.txt", TEXT).title == "acme kick-off"
    assert only("2026-02-02.txt", TEXT).title == "2026-02-02"


def test_the_importers_invitees_join_the_files():
    headed = b"Attendees: Ann Lee <ann@acme.com>\n" + TEXT
    item = only("a.txt", headed, invitees=["ANN@acme.com", "Bob <bob@us.example>"])
    assert [(i.name, i.email) for i in item.calendar_invitees] == [
        ("Ann Lee", "ann@acme.com"),
        ("Bob", "bob@us.example"),
    ]
    assert item.calendar_invitees[0].matched_speaker_display_name == "Ann Lee"
    assert [u.speaker_email for u in item.transcript] == ["ann@acme.com", "bob@us.example"]


def test_a_company_is_met_even_when_nobodys_address_is_known():
    (invitee,) = only("a.txt", TEXT, company="https://www.Acme.com").calendar_invitees
    assert (invitee.email, invitee.email_domain) == (None, "acme.com")
    item = only("a.txt", TEXT, company="acme.com", invitees=["ann@acme.com"])
    assert len(item.calendar_invitees) == 1
    assert only("a.txt", TEXT).calendar_invitees == []


def test_defaults_that_are_wrong_are_the_importers_error():
    with pytest.raises(InputInvalid, match="invitees: x <ann> is no e-mail address"):
        only("a.txt", TEXT, invitees=["x <ann>"])
    with pytest.raises(DomainInvalid):
        only("a.txt", TEXT, company="localhost")


def test_the_external_id_is_the_contents():
    first = only("a.txt", TEXT)
    assert first.external_id.startswith("file-")
    again = only("b.txt", TEXT, title="Other", invitees=["ann@acme.com"])
    assert again.external_id == first.external_id
    assert item_hash(again) != item_hash(first)
    assert content_hash(again) == content_hash(first)
    assert only("a.txt", TEXT + b"Ann Lee: Bye.").external_id != first.external_id
    assert only("2026-02-02.txt", TEXT).external_id != first.external_id


names = st.sampled_from(["a.vtt", "a.srt", "a.txt", "a.json", "a.jsonl", "a", "2026-01-02 b.md"])
scraps = st.lists(
    st.sampled_from(
        [
            *(
                "WEBVTT",
                "NOTE x",
                "STYLE",
                "1",
                "00:00:01.000 --> 00:00:02.000",
                "-->",
                "",
                "Ann: hi",
            ),
            *(
                "<v Ann>hi</v>",
                "<v",
                "Title: x",
                "Date: 2026-01-01",
                "Date: x",
                "[00:01] x",
                "bob: y",
            ),
            *(
                "Attendees: Ann <ann@acme.com>, b",
                "{",
                "}",
                "[",
                '{"items":[{}]}',
                json.dumps(ITEM),
            ),
            *(
                "\x00",
                "é",
                "&#0;",
                "&#xd800;",
                "00:01:02 Ann: x",
                "---",
                "https://x.y",
                "：",
                "**A:**",
            ),
        ]
    )
).map(lambda lines: "\n".join(lines).encode())


@given(names, st.one_of(st.binary(), scraps, st.text().map(lambda t: t.encode("utf-16"))))
@example("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\n&#0;&#xd800;&#xffffff;")
def test_any_bytes_are_meetings_or_file_invalid(name, data):
    try:
        items = read_file(name, data, DEFAULTS)
    except FileInvalid as error:
        error.message.encode()
        return
    for item in items:
        assert item.external_id
        assert all(u.text and u.text.strip() for u in item.transcript)
        assert all("\x00" not in (u.text or "") for u in item.transcript)
        assert len(content_hash(item)) == 32


spoken = st.lists(
    st.tuples(
        st.sampled_from(["Ann Lee", "Bob", "田中"]),
        st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=20),
    ),
    min_size=1,
    max_size=8,
)


@given(spoken)
def test_what_is_written_as_vtt_srt_or_text_is_read_back_the_same(lines):
    at = [10 * i for i in range(len(lines))]
    expected = [(name, text, t) for (name, text), t in zip(lines, at, strict=True)]
    vtt = "WEBVTT\n\n" + "\n".join(
        f"{clock_time(t)}.000 --> {clock_time(t + 1)}.000\n<v {name}>{text}</v>\n"
        for name, text, t in expected
    )
    srt = "\n".join(
        f"{i}\n{clock_time(t)},000 --> {clock_time(t + 1)},000\n{name}: {text}\n"
        for i, (name, text, t) in enumerate(expected, start=1)
    )
    plain = "\n".join(f"[{clock_time(t)}] {name}: {text}" for name, text, t in expected)
    for name, text in (("a.vtt", vtt), ("a.srt", srt), ("a.txt", plain)):
        item = only(name, text.encode())
        assert [(u.speaker_name, u.text, u.at) for u in item.transcript] == expected
    assert only("a.vtt", vtt.encode()).external_id == only("a.srt", srt.encode()).external_id
