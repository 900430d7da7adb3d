"""Bringing a channel's state up to date with its next messages: pure, and as long as they are."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from tidings.ai.engines.local.topics import Topic
from tidings.ai.engines.local.utterances import Utterance
from tidings.intelligence import decide
from tidings.intelligence.followups import settle, suggest, waits
from tidings.intelligence.state import (
    ACTIVITY_HOURS,
    MOST_PARTICIPANTS,
    MOST_QUESTIONS,
    MOST_READINGS,
    MOST_SAMPLES,
    MOST_TOPICS,
    DetectedTopic,
    Message,
    Participant,
    Question,
    Reading,
    Sentiment,
    State,
)
from tidings.intelligence.talk import Talk, answers
from tidings.intelligence.words import only_asks, quote_of, words_of

QUESTION_AGE = timedelta(days=60)
FADES = 0.8
"""What is left of a topic's confidence after a reading that does not mention it."""
FORGOTTEN = 0.1
DAY = timedelta(days=1)
KEPT = 90 * DAY
"""How long readings are kept: of days before that none is made."""


class DayEnd(msgspec.Struct, frozen=True):
    """How a channel felt after a day of messages, in a page that goes on beyond it."""

    current_sentiment: Sentiment
    sentiment_score: float
    position: int
    last_message_at: datetime


class Mentioned(msgspec.Struct, frozen=True):
    """A topic in the new messages, for its history."""

    key: str
    topic: str
    confidence: float
    first_at: datetime
    last_at: datetime
    count: int
    message_ids: list[str]


def advance(
    state: State,
    messages: Sequence[Message],
    utterances: Sequence[Utterance],
    kind: str,
    now: datetime,
) -> tuple[State, list[DayEnd]]:
    """The state after the new ones among `messages`, which come in order of position.

    `utterances` are of the new ones that a person wrote. The state is changed and given back, with
    a reading for each day that passed on the way, so that what was imported has a past.
    """
    read = iter(utterances)
    page = _Page(state, kind)
    for message in messages:
        if message.is_new:
            if message.is_of_a_person:
                page.end_day(message, now)
                page.take(message, next(read))
            state.position = max(state.position, message.position)
        if message.is_of_a_person:
            page.talk.add(message)
    if any(message.is_new for message in messages):
        page.close()
        conclude(state, now)
    return state, page.ends


