"""The only file that builds pools, gateway, queue and connectors, and puts them together."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from tidings.ai.gateway import Gateway
from tidings.ai.sweep import settle_orphans, sweep_ai
from tidings.approvals.draft import SEND
from tidings.approvals.due import EVERY as DUE_SECONDS
from tidings.approvals.due import look_for_due, sweep_send_slots
from tidings.approvals.live import approval_topics
from tidings.approvals.send import Sender
from tidings.approvals.ways import Ways
from tidings.base.errors import SettingInvalid, SourceUnconfigured
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.brainstorm.asking import KIND as BRAINSTORM_RUN
from tidings.brainstorm.asking import Args as BrainstormArgs
from tidings.brainstorm.asking import Brainstormer
from tidings.brainstorm.board import board_topic
from tidings.brainstorm.own import OWN as BRAINSTORM_OWN
from tidings.brainstorm.sweep import sweep_brainstorm_answers
from tidings.connectors.check_mailbox import LOOK as MAIL_SECONDS
from tidings.connectors.check_mailbox import Checker, look_for_mail
from tidings.connectors.mailboxes import KIND as CHECK_MAILBOX
from tidings.db.addresses import Addresses
from tidings.db.listen import Listener
from tidings.db.pools import analytics_pool, primary_pool
from tidings.db.transaction import Database
from tidings.engagement.start import Args
from tidings.engagement.summarize import Summarizer
from tidings.intelligence import jobs as intelligence
from tidings.intelligence.sweep import refresh_trends, sweep_intelligence
from tidings.kv.store import Kv
from tidings.kv.sweep import EVERY as SWEEP_SECONDS
from tidings.kv.sweep import sweep_kv
from tidings.kv.watch import TOPICS as KV_TOPICS
from tidings.meetings.fathom import CallLimit, FathomClient
from tidings.meetings.hooks import sweep_deliveries
from tidings.meetings.recalled import preload_meetings
from tidings.meetings.sync import sync_domain
from tidings.messages.members import channel_topics
from tidings.messages.own import OWN as MESSAGES_OWN
from tidings.queue.context import JobContext
from tidings.queue.cron import CronEntry
from tidings.queue.schedule import Every
from tidings.queue.sweep import queue_schedules
from tidings.queue.wake import WakeUp
from tidings.queue.worker import Worker, WorkerConfig
from tidings.realtime import access, changes, rooms
from tidings.realtime.backplane import Backplane, PostgresBackplane
from tidings.realtime.broadcast import Broadcasts
from tidings.realtime.nats import NatsBackplane
from tidings.realtime.outbox import sweep_outbox
from tidings.realtime.presence import Presences
from tidings.realtime.relay import Relay
from tidings.realtime.rooms import BOARD
from tidings.realtime.subscribe import CHANNEL, Hub
from tidings.realtime.supabase import SupabaseBridge
from tidings.realtime.topics import TopicChecks, any_member
from tidings.recall.cache import Recall
from tidings.recall.invalidate import Invalidations
from tidings.recall.preload import Preloader
from tidings.replies import jobs as replies
from tidings.replies.consider import KIND as CONSIDER_REPLIES
from tidings.replies.consider import Considerer
from tidings.replies.own import OWN as REPLIES_OWN
from tidings.replies.sweep import sweep_replies
from tidings.summaries.own import OWN as SUMMARIES_OWN
from tidings.summaries.schedule import EVERY as DIGEST_SECONDS
from tidings.summaries.schedule import start_due_digests
from tidings.summaries.start import KIND as SUMMARY
from tidings.summaries.start import Args as SummaryArgs
from tidings.summaries.sweep import sweep_summaries
from tidings.summaries.write import Writer
from tidings.tenancy.access import Requests
from tidings.tenancy.audit import seal_entries
from tidings.tenancy.own_data import OWN as TENANCY_OWN
from tidings.tenancy.rate_leases import RateLeases
from tidings.tenancy.secret_keys import SecretKeys, load_secret_keys
from tidings.tenancy.secrets import open_secret
from tidings.tenancy.sweep import sweep_tenancy
from tidings.web.services import Services
from tidings.worker.registry import Registry

log = structlog.get_logger(__name__)

OWN = (*TENANCY_OWN, *MESSAGES_OWN, *REPLIES_OWN, *SUMMARIES_OWN, *BRAINSTORM_OWN)
"""What each domain keeps of a person, to take along."""
POLL = 0.25
"""Seconds between looks for events when nobody says that there are some."""
POLL_WHEN_WOKEN = 5.0
"""The same when a backplane says so."""


@dataclass(frozen=True)
class System:
    """One process's parts."""

    settings: Settings
    addresses: Addresses
    db: Database
    keys: SecretKeys
    gateway: Gateway
    presences: Presences

    def services(self, hub: Hub, relay: Relay, recall: Recall | None = None) -> Services:
        """What the web needs; without a cache of `recalling` nothing is remembered."""
        return Services(
            settings=self.settings,
            db=self.db,
            kv=Kv(self.db, hub),
            hub=hub,
            relay=relay,
            recall=recall or self.cache(),
            broadcasts=Broadcasts(self.db, relay),
            presences=self.presences,
            gateway=self.gateway,
            requests=Requests(self.db, RateLeases(self.settings.rate_limit)),
            keys=self.keys,
            own=OWN,
        )

    def cache(self) -> Recall:
        """A recall cache, off until somebody follows the changes for it."""
        return Recall(self.settings.recall_entries, self.settings.recall_ttl)


