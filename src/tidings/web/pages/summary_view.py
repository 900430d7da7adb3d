"""What the page of one summary shows: its lines, each with the numbers of its sources. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from tidings.summaries.record import Evidence, ListName, Summary

SECTIONS: tuple[ListName, ...] = ("key_points", "decisions", "action_items", "open_questions")
TITLES = {
    "summary": "Summary",
    "key_points": "Key points",
    "decisions": "Decisions",
    "action_items": "Actions",
    "open_questions": "Open questions",
}


def present(summary: Summary) -> dict[str, Any]:
    """The summary as `summaries/show.html` takes it."""
    sources = _Sources()
    lead = _lines(summary, "summary", sources)
    return {
        "id": summary.id,
        "title": summary.title,
        "type": summary.type,
        "text": summary.summary_text,
        "lead": lead,
        "sections": [section for name in SECTIONS for section in _sections(summary, name, sources)],
        "participants": summary.participants,
        "message_count": summary.message_count,
        "messages_left_out": summary.messages_left_out,
        "from_at": summary.from_at,
        "until_at": summary.until_at,
        "timezone": summary.timezone,
        "engine": summary.engine,
        "generated_at": summary.generated_at,
        "expires_at": summary.expires_at,
        "quotes_checked": summary.quotes_checked,
        "unverified": [
            {"list": TITLES.get(one.list, one.list), "text": one.text} for one in summary.unverified
        ],
        "sources": sources.shown,
    }


def _sections(summary: Summary, name: ListName, sources: "_Sources") -> list[dict[str, Any]]:
    """A list as a section; the points of a digest and a catch-up as a section for each channel."""
    lines = _lines(summary, name, sources)
    if name != "key_points" or not summary.highlights:
        return [{"key": name, "title": TITLES[name], "count": None, "lines": lines}]
    of = [found[0].channel_id for _, found in summary.entries(name)]
    return [
        {
            "key": f"channel-{place}",
            "title": one.channel,
            "count": one.message_count,
            "lines": [
                line for line, channel in zip(lines, of, strict=True) if channel == one.channel_id
            ],
        }
        for place, one in enumerate(summary.highlights)
    ]


class _Sources:
    """Numbers evidence in the order in which lines cite it."""

    def __init__(self) -> None:
        self._numbers: dict[Evidence, int] = {}
        self.shown: list[dict[str, Any]] = []

    def cite(self, evidence: Sequence[Evidence], key: str) -> list[int]:
        return [self._number(one, key) for one in evidence]

    def _number(self, one: Evidence, key: str) -> int:
        if one not in self._numbers:
            self._numbers[one] = len(self._numbers) + 1
            self.shown.append(
                {
                    "number": self._numbers[one],
                    "quote": one.quote,
                    "sender": one.sender,
                    "at": one.at,
                    "url": f"/inbox/{one.channel_id}?message={one.message_id}"
                    f"#message-{one.message_id}",
                    "line_key": key,
                }
            )
        return self._numbers[one]


def _lines(summary: Summary, name: ListName, sources: _Sources) -> list[dict[str, Any]]:
    lines = []
    for place, (text, found) in enumerate(summary.entries(name)):
        key = f"{name.replace('_', '-')}.{place}"
        item = summary.action_items[place] if name == "action_items" else None
        lines.append(
            {
                "key": key,
                "text": text,
                "sources": sources.cite(found, key),
                "owner": item and item.owner,
                "due": date.fromisoformat(item.due) if item and item.due else None,
                "by": _said_by(summary, found, item.owner if item else None),
            }
        )
    return lines


def _said_by(summary: Summary, found: Sequence[Evidence], owner: str | None) -> str | None:
    """Whose words a line is, where it is told word for word and does not say so already."""
    sender = found[0].sender if found and summary.engine == "local" else None
    return sender if sender != owner else None
