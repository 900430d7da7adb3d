"""What the figures of a channel say: no database, no clock, no network in here.

`engagement_score` and `trend` are in SQL too (0016_intelligence), for readers at any later moment;
a test holds the two together.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

import msgspec

from tidings.intelligence.state import Quote, Reading, Sample, Sentiment, Times, Trend

HALF_LIFE = 8
"""A message weighs half as much as one that came 8 messages after it."""
LEANS = 0.15
"""From this mean score on, a channel is positive, or negative."""
STRONG = 0.25
"""From this share of the weight on each side, it is mixed."""
SIDED = 0.3
"""A message whose score is nearer to 0 leans to no side."""

LEAST_MESSAGES = 20
LEAST_ANSWERS = 8
LEAST_CHANGE = 1.25
"""Something that is certain but small is no trend."""
DOUBTFUL = 2.807
"""|z| of a two-sided 0.005, for each of two tests."""
LONGEST_WINDOW = 7  # days

_RECENCY = (
    (timedelta(minutes=5), 1.0),
    (timedelta(minutes=30), 0.8),
    (timedelta(hours=1), 0.6),
    (timedelta(hours=24), 0.4),
)


class Mood(msgspec.Struct, frozen=True):
    """A channel's sentiment, in words, with the quotes that it rests on."""

    sentiment: Sentiment
    score: float
    reason: str
    evidence: list[Quote]


def mood(readings: Sequence[Reading]) -> Mood:
    """The sentiment of a channel from its last messages, newest first.

    An exponentially weighted mean; `mixed` where both sides carry `STRONG` shares of the weight.
    """
    if not readings:
        return Mood("neutral", 0.0, "Nothing was said yet.", [])
    weights = [0.5 ** (age / HALF_LIFE) for age in range(len(readings))]
    whole = sum(weights)
    score = sum(w * r.score for w, r in zip(weights, readings, strict=True)) / whole
    up = sum(w for w, r in zip(weights, readings, strict=True) if r.score >= SIDED) / whole
    down = sum(w for w, r in zip(weights, readings, strict=True) if r.score <= -SIDED) / whole
    sentiment: Sentiment = "neutral"
    if up >= STRONG and down >= STRONG:
        sentiment = "mixed"
    elif abs(score) >= LEANS:
        sentiment = "positive" if score > 0 else "negative"
    score = round(max(-1.0, min(1.0, score)), 4)
    quoted = _strongest(readings, weights, sentiment)
    return Mood(sentiment, score, _reason(readings), quoted)


def _reason(readings: Sequence[Reading]) -> str:
    positive = sum(reading.score >= SIDED for reading in readings)
    negative = sum(reading.score <= -SIDED for reading in readings)
    if len(readings) == 1:
        side = "positive" if positive else "negative" if negative else "neutral"
        return f"The only message so far reads {side}."
    return (
        f"Of the last {len(readings)} messages {positive or 'none'} "
        f"read{'s' if positive == 1 else ''} positive and {negative or 'none'} negative; "
        "the newest weigh most."
    )


def _strongest(
    readings: Sequence[Reading], weights: Sequence[float], sentiment: Sentiment
) -> list[Quote]:
    """Up to two quotes that the sentiment rests on; of a mixed one, one of each side."""
    ranked = sorted(
        ((w * r.score, r) for w, r in zip(weights, readings, strict=True) if r.quote),
        key=lambda pair: -abs(pair[0]),
    )
    up = [Quote(r.message_id, r.quote) for pull, r in ranked if pull > 0]
    down = [Quote(r.message_id, r.quote) for pull, r in ranked if pull < 0]
    sides = {"positive": up[:2], "negative": down[:2], "mixed": up[:1] + down[:1]}
    return sides.get(sentiment, [])


def recency(age: timedelta) -> float:
    """1 for who wrote just now, down to 0.2 for who has not for a day (messages.md)."""
    return next((worth for limit, worth in _RECENCY if age < limit), 0.2)