def worker_connections(settings: Settings) -> int:
    """Most connections of a worker's pool: one for each job, and a few for its duties."""
    return min(settings.pool_primary_max, settings.worker_concurrency + 4)


@asynccontextmanager
async def open_system(
    settings: Settings, addresses: Addresses, *, reports: bool = False
) -> AsyncIterator[System]:
    """Pools, keys and gateway for the block; drained and closed after it.

    `reports` opens the analytics pool too, where there is an address for it.
    """
    async with AsyncExitStack() as stack:
        analytics = None
        if reports and addresses.analytics is not None:
            analytics = analytics_pool(settings, addresses.analytics)
        db = Database(primary_pool(settings, addresses.app), analytics)
        await db.open()
        stack.push_async_callback(db.close)
        keys = load_secret_keys(settings)
        gateway = Gateway(db, settings, keys)
        stack.push_async_callback(gateway.close)
        yield System(settings, addresses, db, keys, gateway, Presences(db))


def topic_checks(db: Database) -> TopicChecks:
    """Who may read which topic."""
    return {
        BOARD: board_topic(db),
        "run": any_member,
        "ai": any_member,
        **rooms.TOPICS,
        **changes.TOPICS,
        **access.TOPICS,
        **KV_TOPICS,
        **channel_topics(db),
        **approval_topics(db),
    }


@asynccontextmanager
async def realtime(system: System) -> AsyncIterator[tuple[Hub, Relay]]:
    """Hub and relay of this process, running for the block."""
    nats = system.settings.backplane
    listen = system.addresses.listen
    is_woken = nats is not None or listen is not None
    hub = Hub(system.db, topic_checks(system.db), poll=POLL_WHEN_WOKEN if is_woken else POLL)
    backplane: Backplane | None = None
    if nats is not None:
        backplane = NatsBackplane(nats.get_secret_value(), hub)
    elif listen is not None:
        backplane = PostgresBackplane(system.db, listen, hub)
    relay = Relay(system.db, hub=hub, backplane=backplane)
    duties: list[Coroutine[Any, Any, None]] = [hub.run(), relay.run(), system.presences.run()]
    if backplane is not None:
        duties.append(backplane.run())
    if (bridge := supabase_bridge(system)) is not None:
        duties.append(bridge.run())
    async with background(duties):
        yield hub, relay


def supabase_bridge(system: System) -> SupabaseBridge | None:
    """The bridge to Supabase Realtime, where one is set up."""
    settings = system.settings
    if settings.supabase_url is None:
        return None
    if settings.supabase_key is None:
        raise SettingInvalid("TIDINGS_SUPABASE_URL needs TIDINGS_SUPABASE_KEY beside it.")
    key = settings.supabase_key.get_secret_value()
    prefixes = [prefix.strip() for prefix in settings.supabase_topics.split(",")]
    return SupabaseBridge(system.db, settings.supabase_url, key, prefixes)


@asynccontextmanager
async def recalling(system: System) -> AsyncIterator[Recall]:
    """The recall cache of this process for the block; off where there is no LISTEN."""
    recall = system.cache()
    if system.addresses.listen is None:
        yield recall
        return
    changes = Invalidations(system.db, recall)
    listener = Listener(system.addresses.listen, {CHANNEL: changes.wake}, lost=changes.lost)
    preloads = [preload_meetings(system.db)]
    preloader = Preloader(recall, preloads, interval=system.settings.recall_ttl)
    async with background([changes.run(), listener.run(), preloader.run()]):
        yield recall


