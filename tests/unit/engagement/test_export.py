"""The summary as Markdown: numbered sources, and nothing in it is markup."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tidings.base.markdown import escape
from tidings.engagement.export import to_markdown
from tidings.engagement.record import (
    Evidence,
    Record,
    Summary,
    SummaryEvidence,
    SummaryPerson,
    SummaryTheme,
    record_key,
)

AT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
RUN = UUID("0198c7a0-0000-7000-8000-000000000000")
ONE = Evidence(UUID(int=1), UUID(int=2), "by *May*", "00:01:02", "https://v.example/1?timestamp=62")
TWO = Evidence(UUID(int=1), None, "not June", None, None)

EXPECTED = """\
# acme.example

3 meetings, 2 read. Written by local, 2026-03-04 05:06 UTC.

They ship. [1] Soon. [2] [1]

## Goals

- Ship by May [2]

## Risks

- June [1]

## Themes

- dates (4)

## People

- Bo, CFO (3 meetings)
- Cem (1 meeting)

## Sources

1. \u201cby \\*May\\*\u201d (00:01:02) <https://v.example/1?timestamp=62>
2. \u201cnot June\u201d
"""


def record(summary: Summary | None) -> Record:
    return Record(
        domain="acme.example", run_id=RUN, status="complete", summary=summary, created_at=AT,
        updated_at=AT,
    )  # fmt: skip


def test_lines_carry_the_numbers_of_their_sources() -> None:
    summary = Summary(
        meetings_count=3,
        meetings_analyzed=2,
        people=[SummaryPerson("Bo", "CFO", 3), SummaryPerson("Cem", "", 1)],
        themes=[SummaryTheme("dates", 4)],
        goals=["Ship by May"],
        risks=["June"],
        overview="They ship. Soon.",
        overview_sentences=["They ship.", "Soon."],
        evidence=SummaryEvidence(
            overview=[[ONE], [TWO, ONE]], goals=[[TWO]], risks=[[ONE]], themes=[[ONE]]
        ),
    )
    assert to_markdown(record(summary)) == EXPECTED


@pytest.mark.parametrize("summary", [None, Summary()])
def test_an_empty_summary_is_a_heading(summary: Summary | None) -> None:
    text = to_markdown(record(summary))
    assert text.startswith("# acme.example\n\n0 meetings, 0 read.")
    assert "##" not in text


@pytest.mark.parametrize("url", ["javascript:alert(1)> <b>", "https://v.example/a b"])
def test_an_address_that_would_leave_its_brackets_is_left_out(url: str) -> None:
    bad = Evidence(UUID(int=1), UUID(int=2), "q", None, url)
    summary = Summary(goals=["g"], evidence=SummaryEvidence(goals=[[bad]]))
    assert url not in to_markdown(record(summary))


@pytest.mark.parametrize("before", ["", "- ", "# ", "1. "])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.text("1234567890.)-+=_*#>&;`~ \t\nab")
    | st.sampled_from(
        ["1. one", "1986) x", "- x", "+ x", "---", "===", "&copy; &#35;", "<b>", "a\\"]
    )
)
def test_a_reader_of_commonmark_sees_the_text_and_no_markup(before: str, text: str) -> None:
    shown = " ".join(text.split())
    inline = [
        token for token in MarkdownIt().parse(before + escape(text)) if token.type == "inline"
    ]
    children = [child for token in inline for child in token.children or []]
    assert {child.type for child in children} <= {"text"}
    assert "".join(child.content for child in children) == shown


def test_the_key_of_a_record() -> None:
    assert record_key("acme.example", RUN) == f"engagement:acme.example:{RUN}"
