"""A summary as a page on the terminal: every line with the numbers of its sources."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tidings.base.text import counted
from tidings.cli.output import moment, plain
from tidings.engagement.companies import CompanyMeeting
from tidings.engagement.record import LINE_LISTS, Change, Evidence, Record, Summary

_BAR = 24  # characters of the longest bar

Meetings = Mapping[UUID, CompanyMeeting]


def show_record(record: Record, meetings: Meetings) -> None:
    """Print a complete record; `meetings` names those that are quoted, as far as they are known."""
    Console().print(render(record, meetings))


def render(record: Record, meetings: Meetings) -> RenderableType:
    """The page. Text of meetings is never markup in it."""
    summary = record.summary or Summary()
    notes = _Notes(meetings)
    parts: list[RenderableType] = [_head(record, summary), *_overview(summary, notes)]
    for name in LINE_LISTS:
        lines = zip(summary.entries(name), summary.evidence_of(name), strict=False)
        parts += _section(name.capitalize(), [notes.line(text, found) for text, found in lines])
    parts += _themes(summary)
    parts += _section("People", [_person(p.name, p.role, p.count) for p in summary.people])
    changes = summary.changes
    for title, found in (("New", changes.new), ("Resolved", changes.resolved)):
        parts += _section(f"{title} since the last summary", _changes(found, notes))
    parts += _section("Gone since the last summary", _changes(changes.gone, notes))
    parts += _section(
        "Not verified: these quotes were not found, so they are no facts",
        [Text(plain(line.text), style="dim") for line in summary.unverified],
    )
    return Group(*parts, *notes.render())


class _Notes:
    """Numbers evidence in the order in which it is cited."""

    def __init__(self, meetings: Meetings) -> None:
        self._meetings = meetings
        self._numbers: dict[Evidence, int] = {}

    def line(self, text: str, evidence: Iterable[Evidence]) -> Text:
        """The text and the numbers of its sources."""
        line = Text(plain(text))
        for one in evidence:
            number = self._numbers.setdefault(one, len(self._numbers) + 1)
            line.append(f" [{number}]", style="cyan")
        return line

    def render(self) -> list[RenderableType]:
        """The sources."""
        if not self._numbers:
            return []
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", style="cyan")
        table.add_column()
        for evidence, number in self._numbers.items():
            table.add_row(Text(f"[{number}]"), self._source(evidence))
        return [Text("\nSources", style="bold"), table]

    def _source(self, evidence: Evidence) -> Text:
        meeting = self._meetings.get(evidence.meeting_id)
        where = [
            f"{meeting.title}, {moment(meeting.started_at)}" if meeting else "",
            evidence.at or "",
            evidence.url or "",
        ]
        source = Text(f"“{plain(evidence.quote)}”")
        source.append(f" {plain(' · '.join(filter(None, where)))}", style="dim")
        return source


def _head(record: Record, summary: Summary) -> RenderableType:
    written = record.completed_at or record.updated_at
    head = Text(plain(record.domain), style="bold")
    head.append(
        f"\n{counted(summary.meetings_count, 'meeting')}, {summary.meetings_analyzed} read; "
        f"written by {plain(record.engine)}, {moment(written)} UTC",
        style="not bold",
    )
    return Panel(head, expand=False)


def _overview(summary: Summary, notes: _Notes) -> list[RenderableType]:
    sentences = zip(summary.overview_sentences, summary.evidence.overview, strict=False)
    lines = [notes.line(text, found) for text, found in sentences]
    return [Text("\n").append_text(Text(" ").join(lines))] if lines else []


def _section(title: str, lines: Sequence[Text]) -> list[RenderableType]:
    if not lines:
        return []
    bullets = Table.grid(padding=(0, 1))
    for line in lines:
        bullets.add_row("•", line)
    return [Text(f"\n{title}", style="bold"), Padding(bullets, (0, 0, 0, 1))]


def _themes(summary: Summary) -> list[RenderableType]:
    if not summary.themes:
        return []
    most = max(theme.mentions for theme in summary.themes) or 1
    chart = Table.grid(padding=(0, 1))
    for theme in summary.themes:
        bar = "█" * max(1, round(_BAR * theme.mentions / most))
        chart.add_row(Text(plain(theme.topic)), Text(bar, style="cyan"), str(theme.mentions))
    return [Text("\nThemes", style="bold"), Padding(chart, (0, 0, 0, 1))]


def _person(name: str, role: str, count: int) -> Text:
    return Text(plain(f"{name}{f', {role}' if role else ''} ({counted(count, 'meeting')})"))


def _changes(changes: Sequence[Change], notes: _Notes) -> list[Text]:
    return [notes.line(f"{change.text} ({change.list})", change.evidence) for change in changes]
