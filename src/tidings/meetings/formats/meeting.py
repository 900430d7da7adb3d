"""A meeting made of a transcript file: what its header, its name and its importer know."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, Self

import msgspec

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.meetings.domains import email_domain, normalise_domain
from tidings.meetings.formats.said import Said, utterances
from tidings.meetings.formats.source import Source
from tidings.meetings.item import Invitee, MeetingItem, Speaker, Utterance

_DATED = re.compile(r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])")
_ADDRESS = re.compile(r"(?P<name>[^<>]*)<\s*(?P<email>[^<>\s]+)\s*>")


class FileDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """What the importer knows of a file: used where the file itself says nothing.

    `date` (aware) is the file's own time or now; `invitees` are addresses, plain or as
    `Name <email>`, added to the file's; `company` is the domain that was met.
    """

    date: datetime
    title: str | None = None
    invitees: Sequence[str] = ()
    company: str | None = None


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of its meeting before the first utterance."""

    title: str | None = None
    date: datetime | None = None
    invitees: tuple[Invitee, ...] = ()
    company: str | None = None
    url: str | None = None

    def with_changes(self, **changes: Any) -> Self:
        """The same head with some fields replaced."""
        return msgspec.structs.replace(self, **changes)


def make_meeting(
    source: Source, said: Sequence[Said], head: Head, defaults: FileDefaults
) -> MeetingItem:
    """The meeting of a transcript; its external id comes from what was said and its known date.

    Raises `FileInvalid` when nobody said anything, `InputInvalid` for defaults that are no
    addresses and `DomainInvalid` for a company that is no domain.
    """
    spoken = utterances(said)
    if not spoken:
        raise source.wrong(len(source.lines), "the file ends without anything said.")
    date = head.date or _date_in(source.name)
    invitees = _matched(_invitees(head, defaults), spoken)
    return MeetingItem(
        external_id=_external_id(date, spoken),
        recording_id=None,
        title=head.title or defaults.title or _title_in(source.name),
        created_at=date or defaults.date.astimezone(UTC),
        calendar_invitees=invitees,
        transcript=_addressed(spoken, invitees),
        url=head.url,
    )


def read_invitees(text: str) -> tuple[list[Invitee], str | None]:
    """The people in `Name <email>, email; Name`, and the first part that is a broken address."""
    found: list[Invitee] = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", text))):
        match = _ADDRESS.fullmatch(part)
        email = match["email"] if match else part if "@" in part else None
        name = match["name"].strip().strip('"') if match else None if email else part
        domain = email_domain(email) if email else None
        if email and (domain is None or " " in email):
            return found, part
        found.append(Invitee(name=name or None, email=email, email_domain=domain))
    return found, None


def _invitees(head: Head, defaults: FileDefaults) -> list[Invitee]:
    known: dict[str, Invitee] = {}
    added, wrong = read_invitees(", ".join(defaults.invitees))
    if wrong is not None:
        problem = f"{wrong} is no e-mail address; send someone@acmecorp.com"
        raise InputInvalid(f"invitees: {problem}.", errors=[FieldProblem("invitees", problem)])
    for invitee in (*head.invitees, *added):
        known.setdefault((invitee.email or f"\n{invitee.name}").casefold(), invitee)
    company = head.company or (normalise_domain(defaults.company) if defaults.company else None)
    people = list(known.values())
    if company and not any(one.email_domain == company for one in people):
        # Nobody's address is known, but the meeting was with this company.
        people.append(Invitee(email_domain=company))
    return people


def _matched(invitees: list[Invitee], spoken: list[Utterance]) -> list[Invitee]:
    """Invitees with the speaker who bears their name."""
    speakers = {one.speaker_name.casefold(): one.speaker_name for one in spoken}
    return [
        msgspec.structs.replace(
            one, matched_speaker_display_name=speakers.get((one.name or "").casefold()) or None
        )
        for one in invitees
    ]


def _addressed(spoken: list[Utterance], invitees: list[Invitee]) -> list[Utterance]:
    """Utterances with the address of the invitee who speaks."""
    emails = {i.matched_speaker_display_name: i.email for i in invitees}
    return [
        msgspec.structs.replace(
            one,
            speaker=Speaker(
                display_name=one.speaker_name,
                matched_calendar_invitee_email=emails.get(one.speaker_name),
            ),
        )
        if one.speaker_name
        else one
        for one in spoken
    ]


def _external_id(date: datetime | None, spoken: list[Utterance]) -> str:
    content = [date, [(one.speaker_name, one.text, one.at) for one in spoken]]
    return f"file-{hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]}"


def _date_in(name: str) -> datetime | None:
    found = _DATED.search(PurePath(name).name)
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def _title_in(name: str) -> str:
    stem = PurePath(name).stem
    bare = " ".join(_DATED.sub(" ", stem).replace("_", " ").split()).strip(" -.")
    return bare or stem or "Meeting"
