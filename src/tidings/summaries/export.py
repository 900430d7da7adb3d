"""A summary to take along: Markdown with its sources as notes; text is escaped."""

from tidings.base.markdown import Notes, escape
from tidings.summaries.record import ActionItem, Evidence, ListName, Summary

TITLES: dict[ListName, str] = {
    "key_points": "Key points",
    "decisions": "Decisions",
    "action_items": "Actions",
    "open_questions": "Open questions",
}


def to_markdown(summary: Summary) -> str:
    """The summary as CommonMark with numbered sources; what is unverified stands apart."""
    notes = Notes[Evidence]()
    sentences = summary.entries("summary")
    text = " ".join(escape(said) + notes.mark(found) for said, found in sentences)
    text = text or escape(summary.summary_text)
    parts = [f"# {escape(summary.title)}", "", _meta(summary), "", text, ""]
    for name, title in TITLES.items():
        entries = summary.entries(name)
        if entries:
            parts += [f"## {title}", ""]
            parts += [
                f"- {escape(_line(summary, name, place, said))}{notes.mark(found)}"
                for place, (said, found) in enumerate(entries)
            ]
            parts.append("")
    if summary.participants:
        parts += ["## Participants", ""]
        parts += [f"- {escape(one.name)} ({one.count})" for one in summary.participants]
        parts.append("")
    parts += notes.lines(_source)
    if summary.unverified:
        parts += ["## Could not be verified", "", "Do not rely on these.", ""]
        parts += [f"- {escape(line.text)}" for line in summary.unverified]
    return "\n".join(parts).rstrip() + "\n"


def action_text(item: ActionItem) -> str:
    """An action with its owner and its date."""
    about = ", ".join(filter(None, (item.owner, item.due and f"due {item.due}")))
    return f"{item.text} ({about})" if about else item.text


def _line(summary: Summary, name: ListName, place: int, said: str) -> str:
    return action_text(summary.action_items[place]) if name == "action_items" else said


def _meta(summary: Summary) -> str:
    count = f"{summary.message_count} message{'' if summary.message_count == 1 else 's'}"
    older = f", {summary.messages_left_out} older not read" if summary.messages_left_out else ""
    written = f"Written by {escape(summary.engine)}, {summary.generated_at:%Y-%m-%d %H:%M} UTC."
    return f"{count}{older}. {written}"


def _source(evidence: Evidence) -> str:
    return (
        f"“{escape(evidence.quote)}” ({escape(evidence.sender)}, {evidence.at:%Y-%m-%d %H:%M} UTC)"
    )
