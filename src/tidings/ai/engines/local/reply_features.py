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


def _kind(text: str, first: str, words: list[str]) -> str:
    """c: a command to a bot, g: a greeting, y: a yes or a no, t: thanks, o: something else."""
    if text.startswith("!"):
        return "c"
    if first in _GREETS:
        return "g"
    if first in _ANSWERS:
        return "y"
    return "o" if _THANKS.isdisjoint(words) else "t"


def _addressed(line: Line, other: Line) -> tuple[str, str]:
    """Whom the line speaks to (a: the other's speaker, m: names them, o: somebody else, n: nobody)
    and whom the other spoke to (i: the line's speaker, t: the same as the line)."""
    if line.to == other.speaker:
        speaks = "a"
    elif other.speaker in line.names:
        speaks = "m"
    else:
        speaks = "o" if line.to else "n"
    if not other.to:
        return speaks, "n"
    if other.to == line.speaker:
        return speaks, "i"
    return speaks, "t" if other.to == line.to else "o"


def _gap(line: Line, other: Line) -> str:
    """The time between, in steps of minutes."""
    if line.at is None or other.at is None:
        return "-"
    return str(_bucket((line.at - other.at).total_seconds() / 60, _MINUTES))


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
        kind = _kind(text, first, words)
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
        found = {one.index: one for one in self._lines[-NEAR:]}
        for group in (
            self._of.get(line.to, ()),
            self._of.get(line.speaker, ()),
            self._to.get(line.speaker, ()),
            *(self._of.get(name, ()) for name in line.names),
        ):
            for one in group:
                found[one.index] = one
        first = line.index - FAR
        return [found[index] for index in sorted(found, reverse=True) if index >= first]

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
        speaks, spoken = _addressed(line, other)
        if line.speaker in other.names:
            spoken += "m"
        ask = ("q" if line.asks else "-") + ("q" if other.asks else "-")
        back, alike, gap = self._rank(other), self._alike(line, other), _gap(line, other)
        who = speaks + same + spoken
        return [
            f"d{far}",
            f"d{far}{who}",
            f"w{who}{back}",
            f"w{who}{ask}",
            f"r{speaks}{same}{back}{far}",
            f"s{alike}{same}",
            f"s{alike}{speaks}{same}{far}",
            f"t{gap}{same}{speaks}",
            f"p{self._partner(line, other)}{speaks}{spoken}{back}",
            f"k{line.kind}{other.kind}{same}",
            f"k{line.kind}{ask}{speaks}{same}",
            f"l{line.long}{other.long}{same}{far}",
        ]

    def _partner(self, line: Line, other: Line) -> str:
        """Whether the other is of whom this speaker last spoke to (t), or was last named by (b)."""
        own, named = self._of.get(line.speaker), self._to.get(line.speaker)
        to = own is not None and any(one.to == other.speaker for one in own)
        by = named is not None and any(one.speaker == other.speaker for one in named)
        return ("t" if to else "") + ("b" if by else "")

    def _alike(self, line: Line, other: Line) -> int:
        """How much of what both say is said seldom, in four steps; whole numbers add up exactly."""
        shared = line.words & other.words
        if not shared:
            return 0
        seen = self._seen
        rare = sum(int(1000 / (1 + seen[word]) ** 0.5) for word in shared)
        return 1 if rare < 350 else 2 if rare < 700 else 3

    def _rank(self, other: Line) -> int:
        """How many messages its speaker wrote since."""
        for back, one in enumerate(reversed(self._of[other.speaker])):
            if one is other:
                return back
        return _OF_EACH
