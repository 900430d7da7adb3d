"""Key phrases of a meeting: noun phrases by how words stand beside each other, without a tagger.

A candidate is a run of one to three words that no closed-class word, verb or comma breaks. What a
word usually is shows in the meeting itself: after "the" it names, after "to" it does. Scores follow
C-value (Frantzi et al. 2000): frequency times length, less what longer phrases account for.
"""

from collections import Counter, defaultdict

import msgspec

from tidings.ai.engines.local.nouns import (
    DESPITE_ENDING,
    Uses,
    is_alone,
    is_first,
    is_last,
    singular,
    word_uses,
)
from tidings.ai.engines.local.reading import Mention, Phrase
from tidings.ai.engines.local.speech import Clause, Heard
from tidings.ai.engines.local.words import (
    ADJECTIVES,
    GENERAL,
    NUMBERS,
    UNFIT,
)

KEPT = 90  # phrases kept of one meeting
MENTIONS = 3  # quotes kept of one phrase
_QUOTE_WORDS = (5, 34)
_LENGTH = (0.0, 1.3, 2.0, 2.3)  # what a phrase of so many words is worth
_FREQUENCY = 0.6  # exponent of the count: the tenth mention adds less than the second
_RARE = {1: 0.4, 2: 0.6}  # what a phrase said in so few segments keeps of its score


_Word = tuple[str, int, int]  # the plain word and its span in the source


class _Found(msgspec.Struct):
    segments: set[int]
    forms: dict[str, int]
    words: tuple[str, ...]


class _Fit(msgspec.Struct, frozen=True):
    """What a word may be in a phrase; `tells`: it is more than a generality."""

    first: bool
    last: bool
    alone: bool
    tells: bool


def key_phrases(heard: list[Heard], names: frozenset[str], least: int = 1) -> tuple[Phrase, ...]:
    """The best phrases, best first; `names` are the words of the speakers' names.

    What is said fewer than `least` times is not looked at: of many messages that saves most.
    """
    uses = word_uses(heard)
    found = _without_names(_candidates(heard, names, uses, least), heard)
    scored = _score(found)
    best = sorted(scored.items(), key=lambda pair: (-pair[1], pair[0]))
    kept = [key for key, _ in best[:KEPT]]
    topics = {key: _topic(found[key]) for key in kept}
    mentions = _mentions(heard, {key: (topics[key], found[key].segments) for key in kept})
    return tuple(
        Phrase(key, topics[key], round(scored[key], 4), tuple(sorted(found[key].segments)), quotes)
        for key in kept
        if (quotes := mentions.get(key))
    )


def _candidates(
    heard: list[Heard], names: frozenset[str], uses: dict[str, Uses], least: int
) -> dict[str, _Found]:
    runs = [(item, run) for item in heard for run in _runs(item, names)]
    fits = {word: _fit(word, uses) for word in {word for _, run in runs for word, _, _ in run}}
    often = _often(runs, least) if least > 1 else None
    found: dict[str, _Found] = {}
    for item, run in runs:
        words = [word for word, _, _ in run]
        for end in range(1, len(run) + 1):
            if not fits[words[end - 1]].last:
                continue
            last = singular(words[end - 1])
            if often is not None and last not in often:
                continue
            for begin in range(end - 1, max(-1, end - 4), -1):
                # A phrase is said no more often than any two words of it that stand together.
                if often is not None and begin < end - 1:
                    following = last if begin == end - 2 else singular(words[begin + 1])
                    if (words[begin], following) not in often:
                        break
                if _is_phrase(words[begin:end], fits):
                    _note(found, item, run[begin:end], (*words[begin : end - 1], last))
    return found


def _often(runs: list[tuple[Heard, list[_Word]]], least: int) -> frozenset[str | tuple[str, str]]:
    """Words, and pairs of a word and the next, that are said `least` times."""
    seen: Counter[str | tuple[str, str]] = Counter()
    for _, run in runs:
        single = [singular(word) for word, _, _ in run]
        seen.update(single)
        seen.update((run[i - 1][0], single[i]) for i in range(1, len(run)))
    return frozenset(one for one, count in seen.items() if count >= least)


def _fit(word: str, uses: dict[str, Uses]) -> _Fit:
    return _Fit(
        is_first(word, uses),
        is_last(word, uses),
        len(word) > 2 and is_alone(word, uses),
        word not in GENERAL and singular(word) not in GENERAL,
    )


def _is_phrase(words: list[str], fits: dict[str, _Fit]) -> bool:
    first = fits[words[0]]
    if len(words) == 1:
        return first.tells and first.alone
    if not first.first:
        return False
    if len(words) == 2 and words[0] in ADJECTIVES and words[1] in GENERAL:
        return False
    return any(fits[word].tells for word in words)


def _note(found: dict[str, _Found], item: Heard, part: list[_Word], words: tuple[str, ...]) -> None:
    key = " ".join(words)
    entry = found.get(key)
    if entry is None:
        entry = found[key] = _Found(set(), {}, words)
    entry.segments.add(item.position)
    form = item.text[part[0][1] : part[-1][2]]
    entry.forms[form] = entry.forms.get(form, 0) + 1


