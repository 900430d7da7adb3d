"""What channels mean, on pages: one channel, and where somebody is needed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.intelligence.show import (
    Intelligence,
    SentimentReading,
    get_intelligence,
    get_overview,
    list_readings,
    list_topics,
    start_analysis,
)
from tidings.intelligence.state import Quote
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import Notice, go, page

SPANS = (7, 30, 90)
WIDTH, HEIGHT, EDGE = 640, 160, 8
"""Of the chart, in its own units."""
SHOWN = 30
"""Participants on the page."""
_POINTS = 200
_TYPES = {
    "unanswered_question": "unanswered",
    "pending_decision": "decision",
    "next_step": "next step",
    "clarification": "unclear",
}


@get("/channels/{channel_id:uuid}/intelligence", opt={"scope": "messages"})
async def show(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    days: FromQuery[str] = "",
) -> Response[str]:
    """One channel; `days` is how far back the chart goes."""
    span = int(days) if days in map(str, SPANS) else SPANS[0]
    db, tenant = services.db, access.tenant
    found = await get_intelligence(db, tenant, channel_id)
    readings = await list_readings(db, tenant, channel_id, Page(_POINTS), days=span)
    topics = await list_topics(db, tenant, channel_id, Page(20), days=30)
    address = f"/channels/{channel_id}/intelligence"
    context = {
        **_reading(found),
        "topics": topics.items,
        "chart": chart(readings.items),
        "days": span,
        "spans": SPANS,
        "here": f"{address}?days={span}",
        "address": address,
    }
    return page(request, "intelligence/channel.html", context)


@post("/channels/{channel_id:uuid}/intelligence", opt={"scope": "messages"}, status_code=303)
async def analyze(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Start a run that brings the reading up to date; the page hears of it by itself."""
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await start_analysis(transaction, channel_id)
    said = "The channel is being read; what is new shows here by itself."
    return go(f"/channels/{channel_id}/intelligence", Notice("ok", said))


@get("/intelligence", opt={"scope": "messages"})
async def overview(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[str]:
    """The channels that need somebody most."""
    found = await get_overview(services.db, access.tenant)
    named = [
        *(row.channel_id for row in found.worst_sentiment),
        *(row.channel_id for row in found.fastest_declining),
        *(row.channel_id for row in found.oldest_unanswered),
    ]
    context = {
        "worst": [
            {
                "channel_id": row.channel_id,
                "channel_name": row.channel_name,
                "sentiment": row.current_sentiment,
                "score": signed(row.sentiment_score),
                "reason": row.sentiment_reason,
                "last_message_at": row.last_message_at,
            }
            for row in found.worst_sentiment
        ],
        "declining": [
            {
                "channel_id": row.channel_id,
                "channel_name": row.channel_name,
                "percent": round(-100 * row.engagement_change),
                "last_message_at": row.last_message_at,
            }
            for row in found.fastest_declining
        ],
        "unanswered": [
            {
                "channel_id": row.channel_id,
                "channel_name": row.channel_name,
                "asked_by": row.asked_by,
                "quote": row.question,
                "waits": lasts((clock.now() - row.asked_at).total_seconds()),
                "open_questions": row.open_questions,
                "url": message_url(row.channel_id, row.message_id),
            }
            for row in found.oldest_unanswered
        ],
        "topics": [f"channel:{one}" for one in dict.fromkeys(named)],
    }
    return page(request, "intelligence/index.html", context)


def message_url(channel_id: UUID, message_id: UUID) -> str:
    """Where a message is read in its channel."""
    return f"/inbox/{channel_id}?message={message_id}#message-{message_id}"


def lasts(seconds: float) -> str:
    """A duration in its two largest units: "4 min", "2 h 5 min", "3 d"."""
    minutes = int(max(0.0, seconds) // 60)
    if minutes < 1:
        return f"{int(max(0.0, seconds))} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"


def signed(score: float) -> str:
    """A score with its sign: "+0.40", "−0.26"."""
    return f"{score:+.2f}".replace("-", "−")


def chart(readings: Sequence[SentimentReading]) -> dict[str, Any] | None:
    """The sentiment over time as the points of a line, oldest first; None without readings."""
    if not readings:
        return None
    ordered = sorted(readings, key=lambda one: (one.as_of, one.position))
    first, last = ordered[0].as_of, ordered[-1].as_of
    points = [
        {
            "x": _across(one.as_of, first, last, place, len(ordered)),
            "y": round(EDGE + (1 - one.score) / 2 * (HEIGHT - 2 * EDGE), 1),
            "sentiment": one.sentiment,
            "score": signed(one.score),
            "at": one.as_of,
        }
        for place, one in enumerate(ordered)
    ]
    line = "M" + " L".join(f"{point['x']} {point['y']}" for point in points)
    return {
        "points": points,
        "line": line,
        "width": WIDTH,
        "height": HEIGHT,
        "grid": (EDGE, HEIGHT / 2, HEIGHT - EDGE),
        "first": first,
        "last": last,
    }


def _across(at: datetime, first: datetime, last: datetime, place: int, count: int) -> float:
    """How far right: by the time, or by the order where all are of one moment."""
    span = (last - first).total_seconds()
    share = (at - first).total_seconds() / span if span else place / max(count - 1, 1)
    return round(EDGE + share * (WIDTH - 2 * EDGE), 1)


def _reading(found: Intelligence) -> dict[str, Any]:
    return {
        "channel": {
            "id": found.channel_id,
            "name": found.channel_name,
            "kind": found.channel_kind,
            "messages": found.message_count,
            "unread": found.unread,
        },
        "mood": {
            "sentiment": found.current_sentiment,
            "score": signed(found.sentiment_score),
            "reason": found.sentiment_reason,
            "sources": _sources(found, found.sentiment_evidence),
            "engine": found.engine,
            "at": found.last_analyzed_at,
        },
        "engagement": {
            "score": round(found.engagement_score),
            "trend": found.engagement_trend,
            "windows": found.trend,
        },
        "people": found.participant_engagement[:SHOWN],
        "responses": _responses(found),
        "questions": _questions(found),
        "followups": [
            {
                "words": _TYPES[one.type],
                "text": one.text,
                "sources": _sources(found, one.evidence),
            }
            for one in found.suggested_followups
        ],
    }


def _sources(found: Intelligence, quotes: Sequence[Quote]) -> list[dict[str, Any]]:
    return [
        {"quote": one.quote, "url": message_url(found.channel_id, one.message_id)} for one in quotes
    ]


def _responses(found: Intelligence) -> list[dict[str, Any]]:
    sides = (("Ours", found.response_times.get("out")), ("Theirs", found.response_times.get("in")))
    return [
        {
            "side": side,
            "count": times.count,
            "median": lasts(times.median_seconds or 0),
            "p90": lasts(times.p90_seconds or 0),
        }
        for side, times in sides
        if times is not None and times.count
    ]


def _questions(found: Intelligence) -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {
            "asked_by": one.asked_by,
            "quote": one.quote,
            "waits": lasts((now - one.asked_at).total_seconds()),
            "url": message_url(found.channel_id, one.message_id),
        }
        for one in sorted(found.open_questions, key=lambda one: one.asked_at)
    ]


def intelligence_pages() -> Router:
    """A channel's page, its button, and the overview."""
    return Router("/", route_handlers=[show, analyze, overview])
