"""What channels mean: the current reading, its past, its topics, and where somebody is needed."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page
from tidings.db.transaction import Transaction
from tidings.intelligence.show import (
    Intelligence,
    Overview,
    SentimentPage,
    TopicPage,
    get_intelligence,
    get_overview,
    list_readings,
    list_topics,
    start_analysis,
)
from tidings.web.answers import Answer, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit


class AnalysisAnswer(msgspec.Struct, frozen=True):
    """The run that reads the channel; `created` is False for one already under way."""

    channel_id: UUID
    run_id: UUID
    created: bool


@get(
    "/channels/{channel_id:uuid}/intelligence",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="getIntelligence",
)
async def intelligence(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Intelligence:
    """How a channel stands: sentiment, topics, engagement, open questions and what to do next."""
    return await get_intelligence(services.db, access.tenant, channel_id)


@get(
    "/channels/{channel_id:uuid}/sentiment-history",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="listSentiment",
)
async def sentiment_history(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    days: Annotated[int, QueryParameter(ge=1, le=90, description="Readings made since.")] = 7,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SentimentPage:
    """A channel's readings, newest first."""
    page = Page(limit, cursor)
    return await list_readings(services.db, access.tenant, channel_id, page, days=days)


@get(
    "/channels/{channel_id:uuid}/topics",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="listTopics",
)
async def topics(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    days: Annotated[int, QueryParameter(ge=1, le=90, description="Mentioned since.")] = 30,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TopicPage:
    """What a channel spoke of, mentioned last first."""
    page = Page(limit, cursor)
    return await list_topics(services.db, access.tenant, channel_id, page, days=days)


@post(
    "/channels/{channel_id:uuid}/analyze",
    status_code=202,
    opt={"scope": "messages"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="analyzeChannel",
    operation_class=Idempotent,
)
async def analyze(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
) -> Response[AnalysisAnswer]:
    """Bring a channel's reading up to date now; a run under way is returned as it is."""

    async def work(transaction: Transaction) -> Answer:
        started = await start_analysis(transaction, channel_id)
        return Answer(AnalysisAnswer(channel_id, started.run_id, started.created), 202)

    return await write(request, services, access.tenant, work)


@get(
    "/intelligence",
    opt={"scope": "messages"},
    responses=documented(403),
    operation_id="getIntelligenceOverview",
)
async def overview(access: GivenAccess, services: GivenServices) -> Overview:
    """Your channels that feel worst, that decline fastest, and that wait longest for an answer."""
    return await get_overview(services.db, access.tenant)


def intelligence_router() -> Router:
    """Everything below `/v1/intelligence`, and what belongs to a channel."""
    return Router(
        "/v1",
        route_handlers=[intelligence, sentiment_history, topics, analyze, overview],
        tags=["Intelligence"],
    )
