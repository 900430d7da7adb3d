import pytest

from tidings.base.errors import FileInvalid
from tidings.meetings.formats.said import Said
from tidings.meetings.formats.source import Source
from tidings.meetings.formats.webvtt import read_webvtt

WHOLE = """WEBVTT - weekly call
Kind: captions
Language: en

STYLE
::cue(v[voice="Ann"]) { color: lime }

REGION
id:fred

NOTE one line

NOTE
several lines
of a note

intro-1
00:00:01.000 --> 00:00:04.500 align:start position:10%
<v.loud.first Ann Lee>Good <i>morning</i>
everyone.</v>

00:05.000 --> 00:07.250
Bob Ray: We <00:00:05.500>start &lt;now&gt; &amp; here.

100:00:00.000 --> 100:00:02.000
<v Ann Lee>Yes.</v> <v Carl></v> <v Bob &amp; Co>No.

100:00:03.000 --> 100:00:04.000
aside <v Ann Lee>said.

NOTES are not a note
100:00:05.000 --> 100:00:06.000
&copy; 2 < 3 and R&D

100:00:07.000 --> 100:00:08.000
<b></b>

100:00:09.000 --> 100:00:10.000
"""


def read(text):
    return read_webvtt(Source("call.vtt", text.split("\n")))


def test_a_whole_file():
    assert read(WHOLE) == [
        Said("Ann Lee", "Good morning everyone.", 1.0, 4.5),
        Said("Bob Ray", "We start <now> & here.", 5.0, 7.25),
        Said("Ann Lee", "Yes.", 360000.0, 360002.0),
        Said("Bob & Co", "No.", 360000.0, 360002.0),
        Said("", "aside", 360003.0, 360004.0),
        Said("Ann Lee", "said.", 360003.0, 360004.0),
        Said("", "&copy; 2 < 3 and R&D", 360005.0, 360006.0),
    ]


def test_the_first_cue_may_follow_the_header_at_once():
    assert read("WEBVTT\n00:01.000 --> 00:02.000\nHi") == [Said("", "Hi", 1.0, 2.0)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("00:01.000 --> 00:02.000\nHi", 1),
        ("WEBVTTX\n", 1),
        ("WEBVTT\n\n00:01.000 --> later\nHi", 3),
        ("WEBVTT\n\n00:61.000 --> 00:62.000\nHi", 3),
        ("WEBVTT\n\n00:99:01.000 --> 00:99:02.000\nHi", 3),
        ("WEBVTT\n\nid\n00:01.000 -->\nHi", 4),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\nlost text", 6),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n00:03.000 --> 00:04.000\nHo", 5),
    ],
)
def test_the_first_wrong_line_is_named(text, line):
    with pytest.raises(FileInvalid, match=rf"^call\.vtt line {line}: "):
        read(text)


def test_hostile_markup_takes_no_time():
    text = "<v " * 50_000 + "<c." * 50_000
    assert len(read(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}")) == 1
