"""Speech cut into clauses: where each starts and ends in the source, and its plain words.

Transcripts carry marks ("{vocalsound}"), broken-off starts, stutters and spaced punctuation. A
clause keeps the exact source span, so that it can be quoted, and the words without all that, with
contractions written out ("we're" → "we are"), so that cues need one spelling.
"""

import re
from bisect import bisect, bisect_left
from collections.abc import Iterator

from tidings.ai.engines.local.speech import Clause, Listener
from tidings.ai.engines.local.words import DANGLING, OPENERS, SUBJECTS, word_set

LONGEST = 38  # words a quote may have before the sentence is cut at a joint
SHORTEST = 4  # words below which nothing is trimmed
_LONGEST_WORD = 60  # characters; what is longer is no word, and no pattern is run over it
_BROKEN = ("{disf", "{gap", "@", "[inaud", "[gap")  # the speaker broke off, or was not heard
_CHUNK = 13  # words after which a joint may end a part

_TOKEN = re.compile(
    r"\{[^{}\n]{0,40}\}|\[[^\[\]\n]{0,40}\]|\n"
    r"|\d+(?:[.,:/]\d+)*[^\W\d_]*"
    r"|[^\W_]+(?:[_'’-][^\W_]+)*_?"
    r"|['’](?:s|re|ve|ll|d|m|t)\b"
    r"|[.!?…]+|[,;:—–@]|-{1,2}"
)
_ABBREVIATIONS = word_set("mr mrs ms dr hon st vs prof sr jr inc ltd eg ie etc")
_JOINTS = word_set("and but so because which while although whereas or")
_LINKS = word_set("and but so then also still plus finally first")
_TAILS = (
    ("you", "know"),
    ("i", "guess"),
    ("i", "mean"),
    ("i", "suppose"),
    ("or", "something"),
    ("or", "whatever"),
    ("and", "stuff"),
    ("and", "so", "on"),
    ("and", "things", "like", "that"),
    ("or", "something", "like", "that"),
)
_AFTER_COMMA = word_set("okay ok right yeah yes so then too though kay alright please")


def clauses(text: str) -> list[Clause]:
    """Every quotable stretch of the text, in order. Linear in the length of the text."""
    found: list[Clause] = []
    for sentence in _sentences(text):
        parts = _cut(sentence) if len(sentence.words) > LONGEST else (sentence,)
        for part in parts:
            _trim(part, text)
            found.append(part)
    return found


def _sentences(text: str) -> Iterator[Clause]:
    listener = Listener()
    for match in _TOKEN.finditer(text):
        said = match.group()
        if said[0].isalnum():
            if len(said) > _LONGEST_WORD:
                listener.pause()
            else:
                listener.word(said, match.start(), match.end())
        elif said[0] in "'’":
            listener.clitic(said, match.end())
        elif said[0] in ",;:—–" or said == "--":
            listener.pause()
        elif said[0] in ".…!?":
            if _ends_sentence(text, match, listener.words):
                yield from listener.close(said[-1], opens=True)
        elif said != "-":  # a transcriber's mark, a gap or a new line
            broken = said.startswith(_BROKEN)
            opens = said == "\n" or not listener.words
            yield from listener.close("~" if broken else "", opens=opens)
    yield from listener.close("", opens=True)


def _ends_sentence(text: str, match: re.Match[str], words: list[str]) -> bool:
    end = match.end()
    before = words[-1] if words else ""
    following = text[end : end + 1]
    if following and not following.isspace():
        return following in "\"'”’)]{" or (following.isupper() and len(before) > 3)
    if not match.group().startswith("."):
        return True
    glued = match.start() > 0 and text[match.start() - 1].isalnum()
    return not (glued and (before in _ABBREVIATIONS or (len(before) == 1 and before not in "ai")))