def _runs(item: Heard, names: frozenset[str]) -> list[list[_Word]]:
    """Stretches of words that can make phrases, with but one blank between them in the source."""
    runs: list[list[_Word]] = []
    run: list[_Word] = []
    text = item.text
    end_before = 0
    for word, (start, end) in zip(item.clause.words, item.clause.spans, strict=True):
        hyphen = "-" in text[end_before:start] if end_before else False
        if hyphen and run:
            run.pop()  # half of a compound that is written with blanks says nothing
        fit = not hyphen and _fits(word, names) and text[start:end].replace("_", "").lower() == word
        glued = start - end_before == 1 and text[end_before].isspace()
        if run and not (fit and glued):
            runs.append(run)
            run = []
        if fit:
            run.append((word, start, end))
        end_before = end
    if run:
        runs.append(run)
    return runs


def _fits(word: str, names: frozenset[str]) -> bool:
    if word in UNFIT or word in names or len(word) < 2:
        return False
    if word.endswith("ly") and word not in DESPITE_ENDING:
        return False
    parts = word.split("-")
    return word[0].isalpha() and "'" not in word and len(set(word)) > 1 and parts[-1] not in NUMBERS


def _score(found: dict[str, _Found]) -> dict[str, float]:
    """C-value over distinct segments; a phrase of one word needs more of them."""
    nested: defaultdict[str, list[int]] = defaultdict(list)
    for entry in found.values():
        words = entry.words
        if len(words) == 1 or len(entry.segments) < 2:
            continue
        for size in range(1, len(words)):
            for i in range(len(words) - size + 1):
                part = (*words[i : i + size - 1], singular(words[i + size - 1]))
                nested[" ".join(part)].append(len(entry.segments))
    scores: dict[str, float] = {}
    for key, entry in found.items():
        count = float(len(entry.segments))
        longer = nested.get(key)
        if longer:
            count -= 0.6 * max(longer)
        size = len(entry.words)
        if size > 1 and any(w in ADJECTIVES for w in entry.words):
            count *= 0.6
        scores[key] = _LENGTH[size] * max(count, 0.1) ** _FREQUENCY
        scores[key] *= kept_of_rare(len(entry.segments))
    return scores


def kept_of_rare(segments: int) -> float:
    """What the score of a phrase keeps that is said in so few segments."""
    return _RARE.get(segments, 1.0)


def _without_names(found: dict[str, _Found], heard: list[Heard]) -> dict[str, _Found]:
    """Leaves out people, places and the like: written as names, and ending on no common word."""
    suspects = {entry.words[-1] for entry in found.values() if _is_titled(entry)} - GENERAL
    spelt = suspects | {f"{word}s" for word in suspects}
    common = {
        singular(word)
        for item in heard
        for word, (start, _) in zip(item.clause.words, item.clause.spans, strict=True)
        if word in spelt and item.text[start].islower()
    }
    names = suspects - common
    return {k: e for k, e in found.items() if e.words[-1] not in names or not _is_titled(e)}


def _is_titled(entry: _Found) -> bool:
    """Whether every word of it is always written with a capital (and is not an acronym)."""
    return all(w[:1].isupper() and w[1:].islower() for form in entry.forms for w in form.split())


def _topic(entry: _Found) -> str:
    """The form to show: the singular when it is said often enough, else the most frequent."""
    lowered: Counter[str] = Counter()
    for form, count in entry.forms.items():
        lowered[form.lower()] += count
    single = " ".join(entry.words)
    total = sum(lowered.values())
    if lowered[single] * 2 >= total:
        chosen = single
    else:
        chosen = min(lowered, key=lambda form: (-lowered[form], form))
    forms = [f for f in entry.forms if f.lower() == chosen]
    return min(forms, key=lambda form: (-entry.forms[form], form)) if forms else chosen


def _mentions(
    heard: list[Heard], wanted: dict[str, tuple[str, set[int]]]
) -> dict[str, tuple[Mention, ...]]:
    """For each phrase, the best quotes that hold its topic, one a segment, in order of quality."""
    by_position: defaultdict[int, list[str]] = defaultdict(list)
    for key, (_, segments) in wanted.items():
        for position in segments:
            by_position[position].append(key)
    options: defaultdict[str, dict[int, tuple[float, Heard]]] = defaultdict(dict)
    for item in heard:
        keys = by_position.get(item.position)
        if not keys:
            continue
        quote = item.text[item.clause.start : item.clause.end].lower()
        fitness = _fitness(item.clause)
        for key in keys:
            if wanted[key][0].lower() not in quote:
                continue
            best = options[key].get(item.position)
            if best is None or fitness > best[0]:
                options[key][item.position] = (fitness, item)
    return {
        key: tuple(
            Mention(item.segment_id, item.text[item.clause.start : item.clause.end])
            for _, item in sorted(found.values(), key=lambda o: (-o[0], o[1].position))[:MENTIONS]
        )
        for key, found in options.items()
    }


def _fitness(clause: Clause) -> float:
    least, most = _QUOTE_WORDS
    size = len(clause.words)
    fit = 1.0 if least <= size <= most else 0.4
    if clause.end_mark not in (".", "!"):
        fit -= 0.3 if clause.end_mark != "?" else 0.4
    return fit - 0.15 * clause.fillers + min(size, 16) * 0.01
