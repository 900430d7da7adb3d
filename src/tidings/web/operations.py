"""What an operator's tools ask: alive, ready, metrics."""

import msgspec
from litestar import Response, Router, get
from litestar.openapi.datastructures import ResponseSpec

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable, TidingsError
from tidings.db.health import check_schema
from tidings.queue.jobs import queue_state
from tidings.realtime.relay import RelayState, relay_state
from tidings.recall.cache import RecallStats
from tidings.web.given import GivenServices
from tidings.web.metrics import render_metrics


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """Whether it can do its work, part by part."""

    status: str
    checks: dict[str, str]


@get("/healthz", sync_to_thread=False, tags=["Operations"], operation_id="healthz")
def healthz() -> Health:
    """Answers while the process does."""
    return Health()


@get(
    "/readyz",
    tags=["Operations"],
    responses={503: ResponseSpec(Readiness, description="What is missing.")},
    operation_id="readyz",
)
async def readyz(services: GivenServices) -> Response[Readiness]:
    """200 when the database answers and is migrated; else 503 with what is missing."""
    checks: dict[str, str] = {}
    try:
        checks["migrations"] = f"at {await check_schema(services.db)}"
        checks["queue"] = f"{(await queue_state(services.db)).depth} jobs wait"
        checks["relay"] = _said_of(await relay_state(services.db))
        checks["recall"] = _remembered(services.recall.stats())
        is_ready = True
    except TidingsError as error:
        checks["database"] = error.message
        is_ready = False
    return Response(
        Readiness("ok" if is_ready else "unavailable", checks), status_code=200 if is_ready else 503
    )


def _said_of(relay: RelayState) -> str:
    # Never a reason to send nobody here: live pages ask by themselves while no event comes.
    if not relay.is_held:
        return "nobody relays at this moment"
    if relay.waiting_seconds is None:
        return "no event waits"
    return f"the oldest event has waited {relay.waiting_seconds:.1f} s"


def _remembered(recall: RecallStats) -> str:
    if not recall.is_on:
        return "off: nobody listens for changes"
    return f"{recall.size} entries, hit rate {recall.hit_rate:.0%}"


@get("/metrics", media_type="text/plain", tags=["Operations"], operation_id="metrics")
async def metrics(services: GivenServices) -> bytes:
    """Prometheus metrics of this process, and of the queue."""
    try:
        queue = await queue_state(services.db)
    except (DatabaseBusy, DatabaseUnavailable):
        # Its own figures say why.
        queue = None
    return render_metrics(services, queue)


def operations_router() -> Router:
    """Open to whoever reaches the port: they say nothing about any organization."""
    return Router("/", route_handlers=[healthz, readyz, metrics])
