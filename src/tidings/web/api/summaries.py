"""Summaries of conversations: asked for, listed, taken along."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page
from tidings.base.text import check_text
from tidings.db.transaction import Transaction
from tidings.summaries.ask import AskRequest
from tidings.summaries.export import to_markdown
from tidings.summaries.read import SummaryPage, get_summary, list_summaries
from tidings.summaries.record import Summary, SummaryType
from tidings.summaries.schedule import DigestSchedule, read_schedule, set_schedule
from tidings.summaries.start import acting, ask, start
from tidings.web import examples
from tidings.web.answers import Answer, keep, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit

MARKDOWN = "text/markdown"


class AskedAnswer(Summary, frozen=True, kw_only=True):
    """The summary as it is cached."""

    from_cache: bool = True


class SetSchedule(msgspec.Struct, frozen=True):
    """When to make one's digest."""

    hour: Annotated[int, msgspec.Meta(ge=0, le=23)] | None
    timezone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class StartedAnswer(msgspec.Struct, frozen=True):
    """The run that makes the summary; its `result` names it."""

    run_id: UUID
    status: str
    type: SummaryType
    url: str
    from_cache: bool = False


@post(
    "/summaries",
    status_code=202,
    opt={"scope": "summaries"},
    operation_id="askForSummary",
    operation_class=Idempotent,
    responses=documented(403, 404, 409, 413, 422)
    | {200: ResponseSpec(AskedAnswer, description="It is cached.", generate_examples=False)},
)
async def ask_for_summary(
    request: Request[Any, Any, Any],
    data: Annotated[AskRequest, examples.SUMMARY],
    access: GivenAccess,
    services: GivenServices,
) -> Response[StartedAnswer]:
    """The summary when it is cached and nothing was written since (200), else a run (202)."""
    tenant = acting(access.tenant)
    asked = await ask(services.db, services.gateway, access.tenant, data)
    if asked.summary is not None:
        answer = AskedAnswer(**msgspec.structs.asdict(asked.summary))
        return await keep(request, services, Answer(answer, 200))

    async def work(transaction: Transaction) -> Answer:
        run = await start(transaction, asked)
        kind, url = asked.question.type, f"/v1/runs/{run.run_id}"
        return Answer(StartedAnswer(run.run_id, "processing", kind, url), 202)

    return await write(request, services, tenant, work)


@get(
    "/summaries",
    opt={"scope": "summaries"},
    responses=documented(403),
    operation_id="listSummaries",
)
async def summaries(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Annotated[SummaryType | None, QueryParameter(name="type")] = None,
    reference: Annotated[
        UUID | None, QueryParameter(description="Only those of this thread or channel.")
    ] = None,
    owner: Annotated[
        str | None,
        QueryParameter(max_length=200, description="Only those with an action of theirs."),
    ] = None,
) -> SummaryPage:
    """Summaries that you may read, newest first."""
    page = Page(limit, cursor)
    return await list_summaries(
        services.db,
        access.tenant,
        page,
        kind=kind,
        reference=reference,
        owner=owner and check_text("owner", owner),
    )


@get(
    "/summaries/{summary_id:uuid}",
    opt={"scope": "summaries"},
    responses=documented(403, 404),
    operation_id="getSummary",
)
async def summary(
    access: GivenAccess, services: GivenServices, summary_id: FromPath[UUID]
) -> Summary:
    """One summary with its evidence."""
    return await get_summary(services.db, access.tenant, summary_id)


@get(
    "/summaries/{summary_id:uuid}/export",
    opt={"scope": "summaries"},
    media_type=MARKDOWN,
    responses=documented(403, 404),
    operation_id="exportSummaryOfConversation",
)
async def export(
    access: GivenAccess, services: GivenServices, summary_id: FromPath[UUID]
) -> Response[str]:
    """One summary as Markdown with numbered sources."""
    found = await get_summary(services.db, access.tenant, summary_id)
    return Response(to_markdown(found), media_type=MARKDOWN)


@get(
    "/summaries/schedule",
    opt={"scope": "summaries"},
    responses=documented(403),
    operation_id="getDigestSchedule",
)
async def schedule(access: GivenAccess, services: GivenServices) -> DigestSchedule:
    """When your daily digest is made by itself: of the day before, where somebody wrote."""
    return await read_schedule(services.db, access.tenant)


@put(
    "/summaries/schedule",
    opt={"scope": "summaries", "own": True},
    responses=documented(403, 413),
    operation_id="setDigestSchedule",
)
async def change_schedule(
    data: Annotated[SetSchedule, examples.DIGEST_SCHEDULE],
    access: GivenAccess,
    services: GivenServices,
) -> DigestSchedule:
    """Choose the local hour from which your digest is made (null: never), and your time zone."""
    return await set_schedule(services.db, access.tenant, DigestSchedule(data.hour, data.timezone))


def summaries_router() -> Router:
    """Everything below `/v1/summaries`."""
    return Router(
        "/v1",
        route_handlers=[ask_for_summary, summaries, summary, export, schedule, change_schedule],
        tags=["Summaries"],
    )
