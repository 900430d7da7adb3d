"""What runs beside the database: a worker, the AI engine, Fathom."""

from datetime import datetime, timedelta

from tidings.ai.access import read_access
from tidings.ai.prices import Prices
from tidings.base.errors import TidingsError
from tidings.base.tenant import Tenant
from tidings.cli.doctor.finding import Finding, fail, ok, warn
from tidings.queue.jobs import QueueState
from tidings.wiring import System, fathom_key

RECENT = timedelta(minutes=3)
"""A worker leaves a trace each minute even when it has nothing to do."""
LATE = timedelta(minutes=1)


def check_worker(facts: QueueState, now: datetime) -> Finding:
    """Somebody works on the queue."""
    advice = "Start one: `tidings work`, or `tidings up` for web and worker together."
    if facts.worker_seen_at is None or now - facts.worker_seen_at > RECENT:
        seen = (
            f"last seen {facts.worker_seen_at:%Y-%m-%d %H:%M} UTC"
            if facts.worker_seen_at
            else "never seen"
        )
        return warn("worker", f"No worker runs ({seen}).", advice)
    if facts.due_since is not None and now - facts.due_since > LATE:
        minutes = (now - facts.due_since).total_seconds() / 60
        return warn(
            "worker",
            f"The oldest job has been due for {minutes:.0f} minutes.",
            "Start another worker, or raise TIDINGS_WORKER_CONCURRENCY.",
        )
    return ok("worker", "seen within the last minutes")


async def check_engine(system: System, tenant: Tenant) -> Finding:
    """The organization's AI engine has what it needs: a key and a price."""
    settings = system.settings
    try:
        access = await read_access(system.db, system.keys, settings, tenant)
        engine = access.choose(None)
        access.key(engine)
        if not engine.is_local:
            Prices(settings.model_prices).require(engine)
    except TidingsError as error:
        return fail(
            "AI engine",
            error.message,
            "Set TIDINGS_ENGINE=local, or give the engine its key and price "
            "(`tidings secrets set`, TIDINGS_MODEL_PRICES).",
        )
    if engine.is_local:
        return ok("AI engine", "local: extractive, works offline and without a key")
    return ok("AI engine", f"{engine}, its key is set and its price known")


async def check_fathom(system: System, tenant: Tenant) -> Finding:
    """Meetings can be fetched from Fathom."""
    try:
        key = await fathom_key(system, tenant)
    except TidingsError as error:
        return fail("Fathom", error.message, "Run `tidings secrets set fathom_api_key` again.")
    if key is None:
        return warn(
            "Fathom",
            "No key: meetings come from files and the API alone.",
            "Set FATHOM_API_KEY or run `tidings secrets set fathom_api_key`, if you use Fathom.",
        )
    return ok("Fathom", "a key is set")
