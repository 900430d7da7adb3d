"""Auto-responses over HTTP: a person's rules, what they did, what they would do."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page
from tidings.db.transaction import Transaction
from tidings.replies.explain import Explained, TestRequest, explain
from tidings.replies.report import Analytics, LogPage, Outcome, read_analytics, read_log
from tidings.replies.rule import Rule, RuleDraft
from tidings.replies.rules import (
    create_rule,
    delete_rule,
    get_rule,
    list_rules,
    reorder_rules,
    replace_rule,
)
from tidings.replies.smart import SmartReplies, smart_replies
from tidings.web import examples
from tidings.web.answers import Answer, keep, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.preconditions import IfMatch, etag, expected_version

SCOPE = {"scope": "messages"}


class RuleList(msgspec.Struct, frozen=True):
    """Your rules in the order in which they are tried."""

    items: list[Rule]


class OrderRequest(msgspec.Struct, frozen=True):
    """All your rules, each once, the first to be tried first."""

    ids: list[UUID]


@get(
    "/auto-responses",
    opt=SCOPE,
    responses=documented(403),
    operation_id="listAutoResponses",
)
async def rules(
    access: GivenAccess,
    services: GivenServices,
    channel_id: Annotated[
        UUID | None, QueryParameter(description="Only rules whose conditions name this channel.")
    ] = None,
) -> RuleList:
    """Your rules, by priority; nobody else's."""
    return RuleList(await list_rules(services.db, access.tenant, channel_id))


@post(
    "/auto-responses",
    status_code=201,
    opt=SCOPE,
    responses=documented(403, 409, 413, 422),
    operation_id="createAutoResponse",
    operation_class=Idempotent,
)
async def create(
    request: Request[Any, Any, Any],
    data: Annotated[RuleDraft, examples.AUTO_RESPONSE],
    access: GivenAccess,
    services: GivenServices,
) -> Response[Rule]:
    """Make a rule of yours."""

    async def work(transaction: Transaction) -> Answer:
        rule = await create_rule(transaction, data)
        return Answer(rule, 201, {"etag": etag(rule.version)})

    return await write(request, services, access.tenant, work)


@get(
    "/auto-responses/{rule_id:uuid}",
    opt=SCOPE,
    responses=documented(403, 404),
    operation_id="getAutoResponse",
)
async def rule(
    access: GivenAccess, services: GivenServices, rule_id: FromPath[UUID]
) -> Response[Rule]:
    """One rule of yours."""
    found = await get_rule(services.db, access.tenant, rule_id)
    return Response(found, headers={"etag": etag(found.version)})


@put(
    "/auto-responses/{rule_id:uuid}",
    opt=SCOPE,
    responses=documented(403, 404, 412, 413),
    operation_id="replaceAutoResponse",
)
async def replace(
    data: Annotated[RuleDraft, examples.AUTO_RESPONSE],
    access: GivenAccess,
    services: GivenServices,
    rule_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Rule]:
    """Change a rule; with If-Match only at that version."""
    version = expected_version(if_match)
    changed = await replace_rule(services.db, access.tenant, rule_id, data, version)
    return Response(changed, headers={"etag": etag(changed.version)})


@delete(
    "/auto-responses/{rule_id:uuid}",
    opt=SCOPE,
    responses=documented(403, 404, 412),
    operation_id="deleteAutoResponse",
)
async def remove(
    access: GivenAccess,
    services: GivenServices,
    rule_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> None:
    """Remove a rule; what it did stays in the log."""
    await delete_rule(services.db, access.tenant, rule_id, expected_version(if_match))


@post(
    "/auto-responses/reorder",
    status_code=200,
    opt=SCOPE,
    responses=documented(403, 409, 412, 413, 422),
    operation_id="reorderAutoResponses",
    operation_class=Idempotent,
)
async def reorder(
    request: Request[Any, Any, Any],
    data: Annotated[OrderRequest, examples.RULE_ORDER],
    access: GivenAccess,
    services: GivenServices,
) -> Response[RuleList]:
    """Let your rules be tried in this order."""
    ordered = await reorder_rules(services.db, access.tenant, data.ids)
    return await keep(request, services, Answer(RuleList(ordered), 200))


@post(
    "/auto-responses/test",
    status_code=200,
    opt=SCOPE,
    responses=documented(403, 404, 409, 413, 422, 502),
    operation_id="testAutoResponses",
    operation_class=Idempotent,
)
async def test(
    request: Request[Any, Any, Any],
    data: Annotated[TestRequest, examples.RULE_TEST],
    access: GivenAccess,
    services: GivenServices,
) -> Response[Explained]:
    """Say which rules match a message and why, what would stop a reply, and the reply."""
    explained = await explain(services.db, services.gateway, access.tenant, data)
    return await keep(request, services, Answer(explained, 200))


@get(
    "/auto-responses/log",
    opt=SCOPE,
    responses=documented(403),
    operation_id="listAutoResponseLog",
)
async def log(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    rule_id: Annotated[UUID | None, QueryParameter(description="Only of this rule.")] = None,
    outcome: Annotated[
        Outcome | None, QueryParameter(description="Only what came to this.")
    ] = None,
) -> LogPage:
    """What became of messages that your rules matched, newest first."""
    page = Page(limit, cursor)
    return await read_log(services.db, access.tenant, page, rule_id=rule_id, outcome=outcome)


@get(
    "/auto-responses/analytics",
    opt=SCOPE,
    responses=documented(403),
    operation_id="getAutoResponseAnalytics",
)
async def analytics(
    access: GivenAccess,
    services: GivenServices,
    days: Annotated[int, QueryParameter(ge=1, le=365, description="Days, today included.")] = 30,
) -> Analytics:
    """What your rules did in the last days: totals, by rule, by day, by guard, AI rate."""
    return await read_analytics(services.db, access.tenant, days)


@post(
    "/messages/{message_id:uuid}/smart-replies",
    status_code=200,
    opt=SCOPE,
    responses=documented(403, 404, 409, 413, 422, 502),
    operation_id="proposeSmartReplies",
    operation_class=Idempotent,
)
async def propose(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    message_id: FromPath[UUID],
) -> Response[SmartReplies]:
    """Propose two or three answers to a message; nothing is sent."""
    found = await smart_replies(services.db, services.gateway, access.tenant, message_id)
    return await keep(request, services, Answer(found, 200))


def auto_responses_router() -> Router:
    """Everything below `/v1/auto-responses`, and smart replies."""
    return Router(
        "/v1",
        route_handlers=[
            rules, create, rule, replace, remove, reorder, test, log, analytics, propose,
        ],
        tags=["Auto-responses"],
    )  # fmt: skip
