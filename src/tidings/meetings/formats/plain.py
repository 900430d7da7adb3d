"""Plain text: `Speaker: text` lines, below a few header lines such as `Title:` and `Date:`."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from tidings.base.errors import DomainInvalid
from tidings.meetings.domains import normalise_domain
from tidings.meetings.formats.meeting import Head, read_invitees
from tidings.meetings.formats.said import TIME, Label, Said, find_label, is_name
from tidings.meetings.formats.source import Source
from tidings.meetings.item import seconds

_LED = re.compile(
    rf"(?P<open>[\[(])?(?P<time>{TIME})(?(open)[\])])\s*(?:[-–—]\s+)?(?P<rest>(?<=\s|\]|\)).*)"
)
_RULE = re.compile(r"[-=_*#~]+")
_DATES = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%Y/%m/%d", "%d.%m.%Y")
_IGNORED = frozenset(
    {
        *("duration", "language", "location", "meeting id", "organizer", "organiser"),
        *(
            "recorded by",
            "time",
            "timezone",
            "topic id",
            "transcript",
            "where",
            "transcript language",
        ),
    }
)


def read_plain(source: Source) -> tuple[Head, list[Said]]:
    """The header's fields and what everybody said; a line without a name goes on with the last.

    Raises `FileInvalid` naming the first line that is neither.
    """
    body, head = _read_head(source)
    names = _names(source, body)
    said: list[tuple[Said, list[str]]] = []  # each with the lines that go on with it
    for number, line in enumerate(source.lines[body:], start=body + 1):
        text = line.strip()
        if not text or _RULE.fullmatch(text):
            continue
        one = _spoken(text, names, said[-1][0].speaker if said else "")
        if one is not None:
            said.append((one, [one.text] if one.text else []))
        elif said:
            said[-1][1].append(text)
        else:
            raise source.wrong(number, "expected `Speaker: text`.")
    return head, [Said(one.speaker, " ".join(lines), one.start) for one, lines in said if lines]


def _spoken(text: str, names: frozenset[str], before: str) -> Said | None:
    """The utterance that a line begins, None for a line that goes on."""
    led = _LED.fullmatch(text)
    rest = led["rest"].strip() if led else text
    label = find_label(rest)
    if label is not None and label.name in names:
        return Said(label.name, label.text, seconds(label.time or (led and led["time"])))
    if led and led["open"]:
        return Said(before, rest, seconds(led["time"]))
    return None


def _names(source: Source, body: int) -> frozenset[str]:
    """The labels taken for speakers: names, and lower-case words that come more than once."""
    labels = Counter(
        label.name for line in source.lines[body:] if (label := _label(line)) is not None
    )
    named = {name for name in labels if is_name(name)}
    nicks = {name for name in labels if len(name.split()) == 1 and is_name(name.title())}
    return frozenset(named | {nick for nick in nicks if not named or labels[nick] > 1})


def _label(line: str) -> Label | None:
    text = line.strip()
    led = _LED.fullmatch(text)
    return find_label(led["rest"].strip() if led else text)


def _read_head(source: Source) -> tuple[int, Head]:
    """How many lines the header has, and what it says; its one line without a name is a title."""
    head = Head()
    free_title = ""
    for number, line in enumerate(source.lines, start=1):
        text = line.strip()
        if not text or _RULE.fullmatch(text):
            continue
        label = find_label(text)
        key = label.name.casefold() if label else ""
        if label is not None and key in _FIELDS:
            head = _FIELDS[key](source, number, head, label.text)
        elif label is not None and key in _IGNORED:
            continue
        elif free_title or _label(line) is not None or _LED.fullmatch(text):
            return number - 1, _titled(head, free_title)
        else:
            free_title = text.lstrip("# ").strip("* ")
    return len(source.lines), _titled(head, free_title)


def _titled(head: Head, title: str) -> Head:
    return head if head.title or not title else head.with_changes(title=title)


def _title(source: Source, line: int, head: Head, text: str) -> Head:
    return head.with_changes(title=text or None)


def _date(source: Source, line: int, head: Head, text: str) -> Head:
    at = _parse_date(text)
    if at is None:
        raise source.wrong(line, "expected a date such as 2026-03-01 or 2026-03-01T10:00:00Z.")
    return head.with_changes(date=at)


def _attendees(source: Source, line: int, head: Head, text: str) -> Head:
    invitees, wrong = read_invitees(text)
    if wrong is not None:
        raise source.wrong(line, f"expected `Name <email>, …`, and {wrong} is no e-mail address.")
    return head.with_changes(invitees=(*head.invitees, *invitees))


def _company(source: Source, line: int, head: Head, text: str) -> Head:
    try:
        return head.with_changes(company=normalise_domain(text))
    except DomainInvalid as error:
        raise source.wrong(line, error.message) from None


def _link(source: Source, line: int, head: Head, text: str) -> Head:
    return head.with_changes(url=text) if text.startswith(("https://", "http://")) else head


_FIELDS: dict[str, Callable[[Source, int, Head, str], Head]] = {
    **dict.fromkeys(("title", "meeting", "meeting title", "subject", "topic"), _title),
    **dict.fromkeys(("date", "meeting date", "when", "started"), _date),
    **dict.fromkeys(("attendees", "participants", "invitees", "present"), _attendees),
    **dict.fromkeys(("company domain", "domain"), _company),
    **dict.fromkeys(("url", "link", "recording", "recording url"), _link),
}


def _parse_date(text: str) -> datetime | None:
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    for shape in _DATES:
        with suppress(ValueError):
            return datetime.strptime(text, shape).replace(tzinfo=UTC)
    return None
