"""Every page, behind one guard, with one answer to what goes wrong."""

from typing import Any
from urllib.parse import quote

from litestar import Response, Router
from litestar.di import Provide

from tidings.base.errors import TidingsError
from tidings.web.auth import SESSION_COOKIE, AnyRequest, guard_page, provide_access
from tidings.web.pages.ai import ai_pages
from tidings.web.pages.approvals import approval_pages
from tidings.web.pages.brainstorms import brainstorm_pages
from tidings.web.pages.companies import companies_router
from tidings.web.pages.gateways import gateway_pages
from tidings.web.pages.home import home
from tidings.web.pages.inbox import inbox_pages
from tidings.web.pages.inbox_answers import answer_pages
from tidings.web.pages.intelligence import intelligence_pages
from tidings.web.pages.jobs import job_pages
from tidings.web.pages.kv import kv_pages
from tidings.web.pages.meetings import meetings_pages
from tidings.web.pages.members import member_pages
from tidings.web.pages.organization import organization_pages
from tidings.web.pages.password import password_router
from tidings.web.pages.rules import rules_pages
from tidings.web.pages.runs import run_page
from tidings.web.pages.sending import sending_pages
from tidings.web.pages.session import session_router
from tidings.web.pages.settings import settings_router
from tidings.web.pages.shell import go, local_path, page
from tidings.web.pages.summaries import summary_pages
from tidings.web.pages.unsubscribe import unsubscribe_pages
from tidings.web.problems import as_error, log_defect, problem_of, retry_headers


def pages_router() -> Router:
    """The pages."""
    return Router(
        "/",
        route_handlers=[
            home,
            session_router(),
            companies_router(),
            meetings_pages(),
            inbox_pages(),
            answer_pages(),
            intelligence_pages(),
            rules_pages(),
            run_page,
            job_pages(),
            kv_pages(),
            settings_router(),
            member_pages(),
            organization_pages(),
            ai_pages(),
            approval_pages(),
            sending_pages(),
            gateway_pages(),
            unsubscribe_pages(),
            brainstorm_pages(),
            password_router(),
            summary_pages(),
        ],
        guards=[guard_page],
        dependencies={"access": Provide(provide_access, sync_to_thread=False)},
        exception_handlers={Exception: problem_page},
        include_in_schema=False,
    )


def problem_page(request: AnyRequest, exception: Exception) -> Response[Any]:
    """What went wrong, as a page; who is not signed in goes to the sign-in form and comes back."""
    error = as_error(exception)
    log_defect(request, error, exception)
    problem = problem_of(error)
    if problem.status == 401:
        redirect = go(_sign_in_and_return(request))
        redirect.delete_cookie(SESSION_COOKIE)
        return redirect
    context = {
        "status": problem.status,
        "code": problem.code,
        "detail": "" if problem.status == 500 or _says_no_more(error) else problem.detail,
        "retry_after": None if error.retry_after is None else max(1, round(error.retry_after)),
        "request_id": request.scope["state"].get("request_id"),
        "again": local_path(_address(request)) if _may_pass(request, problem.status) else None,
    }
    answer = page(request, "errors/problem.html", context, status=problem.status)
    answer.headers.update(retry_headers(error))
    return answer


def _says_no_more(error: TidingsError) -> bool:
    """Whether it carries its kind's own sentence, which is written for programs."""
    return error.message == error.sentence()


def _may_pass(request: AnyRequest, status: int) -> bool:
    """Whether to ask for the same page again may help."""
    return request.method == "GET" and (status == 429 or status >= 500)


def _sign_in_and_return(request: AnyRequest) -> str:
    """The sign-in form, which leads back to a page that was only looked at."""
    if request.method != "GET" or request.url.path == "/":
        return "/sign-in"
    return f"/sign-in?next={quote(_address(request), safe='/')}"


def _address(request: AnyRequest) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return request.url.path + (f"?{query}" if query else "")
