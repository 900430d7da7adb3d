"""A summary to take along: Markdown with its sources as notes. JSON is the record as it stands."""

from collections.abc import Iterable

from tidings.base.markdown import escape
from tidings.base.text import counted
from tidings.engagement.record import LINE_LISTS, Evidence, Record, Summary

_TITLES = {
    "goals": "Goals",
    "challenges": "Challenges",
    "risks": "Risks",
    "recommendations": "Recommendations",
}


def to_markdown(record: Record) -> str:
    """The summary of a complete record as CommonMark with numbered sources; text is escaped."""
    summary = record.summary or Summary()
    notes = _Notes()
    parts = [f"# {escape(record.domain)}", "", _meta(record, summary), ""]
    if summary.overview_sentences:
        sentences = zip(summary.overview_sentences, summary.evidence.overview, strict=False)
        parts += [" ".join(escape(text) + notes.mark(found) for text, found in sentences), ""]
    for name in LINE_LISTS:
        lines = summary.entries(name)
        if lines:
            parts += [f"## {_TITLES[name]}", ""]
            parts += [
                f"- {escape(text)}{notes.mark(found)}"
                for text, found in zip(lines, summary.evidence_of(name), strict=False)
            ]
            parts.append("")
    if summary.themes:
        parts += ["## Themes", ""]
        parts += [f"- {escape(theme.topic)} ({theme.mentions})" for theme in summary.themes]
        parts.append("")
    if summary.people:
        parts += ["## People", ""]
        parts += [
            f"- {escape(person.name)}{f', {escape(person.role)}' if person.role else ''}"
            f" ({counted(person.count, 'meeting')})"
            for person in summary.people
        ]
        parts.append("")
    return "\n".join([*parts, *notes.lines()]).rstrip() + "\n"


def _meta(record: Record, summary: Summary) -> str:
    written = record.completed_at or record.updated_at
    return (
        f"{counted(summary.meetings_count, 'meeting')}, {summary.meetings_analyzed} read. "
        f"Written by {escape(record.engine)}, {written:%Y-%m-%d %H:%M} UTC."
    )


class _Notes:
    """Numbers evidence in the order it is first cited."""

    def __init__(self) -> None:
        self._numbers: dict[Evidence, int] = {}

    def mark(self, evidence: Iterable[Evidence]) -> str:
        numbers = [self._numbers.setdefault(e, len(self._numbers) + 1) for e in evidence]
        return "".join(f" [{number}]" for number in numbers)

    def lines(self) -> list[str]:
        if not self._numbers:
            return []
        return ["## Sources", ""] + [
            f"{number}. \u201c{escape(e.quote)}\u201d"
            + (f" ({e.at})" if e.at else "")
            + (f" <{e.url}>" if e.url and " " not in e.url and ">" not in e.url else "")
            for e, number in self._numbers.items()
        ]
