"""What tells that one message answers another: who is spoken to, what came between, shared words.

Reading is in one pass: `Room` remembers the lines so far and gives, for the next one, the messages
that it may answer with the features of each.
"""

import re
from collections import defaultdict, deque
from datetime import datetime

import msgspec

from tidings.ai.engines.local.questions import asks
from tidings.ai.engines.local.sentences import sentences
from tidings.ai.engines.local.tokens import tokens
from tidings.ai.engines.local.words import FUNCTION, word_set

NEAR = 15  # messages back that may always be answered
FAR = 120  # messages back that may be answered when they are of somebody concerned
_OF_EACH = 4  # messages kept of each speaker, and of those that speak to one
_READ = 80  # tokens that are compared
_NAME = re.compile(r"[^\s,:;!?()\"“”<>]+")
_GREETS = word_set("hi hello hey hiya morning greetings evening howdy yo")
_ANSWERS = word_set("yes yeah yep no nope nah sure ok okay k right exactly maybe true indeed done")
_THANKS = word_set("thanks thank thx ty cheers tnx thankyou")
_DISTANCES = (1, 2, 3, 4, 5, 7, 10, 15, 25, 50, 90)
_MINUTES = (1, 2, 4, 8, 20, 60)


class Line(msgspec.Struct):
    """One message as it is compared: by whom, to whom, what about and of what kind."""

    index: int
    speaker: str
    at: datetime | None
    to: str
    names: frozenset[str]
    words: frozenset[str]
    asks: bool
    kind: str
    long: str


def _bucket(value: float, steps: tuple[int, ...]) -> int:
    for i, step in enumerate(steps):
        if value <= step:
            return i
    return len(steps)


class Room:
    """The lines of one conversation so far."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._speakers: dict[str, str] = {}
        self._of: defaultdict[str, deque[Line]] = defaultdict(lambda: deque(maxlen=_OF_EACH))
        self._to: defaultdict[str, deque[Line]] = defaultdict(lambda: deque(maxlen=_OF_EACH))
        self._seen: defaultdict[str, int] = defaultdict(int)

    def hear(self, index: int, speaker: str, text: str, at: datetime | None) -> Line:
        """Reads the next message; `add` remembers it."""
        words = tokens(text)[:_READ]
        head = next((w for w in words if w[0].isalpha()), "")
        to, names, bare = self._named(text, speaker)
        opening = words[len(to.split()) :] if to else words
        first = next((w for w in opening[:6] if w[0].isalpha() and w not in to), head)
        kind = (
            "c"
            if text.startswith("!")
            else "g"
            if first in _GREETS
            else "y"
            if first in _ANSWERS
            else "t"
            if not _THANKS.isdisjoint(words)
            else "o"
        )
        long = "s" if len(words) < 5 else "m" if len(words) < 14 else "l"
        content = frozenset(w for w in words if len(w) > 2 and w not in FUNCTION and w not in bare)
        asked = any(asks(s) for s in sentences(opening))
        return Line(index, speaker.casefold(), at, to, names, content, asked, kind, long)

    def add(self, line: Line) -> None:
        """Remembers a line that was heard."""
        self._lines.append(line)
        self._of[line.speaker].append(line)
        if line.to:
            self._to[line.to].append(line)
        for name in (line.speaker, *line.speaker.split()[:1]):
            if len(name) > 1 and name not in FUNCTION:
                self._speakers.setdefault(name, line.speaker)
        for word in line.words:
            self._seen[word] += 1

    def _named(self, text: str, speaker: str) -> tuple[str, frozenset[str], set[str]]:
        """Whom the text opens on, whom else it names, and the names as they stand there."""
        to = ""
        names: set[str] = set()
        bare: set[str] = set()
        known = self._speakers
        me = speaker.casefold()
        for i, found in enumerate(_NAME.findall(text[:600])):
            name = found.strip("@.").casefold()
            who = known.get(name) or known.get(found.casefold())
            if who is None or who == me:
                continue
            bare.add(name)
            if i == 0 or (i == 1 and not to and len(name) > 3):
                to = who
            else:
                names.add(who)
        return to, frozenset(names - {to}), bare

    def options(self, line: Line) -> list[Line]:
        """The messages that this one may answer, nearest first."""
        lines = self._lines
        now = len(lines)
        found = {id(one): one for one in lines[-NEAR:]}
        for group in (
            self._of.get(line.to, ()),
            self._of.get(line.speaker, ()),
            self._to.get(line.speaker, ()),
            *(self._of.get(name, ()) for name in line.names),
        ):
            for one in group:
                found[id(one)] = one
        near = [one for one in found.values() if line.index - one.index <= FAR]
        near.sort(key=lambda one: -one.index)
        return near if now else []

    def alone(self, line: Line) -> list[str]:
        """The features of beginning something new."""
        own = self._of.get(line.speaker)
        gap = _bucket(line.index - own[-1].index, _DISTANCES) if own else 99
        to = "a" if line.to else "m" if line.names else "n"
        ask = "q" if line.asks else "-"
        return [
            "S",
            f"S{to}{ask}",
            f"S{line.kind}{line.long}",
            f"S{to}{line.kind}{ask}",
            f"S{ask}{line.long}",
            f"Sgap{gap}",
            f"Sgap{gap}{to}{ask}",
            f"Sown{bool(own and own[-1].index == line.index - 1)}{ask}{line.kind}",
        ]

    def between(self, line: Line, other: Line) -> list[str]:
        """The features of answering the other line."""
        far = _bucket(line.index - other.index, _DISTANCES)
        same = "=" if line.speaker == other.speaker else "/"
        speaks = (
            "a"
            if line.to == other.speaker
            else "m"
            if other.speaker in line.names
            else "o"
            if line.to
            else "n"
        )
        spoken = (
            "i"
            if other.to == line.speaker
            else "n"
            if not other.to
            else "t"
            if other.to == line.to
            else "o"
        )
        if line.speaker in other.names:
            spoken += "m"
        ask = ("q" if line.asks else "-") + ("q" if other.asks else "-")
        back = self._rank(other)
        shared = line.words & other.words
        seen = self._seen
        rare = sum(1.0 / (1 + seen[w]) ** 0.5 for w in shared)
        alike = 0 if not shared else 1 if rare < 0.35 else 2 if rare < 0.7 else 3
        time = (
            "-"
            if line.at is None or other.at is None
            else str(_bucket((line.at - other.at).total_seconds() / 60, _MINUTES))
        )
        who = speaks + same + spoken
        return [
            f"d{far}",
            f"d{far}{who}",
            f"w{who}{back}",
            f"w{who}{ask}",
            f"r{speaks}{same}{back}{far}",
            f"s{alike}{same}",
            f"s{alike}{speaks}{same}{far}",
            f"t{time}{same}{speaks}",
            f"k{line.kind}{other.kind}{same}",
            f"k{line.kind}{ask}{speaks}{same}",
            f"l{line.long}{other.long}{same}{far}",
        ]

    def _rank(self, other: Line) -> int:
        """How many messages its speaker wrote since."""
        for back, one in enumerate(reversed(self._of[other.speaker])):
            if one is other:
                return back
        return _OF_EACH
