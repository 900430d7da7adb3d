"""Text that others wrote reaches a terminal as text."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.cli.output import moment, plain, plain_lines, print_table, say, to_json

HOSTILE = "a\x1b]0;owned\x07b\x9b31mc\u202ed\x00\x7f[bold]e[/bold]"


def is_harmless(text: str) -> bool:
    return not any(ord(c) < 32 or 0x7F <= ord(c) <= 0x9F or c in "\u202e\u2066" for c in text)


@given(st.text())
def test_plain_text_is_one_line_without_controls(text: str) -> None:
    assert is_harmless(plain(text))


def test_plain_keeps_what_people_write() -> None:
    assert plain("Zoë said: “¿qué?” 👍🏽\tand\nleft") == "Zoë said: “¿qué?” 👍🏽 and left"
    assert plain(HOSTILE) == "a]0;ownedb31mcd[bold]e[/bold]"


def test_plain_lines_keep_their_ends() -> None:
    assert plain_lines("a\r\nb\x1b[2J\rc\n") == "a\nb[2J\nc\n"


@given(
    st.recursive(
        st.text() | st.integers(-9, 9), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_json_has_no_controls_and_says_the_same(value: object) -> None:
    for indent in (False, True):
        text = to_json(value, indent=indent)
        assert is_harmless(text.replace("\n", ""))
        assert msgspec.json.decode(text) == value


def test_a_table_in_a_pipe_is_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A", "B"), [("one\ttwo", HOSTILE), ("", "x")])
    assert capsys.readouterr().out == "one two\ta]0;ownedb31mcd[bold]e[/bold]\n\tx\n"


def test_a_table_on_a_terminal_has_headings_and_no_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(("Name", "Said"), [("[red]x[/red]", HOSTILE)])
    shown = capsys.readouterr().out
    assert "Name" in shown
    assert "[red]x[/red]" in shown
    assert "]0;owned" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown


def test_messages_go_to_standard_error_unwrapped(capsys: pytest.CaptureFixture[str]) -> None:
    say("long " * 60 + "[bold]" + HOSTILE)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "[bold]" in said.err
    assert "\x1b]" not in said.err


def test_a_missing_time_is_empty() -> None:
    assert moment(None) == ""
