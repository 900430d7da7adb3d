"""The web application: the API and the pages over the same services."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router

import tidings
from tidings.base.settings import Settings
from tidings.web import problems
from tidings.web.addresses import check_addresses
from tidings.web.answers import release_unsettled, respond
from tidings.web.api.ai import ai_router
from tidings.web.api.approvals import approvals_router
from tidings.web.api.auto_responses import auto_responses_router
from tidings.web.api.brainstorms import brainstorms_router
from tidings.web.api.channels import channels_router
from tidings.web.api.engagement import engagement_router, legacy_router
from tidings.web.api.hooks import hooks_router
from tidings.web.api.intelligence import intelligence_router
from tidings.web.api.jobs import jobs_router
from tidings.web.api.keys import keys_router
from tidings.web.api.kv import kv_router
from tidings.web.api.mailboxes import mailboxes_router
from tidings.web.api.meetings import meetings_router
from tidings.web.api.messages import messages_router
from tidings.web.api.organization import organization_router
from tidings.web.api.realtime import realtime_router
from tidings.web.api.runs import runs_router
from tidings.web.api.sending import sending_router
from tidings.web.api.summaries import summaries_router
from tidings.web.assets import ADDRESS, STATIC
from tidings.web.auth import Replay, guard_api, provide_access, provide_services
from tidings.web.body import StrictRequest
from tidings.web.head import HeadAsGet
from tidings.web.headers import add_headers
from tidings.web.keys_in_path import KeysInPath
from tidings.web.metrics import count_requests
from tidings.web.operations import operations_router
from tidings.web.pages.router import pages_router, problem_page
from tidings.web.schema import DocumentedRoutes
from tidings.web.services import BODY, Services
from tidings.web.struct_schema import DocumentedStructs

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(settings: Settings, open_services: OpenServices) -> Litestar:
    """The application; `open_services` gives pools and background duties for its lifetime."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_services() as services:
            app.state.services = services
            # What start-up made lives as long as the process: full collections need not walk it.
            gc.collect()
            gc.freeze()
            yield

    app = Litestar(
        route_handlers=[
            _api(settings),
            pages_router(),
            operations_router(),
            create_static_files_router(ADDRESS, [STATIC], include_in_schema=False),
        ],
        lifespan=[lifespan],
        dependencies={"services": Provide(provide_services, sync_to_thread=False)},
        exception_handlers={Exception: _problem},
        after_exception=[release_unsettled],
        before_send=[add_headers],
        middleware=[count_requests, check_addresses],
        cors_config=_cors(settings),
        openapi_config=_openapi(),
        request_max_body_size=BODY,
        plugins=[DocumentedStructs()],
        logging_config=None,
    )
    app.asgi_handler = HeadAsGet(KeysInPath(app.asgi_handler))
    return app


def _api(settings: Settings) -> Router:
    handlers: list[Router] = [
        engagement_router(),
        meetings_router(),
        channels_router(),
        mailboxes_router(),
        messages_router(),
        auto_responses_router(),
        runs_router(),
        jobs_router(),
        kv_router(),
        keys_router(),
        organization_router(),
        hooks_router(),
        intelligence_router(),
        ai_router(),
        approvals_router(),
        sending_router(),
        brainstorms_router(),
        realtime_router(),
        summaries_router(),
    ]
    if settings.legacy_prefix:
        handlers.append(legacy_router(settings.legacy_prefix))
    return Router(
        "/",
        route_handlers=handlers,
        guards=[guard_api],
        request_class=StrictRequest,
        dependencies={"access": Provide(provide_access, sync_to_thread=False)},
        exception_handlers={Replay: _replay},
        security=[{"apiKey": []}, {"session": []}],
    )


def _problem(request: Request[Any, Any, Any], exception: Exception) -> Response[Any]:
    """A page for a browser at an address there is none of; problem details for the rest."""
    is_for_people = "text/html" in request.headers.get("accept", "")
    if is_for_people and not request.url.path.startswith("/v1/"):
        return problem_page(request, exception)
    return problems.handle(request, exception)


def _replay(_: Request[Any, Any, Any], replay: Replay) -> Response[Any]:
    answer = replay.answer
    return respond(answer.status, answer.headers, answer.body)


def _cors(settings: Settings) -> CORSConfig | None:
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "last-event-id",
        ],
        expose_headers=["etag", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"],
        max_age=600,
    )


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Tidings",
        version=tidings.__version__,
        description="Self-hosted engagement intelligence. Errors are RFC 9457 problem details.",
        path="/schema",
        use_handler_docstrings=True,
        render_plugins=[DocumentedRoutes()],
        components=Components(
            security_schemes={
                "apiKey": SecurityScheme(type="http", scheme="bearer", description="tk_…"),
                "session": SecurityScheme(
                    type="apiKey", name="tidings_session", security_scheme_in="cookie"
                ),
            }
        ),
    )
