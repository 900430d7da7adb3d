"""Themes of a company: the key phrases of its meetings, merged and ranked."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from tidings.ai.engines.local.phrases import kept_of_rare
from tidings.ai.engines.local.reading import Evidence, MeetingReading, Phrase, Theme
from tidings.ai.engines.local.words import ADJECTIVES, GENERAL, word_set

SHOWN = 8
EVIDENCE = 12
SEVERAL = 3  # meetings from which a single word, said everywhere, tells less than a phrase
_ALONE = {False: 0.9, True: 0.4}  # what it keeps of its score: of few meetings, of several
_SHARE = {False: 0.35, True: 0.08}  # of its mentions, what a phrase needs to stand for it
_FAMILY = 0.2  # what a phrase gains of the score of the single word that it stands for
_TITLE = 0.5  # what a phrase keeps that names somebody's post
_LEAST = 2  # mentions
_TELLING = 5  # words from which a quote says something about its topic


_POSTS = word_set("director officer president chairman assistant deputy lady boss ceo cfo")


class Topic(msgspec.Struct):
    """A key phrase with what all meetings say of it."""

    words: tuple[str, ...]
    score: float
    mentions: int
    forms: Counter[str]
    evidence: list[Evidence]
    meetings: int


def themes(topics: dict[str, Topic], *, several: bool) -> tuple[Theme, ...]:
    """The topics that the meetings are about, best first; `several` when there are many of them.

    A phrase counts by how much each meeting is about it and by how many meetings name it. A word
    with a phrase that holds it is shown as that phrase ("stock" as "stock data"), and of the
    phrases that share a telling word the best is shown.
    """
    scores = _scores(topics, several=several)
    ranked = sorted(scores, key=lambda key: (-scores[key], key))
    chosen: list[str] = []
    for key in ranked:
        if len(chosen) == SHOWN:
            break
        if topics[key].mentions < _LEAST and chosen and scores[key] < 0.5 * scores[chosen[0]]:
            continue
        if not any(_akin(topics[key].words, topics[other].words) for other in chosen):
            chosen.append(key)
    return tuple(theme for key in chosen if (theme := _theme(topics[key])).evidence)


def topic_weights(topics: dict[str, Topic]) -> dict[str, float]:
    """What each word of the merged phrases weighs, from 0 to 1, for ranking lines by topic."""
    best = max((topic.score for topic in topics.values()), default=1.0) or 1.0
    weights: dict[str, float] = {}
    for topic in topics.values():
        for word in topic.words:
            weights[word] = max(weights.get(word, 0.0), topic.score / best)
    return weights


def merge(meetings: Sequence[MeetingReading]) -> dict[str, Topic]:
    """The key phrases of all meetings, by key. `meetings` come newest first."""
    topics: dict[str, Topic] = {}
    for meeting in meetings:
        for phrase in meeting.reading.phrases:
            topic = topics.get(phrase.key)
            if topic is None:
                words = tuple(phrase.key.split())
                topic = topics[phrase.key] = Topic(words, 0.0, 0, Counter(), [], 0)
            _add(topic, meeting.meeting_id, phrase)
    for topic in topics.values():
        topic.score *= kept_of_rare(topic.mentions)
    return topics


def _add(topic: Topic, meeting_id: str, phrase: Phrase) -> None:
    """What is rare in each meeting may be frequent in all: rarity is judged when all are merged."""
    topic.score += phrase.score / kept_of_rare(len(phrase.segments))
    topic.mentions += len(phrase.segments)
    topic.meetings += 1
    topic.forms[phrase.topic] += len(phrase.segments)
    if len(topic.evidence) < 4 * EVIDENCE:
        topic.evidence.extend(Evidence(meeting_id, m.segment_id, m.quote) for m in phrase.mentions)


def _scores(topics: dict[str, Topic], *, several: bool) -> dict[str, float]:
    """What each topic is worth as a theme; a single word that a phrase stands for is left out."""
    scores = {
        key: topic.score * (_TITLE if topic.words[-1] in _POSTS else 1.0)
        for key, topic in topics.items()
    }
    stands: dict[str, str] = {}
    for key, topic in sorted(topics.items(), key=lambda pair: (-pair[1].score, pair[0])):
        if len(topic.words) == 1 or topic.mentions < _LEAST or topic.words[0] in ADJECTIVES:
            continue
        for word in topic.words:
            single = topics.get(word)
            if single is not None and topic.mentions >= _SHARE[several] * single.mentions:
                stands.setdefault(word, key)
    for word, key in stands.items():
        scores[key] += _FAMILY * scores.pop(word)
    return {
        key: score * (_ALONE[several] if len(topics[key].words) == 1 and "-" not in key else 1.0)
        for key, score in scores.items()
    }


def _akin(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two topics are one: a telling word in common, or one within the other."""
    mine, theirs = set(one), set(other)
    return not (mine & theirs) <= GENERAL or mine <= theirs or theirs <= mine


def _theme(topic: Topic) -> Theme:
    name = min(topic.forms, key=lambda form: (-topic.forms[form], form))
    holding = [e for e in topic.evidence if name.lower() in e.quote.lower()]
    holding.sort(key=lambda e: len(e.quote.split()) < _TELLING)  # stable: the newest stay first
    return Theme(name, topic.mentions, tuple(holding[:EVIDENCE]))
