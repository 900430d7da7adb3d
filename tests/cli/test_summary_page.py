"""The page on a terminal: numbered sources, and meeting text that stays text."""

import io
from datetime import UTC, datetime

from rich.console import Console

from tidings.base.ids import uuid7
from tidings.cli.summary import render
from tidings.engagement.companies import CompanyMeeting
from tidings.engagement.record import (
    Change,
    Changes,
    Evidence,
    Record,
    Summary,
    SummaryEvidence,
    SummaryPerson,
    SummaryTheme,
    Unverified,
)

AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
MEETING = CompanyMeeting(uuid7(), "First [blink]call[/blink]", AT, AT, 60, None)
HOSTILE = "goal [bold red]x[/] \x1b]8;;http://evil\x07\x9b2J\u202e [/nonsense]"


def page(summary: Summary | None) -> str:
    record = Record(
        domain="acme.example",
        run_id=uuid7(),
        status="complete",
        summary=summary,
        created_at=AT,
        updated_at=AT,
    )
    console = Console(file=io.StringIO(), force_terminal=True, width=160, color_system=None)
    console.print(render(record, {MEETING.id: MEETING}))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def quote(text: str) -> Evidence:
    return Evidence(MEETING.id, uuid7(), text, "00:01:02", "https://video.example/1")


def test_each_source_has_one_number_in_the_order_of_citing() -> None:
    first, second = quote("one"), quote("two")
    shown = page(
        Summary(
            meetings_count=2,
            overview_sentences=["Overview."],
            goals=["Goal A", "Goal B"],
            themes=[SummaryTheme("data", 4), SummaryTheme("price", 1)],
            people=[SummaryPerson("Ana", "buyer", 2), SummaryPerson("Ben", "", 1)],
            evidence=SummaryEvidence(overview=[[second]], goals=[[first, second], [first]]),
            changes=Changes(
                new=[Change("goals", "Goal B", [first])],
                resolved=[Change("risks", "old risk")],
                gone=[Change("goals", "lost")],
            ),
            unverified=[Unverified("goals", "made up")],
        )
    )
    lines = [line.strip() for line in shown.splitlines()]
    assert "Overview. [1]" in lines
    assert "• Goal A [2] [1]" in lines
    assert "• Goal B [2]" in lines
    assert "• Goal B (goals) [2]" in lines
    assert "• old risk (risks)" in lines
    assert "• lost (goals)" in lines
    assert "• made up" in lines
    assert "• Ana, buyer (2 meetings)" in lines
    assert "• Ben (1 meeting)" in lines
    title = "First [blink]call[/blink], 2026-03-04 09:30 · 00:01:02 · https://video.example/1"
    assert f"[1] “two” {title}" in lines
    assert f"[2] “one” {title}" in lines
    bars = {line.split()[0]: line.count("█") for line in lines if "█" in line}
    assert bars == {"data": 24, "price": 6}


def test_hostile_text_is_text() -> None:
    shown = page(
        Summary(
            goals=[HOSTILE],
            themes=[SummaryTheme(HOSTILE, 0)],
            people=[SummaryPerson(HOSTILE, HOSTILE, 1)],
            unverified=[Unverified("goals", HOSTILE)],
            evidence=SummaryEvidence(goals=[[Evidence(uuid7(), None, HOSTILE, None, HOSTILE)]]),
        )
    )
    assert shown.count("[bold red]x[/]") == 6 + 1
    assert "[/nonsense]" in shown
    for forbidden in ("\x1b]", "\x07", "\x9b", "\u202e"):
        assert forbidden not in shown


def test_an_empty_summary_is_its_head() -> None:
    for summary in (None, Summary()):
        shown = page(summary)
        assert "0 meetings" in shown
        assert "Sources" not in shown