@asynccontextmanager
async def background(duties: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run duties beside the block and end them with it."""
    tasks = [asyncio.create_task(duty) for duty in duties]
    for task in tasks:
        task.add_done_callback(_report_end)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _report_end(duty: asyncio.Task[None]) -> None:
    """Say so when a duty ends before its process: nothing does its work from then on."""
    if not duty.cancelled():
        log.critical("duty_ended", duty=str(duty.get_coro()), exc_info=duty.exception())


def build_worker(system: System, relay: Relay) -> Worker:
    """The worker with every handler and schedule."""
    registry = Registry()
    summarizer = Summarizer(system.db, system.gateway, system.settings, fathom_sync(system))

    async def summarize(context: JobContext, args: dict[str, Any]) -> None:
        await summarizer.run(context, msgspec.convert(args, Args))
        relay.nudge()

    writer = Writer(system.db, system.gateway, system.settings)

    async def write_summary(context: JobContext, args: dict[str, Any]) -> None:
        await writer.run(context, msgspec.convert(args, SummaryArgs))
        relay.nudge()

    brainstormer = Brainstormer(system.db, system.gateway)

    async def brainstorm(context: JobContext, args: dict[str, Any]) -> None:
        await brainstormer.run(context, msgspec.convert(args, BrainstormArgs))
        relay.nudge()

    registry.handle("engagement", summarize)
    for kind, handler in intelligence.handlers(system.db, system.gateway, relay.nudge).items():
        registry.handle(kind, handler)
    registry.handle(SEND, build_sender(system).run)
    registry.handle(CONSIDER_REPLIES, replies.consider(Considerer(system.db, system.gateway)))
    registry.handle(SUMMARY, write_summary)
    checker = Checker(system.db, system.keys, system.settings, relay.nudge)
    registry.handle(CHECK_MAILBOX, checker.run)
    registry.handle(BRAINSTORM_RUN, brainstorm)
    registry.schedule(*queue_schedules(system.db), *sweeps(system.db))
    return Worker(
        system.db,
        registry.handlers,
        WorkerConfig.from_settings(system.settings),
        WakeUp(system.addresses.listen),
        registry.schedules,
    )


def build_sender(system: System) -> Sender:
    """What sends approvals. Raises `SettingInvalid` for a mail server that cannot be one."""
    ways = Ways(system.db, system.keys, system.settings)
    return Sender(system.db, ways, public_url(system.settings))


def public_url(settings: Settings) -> str:
    """Where people reach Tidings."""
    return settings.base_url or f"http://{settings.host}:{settings.port}"


def sweeps(db: Database) -> list[CronEntry]:
    """What is forgotten, and how often it is looked for."""

    def entry(name: str, seconds: float, sweep: Callable[[Database], Any]) -> CronEntry:
        async def run() -> None:
            await sweep(db)

        return CronEntry(name=name, schedule=Every(seconds), run=run)

    return [
        entry("sweep_kv", SWEEP_SECONDS, sweep_kv),
        entry("sweep_brainstorm_answers", 3600, sweep_brainstorm_answers),
        entry("sweep_outbox", 3600, sweep_outbox),
        entry("sweep_tenancy", 3600, sweep_tenancy),
        entry("sweep_deliveries", 86_400, sweep_deliveries),
        entry("seal_audit", 60, seal_entries),
        entry("settle_orphans", 30, settle_orphans),
        entry("sweep_ai", 3600, sweep_ai),
        entry("sweep_intelligence", 86_400, sweep_intelligence),
        entry("refresh_trends", 3600, refresh_trends),
        entry("send_due", DUE_SECONDS, look_for_due),
        entry("look_for_mail", MAIL_SECONDS, look_for_mail),
        entry("sweep_send_slots", 3600, sweep_send_slots),
        entry("sweep_replies", 86_400, sweep_replies),
        entry("sweep_summaries", 3600, sweep_summaries),
        entry("start_due_digests", DIGEST_SECONDS, start_due_digests),
    ]


def fathom_sync(system: System) -> Callable[[Tenant, str, bool | None], Any]:
    """The door to Fathom that a summary uses before it reads."""
    limits: defaultdict[bytes, CallLimit] = defaultdict(CallLimit)

    async def sync(tenant: Tenant, domain: str, asked: bool | None) -> None:
        if asked is False:
            return
        key = await fathom_key(system, tenant)
        if key is None:
            if asked:
                raise SourceUnconfigured("FATHOM_API_KEY not configured")
            return
        settings = system.settings
        limit = limits[hashlib.sha256(key.encode()).digest()]
        async with FathomClient(key, settings.fathom_base_url, limit=limit) as client:
            fresh = 0.0 if asked else settings.fathom_sync_age
            await sync_domain(system.db, tenant, client, domain, fresh_seconds=fresh)

    return sync


async def fathom_key(system: System, tenant: Tenant) -> str | None:
    """The organization's Fathom key, else the deployment's, else None."""
    stored = await open_secret(system.db, system.keys, tenant, "fathom_api_key")
    default = system.settings.fathom_api_key
    return stored or (default.get_secret_value() if default else None)