class _Page:
    """A state while messages are taken in: what each of them touches is found without a search."""

    def __init__(self, state: State, kind: str) -> None:
        self.talk = Talk(kind)
        self.ends: list[DayEnd] = []
        self._state = state
        self._since: datetime | None = None  # its day began; None before the first is taken
        # Kept with the last one at the end, the state's way round when it is closed.
        self._people = {one.id: one for one in reversed(state.participant_engagement)}
        self._readings = deque(reversed(state.recent_readings), maxlen=MOST_READINGS)
        self._samples = deque(state.response_samples, maxlen=MOST_SAMPLES)

    def end_day(self, message: Message, now: datetime) -> None:
        """Note how it felt so far when this one begins another day."""
        state, last, at = self._state, self._state.last_message_at, message.sent_at
        if self._since is None or last is None or at <= last or at - self._since < DAY:
            return
        self._since = at
        if now - last < KEPT:
            mood = decide.mood(list(reversed(self._readings)))
            self.ends.append(DayEnd(mood.sentiment, mood.score, state.position, last))
            state.analysis_count += 1

    def take(self, message: Message, utterance: Utterance) -> None:
        state, at = self._state, message.sent_at
        self._since = self._since or state.last_message_at or at
        state.message_count += 1
        state.first_message_at = min(state.first_message_at or at, at)
        state.last_message_at = max(state.last_message_at or at, at)
        hour = int(at.timestamp() // 3600)
        state.activity[hour] = state.activity.get(hour, 0) + 1
        own = words_of(message.body)
        sided = abs(utterance.score) >= decide.SIDED
        quote = quote_of(own) if sided else ""
        self._readings.append(Reading(message.id, message.name, round(utterance.score, 4), quote))
        self._count(message)
        sample = self.talk.answered_by(message)
        if sample is not None:
            self._samples.append(sample)
        if state.open_questions:
            asks = only_asks(own)
            state.open_questions = [
                question
                for question in state.open_questions
                if not answers(message, question, self.talk.kind, asks=asks)
            ]
        settle(state, message, utterance, own)
        if utterance.is_question and (quote := quote_of(own, asks=True)):
            _ask(state, message, quote)
        waits(state, message, utterance, own)

    def _count(self, message: Message) -> None:
        before = self._people.pop(message.sender_id, None)
        seen = max(before.last_seen_at, message.sent_at) if before else message.sent_at
        count = before.messages + 1 if before else 1
        self._people[message.sender_id] = Participant(
            message.sender_id, message.name, message.direction, count, seen
        )
        if len(self._people) > MOST_PARTICIPANTS:
            del self._people[next(iter(self._people))]

    def close(self) -> None:
        """Write what was kept aside back into the state."""
        self._state.participant_engagement = list(reversed(self._people.values()))
        self._state.recent_readings = list(reversed(self._readings))
        self._state.response_samples = list(self._samples)


def _ask(state: State, message: Message, quote: str) -> None:
    """Note a question, unless the same one waits already: who asks again waits since the first."""
    words = quote.casefold()
    for open_one in state.open_questions:
        is_same = (open_one.sender_id, open_one.thread_id) == (message.sender_id, message.thread_id)
        if is_same and open_one.quote.casefold() == words:
            return
    question = Question(
        message.id,
        message.external_id,
        message.thread_id,
        message.name,
        message.sender_id,
        message.direction,
        message.sent_at,
        quote,
    )
    state.open_questions = [*state.open_questions, question][-MOST_QUESTIONS:]


def conclude(state: State, now: datetime) -> State:
    """What follows from the figures, once the messages of a page are in."""
    newest = min(now, state.last_message_at or now)
    oldest = int(newest.timestamp() // 3600) - ACTIVITY_HOURS
    state.activity = {hour: n for hour, n in state.activity.items() if hour > oldest}
    state.open_questions = [q for q in state.open_questions if q.asked_at > newest - QUESTION_AGE]
    mood = decide.mood(state.recent_readings)
    state.current_sentiment, state.sentiment_score = mood.sentiment, mood.score
    state.sentiment_reason, state.sentiment_evidence = mood.reason, mood.evidence
    state.response_times = {
        "in": decide.times([s for s in state.response_samples if s[2] == "in"]),
        "out": decide.times([s for s in state.response_samples if s[2] == "out"]),
    }
    figures = decide.trend(state.activity, state.response_samples, state.first_message_at, now)
    state.engagement_trend, state.engagement_change = figures.trend, figures.change
    state.suggested_followups = suggest(state)
    state.analysis_count += 1
    state.engine = "local"
    return state


def mention(
    state: State, said: Sequence[Message], found: Sequence[Topic]
) -> tuple[State, list[Mentioned]]:
    """Take in what the new among `said` speak of; what they do not mention fades."""
    mentioned: dict[str, Mentioned] = {}
    for topic in found:
        new = [said[n] for n in topic.indexes if said[n].is_new]
        name = " ".join(topic.name.split())[:80].strip()
        if not new or not name or name.casefold()[:80] in mentioned:
            continue
        times = [message.sent_at for message in new]
        latest = sorted(new, key=lambda message: message.position, reverse=True)[:5]
        mentioned[name.casefold()[:80]] = Mentioned(
            name.casefold()[:80],
            name,
            round(max(0.0, min(1.0, topic.confidence)), 4),
            min(times),
            max(times),
            len(new),
            [str(message.id) for message in latest],
        )
    state.detected_topics = _ranked(state.detected_topics, mentioned)
    state.topic_confidence = {one.topic: one.confidence for one in state.detected_topics}
    return state, list(mentioned.values())


def _ranked(
    before: Sequence[DetectedTopic], mentioned: dict[str, Mentioned]
) -> list[DetectedTopic]:
    topics = {one.topic.casefold(): one for one in before}
    for key, one in topics.items():
        topics[key] = msgspec.structs.replace(one, confidence=round(one.confidence * FADES, 4))
    for key, new in mentioned.items():
        old = topics.get(key)
        topics[key] = DetectedTopic(
            old.topic if old else new.topic,
            max(new.confidence, old.confidence if old else 0.0),
            new.count + (old.mentions if old else 0),
            max(new.last_at, old.last_mentioned_at) if old else new.last_at,
        )
    kept = [one for one in topics.values() if one.confidence >= FORGOTTEN]
    return sorted(kept, key=lambda one: (-one.confidence, one.topic))[:MOST_TOPICS]
