"""One meeting in the item shape of Fathom's external API (v1), and what of it is kept."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from tidings.base.errors import DomainInvalid, FieldProblem, InputInvalid
from tidings.base.text import find_bad_text
from tidings.meetings.domains import email_domain, normalise_domain

_TIMESTAMP = re.compile(r"(?:([0-9]{1,5}):([0-5]?[0-9])|([0-9]{1,5})):([0-5]?[0-9])(?:[.,][0-9]+)?")
_AT_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_LINK = re.compile(r"https?://[^\s<>\"\x00-\x20\x7f]{1,2000}")
_MISSING = re.compile(r"^Object missing required field `([^`]+)`$")

RecordingId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Invitee(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on the calendar invitation; `email` stands as it was sent."""

    name: str | None = None
    email: str | None = None
    email_domain: str | None = None
    is_external: bool | None = None
    matched_speaker_display_name: str | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who recorded the meeting, or whom an action item is assigned to."""

    name: str | None = None
    email: str | None = None


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """Who said an utterance."""

    display_name: str | None = None
    matched_calendar_invitee_email: str | None = None


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody said; `timestamp` may be anything, `at` makes sense of it."""

    text: str | None = None
    speaker: Speaker | None = None
    timestamp: Any = None

    @property
    def at(self) -> int | None:
        """Whole seconds from the start of the recording, when they are known."""
        return seconds(self.timestamp)

    @property
    def speaker_name(self) -> str:
        """The speaker's name without outer white space, "" when unknown."""
        return ((self.speaker and self.speaker.display_name) or "").strip()

    @property
    def speaker_email(self) -> str | None:
        """The address of the invitee whom Fathom took the speaker for."""
        return (self.speaker and self.speaker.matched_calendar_invitee_email) or None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The meeting's own summary, as Fathom wrote it."""

    template_name: str | None = None
    markdown_formatted: str | None = None


class ActionItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody is to do after the meeting."""

    description: str | None = None
    completed: bool | None = None
    recording_timestamp: Any = None
    recording_playback_url: str | None = None
    assignee: Person | None = None

    @property
    def at(self) -> int | None:
        """Whole seconds from the start of the recording, when they are known."""
        return seconds(self.recording_timestamp)


class MeetingItem(msgspec.Struct, frozen=True, kw_only=True):
    """One meeting; fields are named as on the wire, `external_id` is given by Tidings.

    `recording_id` is None for a meeting read from a transcript file, whose `external_id` comes
    from its content. Times are aware and in UTC. Utterances and action items are never blank.
    """

    external_id: str
    recording_id: RecordingId | None
    title: str
    created_at: datetime
    calendar_invitees: list[Invitee]
    meeting_title: str | None = None
    url: str | None = None
    share_url: str | None = None
    scheduled_start_time: datetime | None = None
    scheduled_end_time: datetime | None = None
    recording_start_time: datetime | None = None
    recording_end_time: datetime | None = None
    recorded_by: Person | None = None
    transcript: list[Utterance] = []
    default_summary: Summary | None = None
    action_items: list[ActionItem] = []

    @property
    def summary_markdown(self) -> str | None:
        """The text of the meeting's own summary, None when it has none."""
        return (self.default_summary and self.default_summary.markdown_formatted) or None

    @property
    def names_company(self) -> bool:
        """Whether a summary of some company could ever find the meeting."""
        return any(invitee.email_domain for invitee in self.calendar_invitees)


