"""The two routes that existing front ends use, and the companies behind them."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, PathParameter, QueryParameter

from tidings.base.cursor import Page
from tidings.base.errors import InputInvalid, RowMissing
from tidings.db.transaction import Transaction
from tidings.engagement.companies import Company, get_company
from tidings.engagement.export import to_markdown
from tidings.engagement.record import Record
from tidings.engagement.start import StartRequest, acting, domain_of, get_record, start
from tidings.meetings.domains import normalise_domain
from tidings.meetings.read import CompanyPage, list_companies
from tidings.tenancy.access import Access
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.services import Services

MARKDOWN = "text/markdown"

Domain = Annotated[
    str, QueryParameter(description="The company's domain, in any spelling.", max_length=4096)
]

DomainInPath = Annotated[
    str, PathParameter(description="The company's domain, in any spelling.", max_length=4096)
]


class StartAnswer(msgspec.Struct, frozen=True):
    """The run that makes the summary."""

    ok: bool
    domain: str
    run_id: UUID
    status: str


def start_route(path: str, status_code: int) -> HTTPRouteHandler:
    """`POST …/engagement-summary`: older front ends expect 200, the rest 202."""

    @post(
        path,
        status_code=status_code,
        opt={"scope": "engagement"},
        operation_id=f"startEngagementSummary{status_code}",
        operation_class=Idempotent,
        responses=documented(403, 409, 413, 422),
        include_in_schema=status_code == 202,
    )
    async def start_summary(
        request: Request[Any, Any, Any],
        data: Annotated[StartRequest, examples.START],
        access: GivenAccess,
        services: GivenServices,
    ) -> Response[StartAnswer]:
        """Start a summary of all meetings with a company; a run under way is returned as it is."""
        domain_of(data)

        async def work(transaction: Transaction) -> Answer:
            started = await start(transaction, services.settings, data)
            body = StartAnswer(True, started.domain, started.run_id, "processing")
            return Answer(body, status_code)

        return await write(request, services, acting(access.tenant), work)

    return start_summary


def status_route(path: str, *, is_legacy: bool = False) -> HTTPRouteHandler:
    """`GET …/engagement-status`."""

    @get(
        path,
        opt={"scope": "engagement"},
        operation_id="getEngagementStatus",
        responses=documented(403),
        include_in_schema=not is_legacy,
    )
    async def engagement_status(
        access: GivenAccess,
        services: GivenServices,
        domain: Domain,
        run_id: Annotated[str, QueryParameter()],
    ) -> list[Record]:
        """The record of one run in an array, which is empty when it is unknown."""
        normalise_domain(domain)
        try:
            run = UUID(run_id)
        except ValueError:
            if not run_id.strip():
                raise InputInvalid("run_id is missing.") from None
            return []
        record = await get_record(services.db, access.tenant, domain, run)
        return [record] if record else []

    return engagement_status


@get(
    "/companies",
    opt={"scope": "engagement"},
    responses=documented(403),
    operation_id="listCompanies",
)
async def companies(
    access: GivenAccess, services: GivenServices, limit: Limit = 50, cursor: Cursor = None
) -> CompanyPage:
    """Companies that were met, the one met last first."""
    return await list_companies(services.db, access.tenant, Page(limit, cursor))


@get(
    "/companies/{domain:str}",
    opt={"scope": "engagement"},
    responses=documented(403, 404),
    operation_id="getCompany",
)
async def company(access: GivenAccess, services: GivenServices, domain: DomainInPath) -> Company:
    """One company: people, meetings, its newest summary, the runs so far and what changed."""
    return await get_company(services.db, access.tenant, domain)


@get(
    "/companies/{domain:str}/summaries/{run_id:uuid}",
    opt={"scope": "engagement"},
    responses=documented(403, 404),
    operation_id="exportSummary",
)
async def export(
    access: GivenAccess, services: GivenServices, domain: DomainInPath, run_id: FromPath[UUID]
) -> Record:
    """The record of a complete summary."""
    return await _complete(services, access, domain, run_id)


@get(
    "/companies/{domain:str}/summaries/{run_id:uuid}/markdown",
    opt={"scope": "engagement"},
    media_type=MARKDOWN,
    responses=documented(403, 404),
    operation_id="exportSummaryAsMarkdown",
)
async def export_markdown(
    access: GivenAccess, services: GivenServices, domain: DomainInPath, run_id: FromPath[UUID]
) -> Response[str]:
    """A complete summary as Markdown with numbered sources."""
    record = await _complete(services, access, domain, run_id)
    return Response(to_markdown(record), media_type=MARKDOWN)


async def _complete(services: Services, access: Access, domain: str, run_id: UUID) -> Record:
    record = await get_record(services.db, access.tenant, domain, run_id)
    if record is None or record.status != "complete":
        raise RowMissing("There is no complete summary of that run here.")
    return record


def engagement_router() -> Router:
    """Everything below `/v1`."""
    return Router(
        "/v1",
        route_handlers=[
            start_route("/engagement-summary", 202),
            status_route("/engagement-status"),
            companies,
            company,
            export,
            export_markdown,
        ],
        tags=["Engagement"],
    )


def legacy_router(prefix: str) -> Router:
    """The two routes as older front ends call them."""
    return Router(
        prefix,
        route_handlers=[
            start_route("/engagement-summary", 200),
            status_route("/engagement-status", is_legacy=True),
        ],
        include_in_schema=False,
    )
