"""A summary to take along: Markdown with its sources as notes. JSON is the record as it stands."""

from tidings.base.markdown import Notes, escape
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
    notes = Notes[Evidence]()
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
    return "\n".join([*parts, *notes.lines(_source)]).rstrip() + "\n"


def _meta(record: Record, summary: Summary) -> str:
    written = record.completed_at or record.updated_at
    return (
        f"{counted(summary.meetings_count, 'meeting')}, {summary.meetings_analyzed} read. "
        f"Written by {escape(record.engine)}, {written:%Y-%m-%d %H:%M} UTC."
    )


def _source(evidence: Evidence) -> str:
    at, url = evidence.at, evidence.url
    link = f" <{url}>" if url and " " not in url and ">" not in url else ""
    return f"“{escape(evidence.quote)}”{f' ({at})' if at else ''}{link}"