def _cut(sentence: Clause) -> Iterator[Clause]:
    """A long sentence in parts, cut where it can be: at a comma before a joint, or at a joint."""
    words = sentence.words
    commas = set(sentence.commas)
    begin = last_joint = last_pause = 0
    for i in range(1, len(words)):
        size = i - begin
        starts = i + 1 < len(words) and words[i + 1] in SUBJECTS
        joint = words[i] in _JOINTS and (starts or i in commas)
        if joint:
            last_joint = i
        if i in commas or words[i] in _JOINTS:
            last_pause = i
        if size >= _CHUNK and (joint or (i in commas and words[i] in SUBJECTS)):
            # "…, but, having been one myself, | I …" is better cut before the "but"
            near = i - last_joint <= _CHUNK // 2 and last_joint - begin >= _CHUNK // 2
            at = last_joint if near else i
        elif size >= LONGEST:
            at = last_pause if last_pause > begin + SHORTEST else i
        else:
            continue
        yield _part(sentence, begin, at)
        begin = at
    yield _part(sentence, begin, len(words))


def _part(whole: Clause, begin: int, end: int) -> Clause:
    last = end == len(whole.words)
    return Clause(
        whole.spans[begin][0],
        whole.spans[end - 1][1],
        whole.words[begin:end],
        whole.spans[begin:end],
        [
            c - begin
            for c in whole.commas[bisect(whole.commas, begin) : bisect_left(whole.commas, end)]
        ],
        round(whole.fillers * (end - begin) / len(whole.words)),
        whole.end_mark if last else ",",
        whole.opens if begin == 0 else whole.words[begin] in SUBJECTS | _JOINTS,
    )


def _trim(clause: Clause, text: str) -> None:
    """Starts the clause after its openers and ends it before its tails, in place."""
    begin, end = _first(clause), _last(clause)
    start = clause.spans[0 if _links(clause, begin, text) else begin][0]
    if begin or end < len(clause.words):
        whole = len(clause.words)
        clause.words = clause.words[begin:end]
        clause.spans = clause.spans[begin:end]
        clause.commas = [c - begin for c in clause.commas if begin < c < end]
        if end < whole and clause.end_mark in ("", "~"):
            clause.end_mark = ","
    clause.start = start
    clause.end = clause.spans[-1][1]
    mark = text[clause.end : clause.end + 1]
    if mark and mark in ".!?…":
        clause.end += 1
    elif text.startswith(("—.", "–.", "-."), clause.end):
        clause.end_mark = "~"


def _links(clause: Clause, begin: int, text: str) -> bool:
    """Whether what was trimmed is one linking word that opens the sentence ("So we …").

    A quote keeps it, so that it starts where its sentence does.
    """
    if begin != 1 or clause.words[0] not in _LINKS or 1 in clause.commas:
        return False
    (start, end), (following, _) = clause.spans[0], clause.spans[1]
    return text[start].isupper() and text[end:following].isspace()


def _first(clause: Clause) -> int:
    words = clause.words
    begin = 0
    while len(words) - begin > SHORTEST:
        word, following = words[begin], words[begin + 1]
        if (word in OPENERS and following not in ("that", "much", "as", "many", "far", "long")) or (
            word == "because" and not clause.commas
        ):
            begin += 1
        elif (word, following) in (("i", "mean"), ("you", "know"), ("you", "see")) or (
            word == "no" and begin + 1 in clause.commas
        ):
            begin += 1 if word == "no" else 2
        else:
            break
    return begin


def _last(clause: Clause) -> int:
    words = clause.words
    end = len(words)
    while end > SHORTEST:
        if words[end - 1] in _AFTER_COMMA and (end - 1) in clause.commas:
            end -= 1
            continue
        tail: tuple[str, ...] | None = next(
            (t for t in _TAILS if tuple(words[end - len(t) : end]) == t), None
        )
        if tail is None and clause.end_mark not in ".!?" and words[end - 1] in ("and", "but", "or"):
            tail = (words[end - 1],)
        if tail is None or end - len(tail) < SHORTEST:
            break
        end -= len(tail)
    return end


def complete(clause: Clause) -> bool:
    """Whether the clause reads as a whole: it ends as sentences do, not on a dangling word."""
    return clause.end_mark in (".", "!") or (
        clause.end_mark != "~" and clause.words[-1] not in DANGLING
    )