def decode_item(raw: object) -> MeetingItem:
    """The meeting in one decoded JSON value of Fathom's item shape.

    Unknown fields are ignored, null stands for missing, a time without a zone is UTC.
    Raises `InputInvalid` whose `errors` name the path, such as `calendar_invitees[2].email`.
    """
    if not isinstance(raw, dict):
        raise _invalid("item", "expected `object`, a meeting in Fathom's item shape")
    problem = find_bad_text(raw)
    if problem is not None:
        raise _invalid(problem.field, problem.message)
    wire = {key: value for key, value in raw.items() if value is not None}
    wire["external_id"] = ""  # never the sender's to choose
    try:
        item = msgspec.convert(wire, MeetingItem)
    except msgspec.ValidationError as error:
        raise _located(str(error)) from None
    return msgspec.structs.replace(
        item,
        external_id=str(item.recording_id),
        calendar_invitees=[_with_domain(invitee) for invitee in item.calendar_invitees],
        transcript=[said for said in item.transcript if said.text and said.text.strip()],
        action_items=[
            msgspec.structs.replace(a, recording_playback_url=_link(a.recording_playback_url))
            for a in item.action_items
            if a.description and a.description.strip()
        ],
        url=_link(item.url),
        share_url=_link(item.share_url),
        **{name: _utc(name, getattr(item, name)) for name in _TIMES},
    )


def content_hash(item: MeetingItem) -> bytes:
    """SHA-256 (32 bytes) over what a reading of the meeting depends on, and nothing else.

    Who said what and when; without a transcript, what the meeting says of itself.
    """
    read: object = [(u.speaker_name, u.text, u.at) for u in item.transcript]
    if not read:
        read = [item.summary_markdown, [a.description for a in item.action_items]]
    return hashlib.sha256(msgspec.json.encode(read)).digest()


def item_hash(item: MeetingItem, *, dated: bool = True) -> bytes:
    """SHA-256 (32 bytes) over everything that is stored of the meeting.

    Not `dated` leaves the times out: those of a file may only say when it was uploaded.
    """
    people = sorted(msgspec.json.encode(invitee) for invitee in item.calendar_invitees)
    said = [(u.speaker_name, u.speaker_email, u.text, u.at) for u in item.transcript]
    actions = [msgspec.structs.replace(a, recording_timestamp=a.at) for a in item.action_items]
    times = [getattr(item, name) for name in _TIMES] if dated else []
    stored = [
        *(item.title, item.meeting_title or "", item.url, item.share_url, item.recorded_by, times),
        *(people, said, item.summary_markdown, actions),
    ]
    return hashlib.sha256(msgspec.json.encode(stored)).digest()


def seconds(timestamp: object) -> int | None:
    """Whole seconds in "HH:MM:SS" or "MM:SS" (hours may exceed 99), None for anything else."""
    match = _TIMESTAMP.fullmatch(timestamp.strip()) if isinstance(timestamp, str) else None
    if match is None:
        return None
    hours, minutes, only_minutes, rest = match.groups()
    return int(hours or 0) * 3600 + int(minutes or only_minutes) * 60 + int(rest)


def clock_time(at: int) -> str:
    """The "HH:MM:SS" of whole seconds: what `seconds` reads back."""
    return f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}"


_TIMES = (
    "created_at",
    "scheduled_start_time",
    "scheduled_end_time",
    "recording_start_time",
    "recording_end_time",
)


def _utc(field: str, value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise _invalid(field, "is before year 1 or after year 9999 in UTC") from None


def _link(address: str | None) -> str | None:
    """An address that a page may link to; None for anything else, which is not worth a refusal."""
    return address if address is not None and _LINK.fullmatch(address) else None


def _with_domain(invitee: Invitee) -> Invitee:
    domain = None
    if invitee.email_domain:
        try:
            domain = normalise_domain(invitee.email_domain)
        except DomainInvalid:
            domain = None
    if domain is None and invitee.email:
        domain = email_domain(invitee.email)
    return msgspec.structs.replace(invitee, email_domain=domain)


def _located(message: str) -> InputInvalid:
    """msgspec's "Expected `str`, got `int` - at `$.a[1].b`" as an error of the field `a[1].b`."""
    found = _AT_PATH.match(message)
    what, path = (found["what"], found["path"] or "") if found else (message, "")
    missing = _MISSING.match(what)
    if missing is not None:
        return _invalid(".".join(filter(None, (path, missing[1]))), "is missing")
    return _invalid(path or "item", what[:1].lower() + what[1:])


def _invalid(field: str, problem: str) -> InputInvalid:
    return InputInvalid(f"{field}: {problem}.", errors=[FieldProblem(field, problem)])
