import pytest

from tidings.base.errors import FileInvalid
from tidings.meetings.formats.said import Said
from tidings.meetings.formats.source import Source
from tidings.meetings.formats.subrip import is_subrip, read_subrip


def source(text):
    return Source("call.srt", text.split("\n"))


def test_a_whole_file():
    text = """
1
00:00:01,000 --> 00:00:02,500
Ann Lee: <i>Good</i> morning

2
00:00:03,000 --> 00:00:04,000 X1:0 X2:10
{\\an8}We are
<font color="red">12</font>

in number.

3
00:00:05,000 --> 00:00:06,000

00:00:07.5 --> 00:00:08
no number
4
00:00:09,000 --> 00:00:10,000
touching
"""
    assert read_subrip(source(text)) == [
        Said("Ann Lee", "Good morning", 1.0, 2.5),
        Said("", "We are 12 in number.", 3.0, 4.0),
        Said("", "no number 4", 7.5, 8.0),
        Said("", "touching", 9.0, 10.0),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hello\n1\n00:00:01,000 --> 00:00:02,000\nHi", 1),
        ("1\n00:00:01,000 -> 00:00:02,000\nHi", 1),
        ("1\n00:00:01,000 --> 00:00:02,000\nHi\n\n2\n00:00:0x --> 00:00:05,000\nHo", 6),
    ],
)
def test_the_first_wrong_line_is_named(text, line):
    with pytest.raises(FileInvalid, match=rf"^call\.srt line {line}: "):
        read_subrip(source(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n1\n00:00:01,000 --> 00:00:02,000", True),
        ("00:00:01,000 --> 00:00:02,000", True),
        ("1", False),
        ("Ann: hi --> there\n", True),
        ("1\nAnn: hi", False),
    ],
)
def test_it_is_told_by_its_first_lines(text, expected):
    assert is_subrip(source(text)) is expected