def engagement_score(messages: int, most: int, age: timedelta) -> float:
    """0 to 100: 60 by the share of the most active one's messages, 40 by recency (messages.md)."""
    return min(100.0, 60.0 * messages / max(most, 1) + 40.0 * recency(age))


def times(samples: Sequence[Sample]) -> Times:
    """How soon answers came. The p90 is the nearest rank."""
    seconds = sorted(took for _, took, _ in samples)
    if not seconds:
        return Times(0, None, None)
    return Times(len(seconds), median(seconds), seconds[math.ceil(0.9 * len(seconds)) - 1])


class TrendFigures(msgspec.Struct, frozen=True):
    """A trend and both windows' figures: `days` long each; response times are medians."""

    trend: Trend
    days: int
    recent_messages: int
    previous_messages: int
    recent_response: float | None
    previous_response: float | None
    change: float


def trend(
    activity: Mapping[int, int], samples: Sequence[Sample], first: datetime | None, now: datetime
) -> TrendFigures:
    """Whether the last days differ from as many days before, beyond chance.

    `activity` counts messages by hour since 1970, `first` is when the channel's first message came:
    a window is at most a week and half the channel's age. The counts are compared by the binomial
    test (which of two equal windows a message falls in), the times by Mann–Whitney's, both in
    their normal approximation. Where the two disagree, or there is too little, it is stable.
    """
    age = now - first if first else timedelta(0)
    days = max(1, min(LONGEST_WINDOW, math.floor(age.total_seconds() / (2 * 86400))))
    ending = math.floor(now.timestamp() / 3600)
    since, before = ending - 24 * days, ending - 48 * days
    recent = sum(n for hour, n in activity.items() if since < hour <= ending)
    previous = sum(n for hour, n in activity.items() if before < hour <= since)
    sooner = [took for at, took, _ in samples if since < at // 3600 <= ending]
    earlier = [took for at, took, _ in samples if before < at // 3600 <= since]
    found: Trend = "stable"
    change = 0.0
    if age >= timedelta(days=2) and recent + previous >= LEAST_MESSAGES:
        change = (recent - previous) / max(previous, 1)
        votes = {rate_change(recent, previous), -time_change(sooner, earlier)} - {0}
        if len(votes) == 1:
            found = "increasing" if votes == {1} else "declining"
    return TrendFigures(
        found,
        days,
        recent,
        previous,
        median(sooner) if sooner else None,
        median(earlier) if earlier else None,
        change,
    )


def rate_change(recent: int, previous: int) -> int:
    """1 when there are more messages than before beyond chance, −1 when fewer, else 0."""
    if max(recent, previous) < LEAST_CHANGE * min(recent, previous) or recent + previous == 0:
        return 0
    if (abs(recent - previous) - 1) / math.sqrt(recent + previous) < DOUBTFUL:
        return 0
    return 1 if recent > previous else -1


def time_change(recent: Sequence[float], previous: Sequence[float]) -> int:
    """1 when answers take longer than before beyond chance, −1 when they come sooner, else 0."""
    n1, n2 = len(recent), len(previous)
    if min(n1, n2) < LEAST_ANSWERS:
        return 0
    now, then = median(recent), median(previous)
    if max(now, then) < LEAST_CHANGE * min(now, then):
        return 0
    places, ties = _ranks([*recent, *previous])
    n = n1 + n2
    spread = math.sqrt(n1 * n2 / 12 * ((n + 1) - ties / (n * (n - 1))))
    if spread == 0:
        return 0
    z = sum(places[:n1]) - n1 * (n1 + 1) / 2 - n1 * n2 / 2
    if (abs(z) - 0.5) / spread < DOUBTFUL:
        return 0
    return 1 if z > 0 else -1


def _ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """The rank of each value, ties sharing their mean, and the sum of t³ − t over the ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    places = [0.0] * len(values)
    ties = 0.0
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        same = end - start
        for at in order[start:end]:
            places[at] = start + (same + 1) / 2
        ties += same**3 - same
        start = end
    return places, ties
