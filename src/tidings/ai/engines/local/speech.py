"""One clause as it is heard: the words without fillers, stutters and spellings of speech."""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from tidings.ai.engines.local.words import FILLERS, FUNCTION, word_set

_CLITIC = {"s": "is", "re": "are", "ve": "have", "ll": "will", "d": "would", "m": "am", "t": "not"}
_TAKES_IS = word_set("it that there what he she here who where how this everything")
_SPOKEN = {
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "gotta": ("got", "to"),
    "lemme": ("let", "me"),
    "dunno": ("do", "not", "know"),
    "kinda": ("kind", "of"),
    "cause": ("because",),
    "cannot": ("can", "not"),
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "let's": ("let", "us"),
    "'kay": ("okay",),
}


class Clause(msgspec.Struct):
    """A quotable stretch of one text.

    `start` and `end` are offsets into the text; `words` are the plain words and `spans` the source
    offsets of each; `commas` are indices of words that follow a comma, dash or semicolon.
    `fillers` counts what was skipped: "um", stutters, repeats. `end_mark` is the mark it ended on:
    "." "?" "!" "," or "" at a cut, "~" when the speaker broke off. `opens`: it starts a sentence.
    """

    start: int
    end: int
    words: list[str]
    spans: list[tuple[int, int]]
    commas: list[int]
    fillers: int
    end_mark: str
    opens: bool


class Heard(msgspec.Struct):
    """A clause with where it was said: the segment's position in the meeting, its id and text."""

    position: int
    segment_id: str
    text: str
    clause: Clause


@lru_cache(maxsize=16384)
def _plain(token: str) -> tuple[str, ...]:
    word = token.lower().replace("’", "'")
    if word in _SPOKEN:
        return _SPOKEN[word]
    if word.endswith("n't"):
        return word[:-3], "not"
    base, apostrophe, tail = word.partition("'")
    if apostrophe and base:
        if tail == "s":
            return (base, "is") if base in _TAKES_IS else (base + "'s",)
        if tail in _CLITIC:
            return base, _CLITIC[tail]
    return (word.replace("_", "") if "_" in word else word,)


class Listener:
    """Collects the words of the clause being read."""

    def __init__(self) -> None:
        self.clear(opens=True)

    def clear(self, *, opens: bool) -> None:
        """Forgets the clause; `opens` says whether the next one starts a sentence."""
        self.words: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self.commas: list[int] = []
        self.fillers = 0
        self.opens = opens

    def word(self, token: str, start: int, end: int) -> None:
        """Takes a word at its offsets; fillers and what was said twice are counted, not kept."""
        for word in _plain(token):
            if word in FILLERS or (len(word) == 1 and word.isalpha() and word not in "ai"):
                self.fillers += 1
                continue
            if self.words and self._repeats(word):
                self.fillers += 1
                self.words.pop()
                self.spans.pop()
                if self.commas and self.commas[-1] == len(self.words) + 1:
                    self.commas.pop()
            self.words.append(word)
            self.spans.append((start, end))

    def _repeats(self, word: str) -> bool:
        last = self.words[-1]
        if last == word:
            return not word.isdigit() and word != "very"
        return len(last) <= 3 and last not in FUNCTION and last.isalpha() and word.startswith(last)

    def clitic(self, token: str, end: int) -> None:
        """A clitic that stands apart ("it 's") belongs to the word before it."""
        if not self.words:
            return
        start = self.spans[-1][0]
        last = self.words[-1]
        tail = token[1:]
        self.spans[-1] = (start, end)
        if (last, tail) == ("let", "s"):
            self._append("us", start, end)
        elif tail == "s" and last not in _TAKES_IS:
            self.words[-1] = last + "'s"
        elif tail == "t" and last.endswith("n"):
            self.words[-1] = {"can": "can", "won": "will"}.get(last, last[:-1])
            self._append("not", start, end)
        else:
            self._append(_CLITIC[tail], start, end)

    def _append(self, word: str, start: int, end: int) -> None:
        self.words.append(word)
        self.spans.append((start, end))

    def pause(self) -> None:
        """Notes a comma, dash or semicolon after the last word."""
        if self.words and (not self.commas or self.commas[-1] != len(self.words)):
            self.commas.append(len(self.words))

    def close(self, mark: str, *, opens: bool) -> Iterator[Clause]:
        """Gives the clause heard so far, if any, and starts the next one."""
        if self.words:
            if self.commas and self.commas[-1] == len(self.words):
                self.commas.pop()
                mark = mark or ","
            yield Clause(
                self.spans[0][0],
                self.spans[-1][1],
                self.words,
                self.spans,
                self.commas,
                self.fillers,
                mark,
                self.opens,
            )
        self.clear(opens=opens)
