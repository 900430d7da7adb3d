"""What the presentation page shows: a record, the organization's words for it, and its sources.

Pure: everything is handed in. The shapes are those at the top of `engagement/presentation.html`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tidings.engagement.companies import CompanyMeeting
from tidings.engagement.editions import EditedLine, Edition
from tidings.engagement.record import LINE_LISTS, Change, Evidence, Record, Summary

Speakers = Mapping[UUID, str]
"""Who said a segment."""

SECTIONS = LINE_LISTS


class _Sources:
    """Numbers evidence in the order in which lines cite it."""

    def __init__(self, meetings: Sequence[CompanyMeeting], speakers: Speakers) -> None:
        self._meetings = {meeting.id: meeting for meeting in meetings}
        self._speakers = speakers
        self._numbers: dict[Evidence, int] = {}
        self.shown: list[dict[str, Any]] = []

    def cite(self, evidence: Sequence[Evidence], key: str | None) -> list[int]:
        """The numbers of some evidence; what points at a deleted meeting is left out."""
        return [number for one in evidence if (number := self._number(one, key)) is not None]

    def _number(self, evidence: Evidence, key: str | None) -> int | None:
        if evidence in self._numbers:
            return self._numbers[evidence]
        meeting = self._meetings.get(evidence.meeting_id)
        if meeting is None:
            return None
        number = self._numbers[evidence] = len(self._numbers) + 1
        segment = evidence.segment_id
        self.shown.append(
            {
                "number": number,
                "quote": evidence.quote,
                "speaker": (self._speakers.get(segment) if segment else None) or None,
                "meeting_id": meeting.id,
                "meeting_title": meeting.title,
                "meeting_at": meeting.started_at,
                "segment_id": segment,
                "offset": evidence.at,
                "url": evidence.url,
                "line_key": key,
            }
        )
        return number


def present(
    record: Record,
    edition: Edition | None,
    meetings: Sequence[CompanyMeeting],
    speakers: Speakers,
    *,
    since: datetime | None = None,
    typed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The summary as the page takes it.

    `since` is when the run before began: meetings stored later are new. `typed` is what a refused
    form held, by line key.
    """
    summary = record.summary or Summary()
    sources = _Sources(meetings, speakers)
    lines = _Lines(summary, edition, sources, typed or {})
    return {
        "run_id": record.run_id,
        "engine": record.engine,
        "completed_at": record.completed_at or record.updated_at,
        "meetings_count": summary.meetings_count,
        "meetings_analyzed": summary.meetings_analyzed,
        "meetings_new": record.meetings_read,
        "quotes_total": record.quotes_checked,
        "cost_usd": record.cost,
        "overview": lines.of("overview", summary.overview_sentences, summary.evidence.overview),
        "sections": [
            {
                "key": name,
                "lines": lines.of(name, summary.entries(name), summary.evidence_of(name)),
            }
            for name in SECTIONS
        ],
        "themes": [
            line | {"mentions": theme.mentions}
            for line, theme in zip(
                lines.of("themes", summary.entries("themes"), summary.evidence.themes),
                summary.themes,
                strict=False,
            )
        ],
        "people": summary.people,
        "timeline": _timeline(meetings, since),
        "changes": _changes(summary, sources) if _has_history(summary) else None,
        "unverified": summary.unverified,
        "sources": sources.shown,
    }


class _Lines:
    """The record's lines in the organization's words."""

    def __init__(
        self,
        summary: Summary,
        edition: Edition | None,
        sources: _Sources,
        typed: Mapping[str, str],
    ) -> None:
        self._new = {(change.list, change.text) for change in summary.changes.new}
        self._edition = edition
        self._sources = sources
        self._typed = typed

    def of(
        self, name: str, texts: Sequence[str], evidence: Sequence[Sequence[Evidence]]
    ) -> list[dict[str, Any]]:
        return [
            self._line(name, f"{name}.{place}", text, found)
            for place, (text, found) in enumerate(zip(texts, evidence, strict=False))
        ]

    def _line(self, name: str, key: str, text: str, evidence: Sequence[Evidence]) -> dict[str, Any]:
        edition = self._edition
        edit = edition.of(name, text) if edition else None
        is_edited = edit is not None and edit.text is not None
        saved = edit.text if edit is not None and edit.text is not None else text
        shown = self._typed.get(key, saved)
        return {
            "key": key,
            "text": shown,
            "original": text if shown != text else None,
            "sources": []
            if edit is not None and edit.hidden
            else self._sources.cite(evidence, key),
            "is_new": (name, text) in self._new,
            "meetings": len({one.meeting_id for one in evidence}),
            "hidden": edit is not None and edit.hidden,
            "edited_by": edition.saved_by if edition and is_edited else None,
            "edited_at": edition.saved_at if edition and is_edited else None,
            "conflict_text": saved if shown != saved else None,
        }


def edition_view(edition: Edition | None) -> dict[str, Any] | None:
    """The organization's version as the page takes it."""
    if edition is None:
        return None
    return {
        "version": edition.version,
        "saved_by": edition.saved_by,
        "saved_at": edition.saved_at,
        "edited": sum(line.text is not None for line in edition.lines),
        "hidden": sum(line.hidden for line in edition.lines),
    }


def edited_lines(
    record: Record, edition: Edition | None, form: Mapping[str, str]
) -> list[EditedLine]:
    """The lines of a posted form against the record; edits of lines it does not have are kept."""
    summary = record.summary or Summary()
    lines: list[EditedLine] = []
    known: set[tuple[str, str]] = set()
    for name, texts in _originals(summary).items():
        for place, original in enumerate(texts):
            known.add((name, original))
            key = f"{name}.{place}"
            if f"text.{key}" not in form:
                continue
            typed = " ".join(form[f"text.{key}"].split())
            changed = typed if typed and typed != " ".join(original.split()) else None
            hidden = form.get(f"hidden.{key}") == "1"
            if changed is not None or hidden:
                lines.append(EditedLine(name, original, changed, hidden))
    kept = edition.lines if edition else []
    return [*lines, *(line for line in kept if (line.list, line.original) not in known)]


def _originals(summary: Summary) -> dict[str, list[str]]:
    return {
        "overview": summary.overview_sentences,
        "themes": summary.entries("themes"),
        **{name: summary.entries(name) for name in SECTIONS},
    }


def _timeline(meetings: Sequence[CompanyMeeting], since: datetime | None) -> list[dict[str, Any]]:
    return [
        {
            "id": meeting.id,
            "title": meeting.title,
            "at": meeting.started_at,
            "minutes": None if meeting.duration_seconds is None else meeting.duration_seconds // 60,
            "is_new": since is not None and meeting.stored_at > since,
        }
        for meeting in meetings
    ]


def _has_history(summary: Summary) -> bool:
    changes = summary.changes
    return bool(changes.new or changes.resolved or changes.gone)


def _changes(summary: Summary, sources: _Sources) -> dict[str, Any]:
    def shown(changes: Sequence[Change]) -> list[dict[str, Any]]:
        return [
            {
                "list": change.list,
                "text": change.text,
                "sources": sources.cite(change.evidence[:2], None),
            }
            for change in changes
        ]

    changes = summary.changes
    return {
        "new": shown(changes.new),
        "resolved": shown(changes.resolved),
        "gone": shown(changes.gone),
    }
