"""What was said: names in front of text, and sentences put back together from cues."""

import re
from collections.abc import Sequence

import msgspec

from tidings.meetings.item import Speaker, Utterance, clock_time

LONGEST_GAP = 2.0  # seconds of silence that one sentence may span
LONGEST_JOINED = 600  # characters, for captions without any full stop
LONGEST_NAME = 120  # characters, a role in brackets included

TIME = r"[0-9]{1,5}:[0-9]{1,2}(?::[0-9]{1,2})?(?:[.,][0-9]{1,3})?"
_LABEL = re.compile(
    rf"\*{{0,2}}(?P<name>[^\s:*][^:*]{{0,{LONGEST_NAME}}}?)\*{{0,2}}"
    rf"(?:\s*[\[(](?P<time>{TIME})[\])])?\s*(?::\*{{0,2}}(?=\s|$)|：)\s*"
)
_BEFORE_CAPITAL = re.compile(r"^[(\[\"']*(?:[dl]['’])?")
_NOT_IN_NAMES = re.compile(r"[?!;\"<>{}=|\\/]")
_FINISHED = re.compile(r"[.?!…。？！][\"'”’)\]]*$")
_PARTICLES = frozenset(
    {
        *("af", "al", "and", "bin", "da", "de", "del", "den", "der", "di", "do", "dos", "du", "el"),
        *("from", "ibn", "la", "le", "of", "the", "van", "von", "y", "zu"),
    }
)
_LEAD_INS = frozenset(
    {
        *("action", "action item", "action items", "agenda", "answer", "decision", "example"),
        *("fyi", "hint", "important", "next steps", "note", "notes", "ps", "question", "quote"),
        *("reminder", "summary", "tip", "todo", "update", "warning"),
    }
)


class Said(msgspec.Struct, frozen=True):
    """One cue or paragraph; `start` and `end` are seconds, `speaker` is "" when unknown."""

    speaker: str
    text: str
    start: float | None = None
    end: float | None = None


class Label(msgspec.Struct, frozen=True):
    """A name in front of text, with the time that stood behind it."""

    name: str
    text: str
    time: str | None = None


def find_label(line: str) -> Label | None:
    """The `Name: ` that a line begins with, whether or not it is somebody's."""
    match = _LABEL.match(line)
    if match is None:
        return None
    return Label(match["name"].strip(), line[match.end() :].strip(), match["time"])


def is_name(label: str) -> bool:
    """Whether a label reads as a speaker: a few capitalised words ("Ann de Vries", "Speaker 1").

    A role in brackets may follow ("Ann Lee (Head of many things)"). Words of scripts without
    case count as capitalised; "Note" and its like are no names.
    """
    words = label.partition(" (")[0].split()
    if not 0 < len(words) <= 6 or _NOT_IN_NAMES.search(label) or label.casefold() in _LEAD_INS:
        return False
    if not any(char.isalpha() for char in label):
        return False
    starts = [_BEFORE_CAPITAL.sub("", word)[:1] for word in words if word.lower() not in _PARTICLES]
    return bool(starts) and not any(start.islower() for start in starts)


def utterances(said: Sequence[Said]) -> list[Utterance]:
    """Utterances of whole sentences where cues cut them: text verbatim, joined by one space."""
    joined: list[Said] = []
    for one in said:
        if joined and _continues(joined[-1], one):
            before = joined.pop()
            text = f"{before.text} {one.text}"
            joined.append(Said(before.speaker, text, before.start, one.end))
        else:
            joined.append(one)
    return [
        Utterance(
            text=one.text,
            speaker=Speaker(display_name=one.speaker) if one.speaker else None,
            timestamp=None if one.start is None else clock_time(int(one.start)),
        )
        for one in joined
    ]


def _continues(before: Said, one: Said) -> bool:
    """Whether a cue goes on with the sentence before it; one without a name may go on with it."""
    if before.end is None or one.start is None or one.start - before.end > LONGEST_GAP:
        return False
    if one.speaker not in ("", before.speaker) or _FINISHED.search(before.text):
        return False
    return len(before.text) + len(one.text) < LONGEST_JOINED
