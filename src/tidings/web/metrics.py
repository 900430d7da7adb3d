"""Prometheus metrics: requests are counted as they end, the rest is read when asked."""

from collections.abc import Iterator
from functools import cache
from time import perf_counter
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Send
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from tidings.base import clock
from tidings.queue.jobs import QueueState
from tidings.web.services import Services

_ROUTE = ("method", "path")
_ANSWER = (*_ROUTE, "status_code")
_TOTAL = Counter("tidings_requests_total", "Requests by route, method and status.", _ANSWER)
_FAILED = Counter("tidings_requests_error_total", "Those that failed here.", _ANSWER)
_SECONDS = Histogram("tidings_request_duration_seconds", "How long they took.", _ANSWER)
_UNDER_WAY = Gauge("tidings_requests_in_progress", "Requests that have no answer yet.", _ROUTE)


def count_requests(app: ASGIApp) -> ASGIApp:
    """A middleware that counts and times the requests of each route."""

    async def counted(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        route = (scope["method"], scope["path_template"])
        status = 500  # unless something else is sent

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = perf_counter()
        under_way = _under_way(*route)
        under_way.inc()
        try:
            await app(scope, receive, send_and_note)
        finally:
            under_way.dec()
            seconds, *counters = _answered(*route, status)
            seconds.observe(perf_counter() - began)
            for counter in counters:
                counter.inc()

    return counted


# Looking a child up by its labels takes longer than counting; there are as many as routes.
@cache
def _under_way(method: str, path: str) -> Gauge:
    return _UNDER_WAY.labels(method, path)


@cache
def _answered(method: str, path: str, status: int) -> tuple[Histogram, *tuple[Counter, ...]]:
    labels = method, path, str(status)
    counters = [_TOTAL] if status < 500 else [_TOTAL, _FAILED]
    return _SECONDS.labels(*labels), *(counter.labels(*labels) for counter in counters)


class _Parts(Collector):
    """The figures that the parts of this process keep themselves."""

    def __init__(self, services: Services, queue: QueueState | None) -> None:
        self._services = services
        self._queue = queue

    def collect(self) -> Iterator[Metric]:
        trips = CounterMetricFamily(
            "tidings_database_round_trips", "Database round trips this process made."
        )
        trips.add_metric([], self._services.db.trips.total)
        yield trips
        pools = GaugeMetricFamily(
            "tidings_pool", "Figures of the connection pools.", labels=["pool", "figure"]
        )
        for pool, figures in self._services.db.pool_stats().items():
            for figure, value in figures.items():
                pools.add_metric([pool, figure], value)
        yield pools
        yield from self._recall()
        hub = GaugeMetricFamily(
            "tidings_realtime_subscriptions", "Subscriptions to topics on this process."
        )
        hub.add_metric([], self._services.hub.subscriptions)
        yield hub
        yield from self._ai()
        if self._queue is not None:
            yield from _queue(self._queue)

    def _recall(self) -> Iterator[Metric]:
        stats = self._services.recall.stats()
        state = GaugeMetricFamily(
            "tidings_recall", "The recall cache as it stands.", labels=["figure"]
        )
        for figure, value in (
            ("on", stats.is_on),
            ("size", stats.size),
            ("weight", stats.weight),
            ("most", stats.most),
            ("hit_rate", stats.hit_rate),
        ):
            state.add_metric([figure], value)
        yield state
        events = CounterMetricFamily(
            "tidings_recall_events", "What the recall cache did.", labels=["event"]
        )
        for event in ("hits", "misses", "joined", "evictions", "dropped", "stale_prevented"):
            events.add_metric([event], getattr(stats, event))
        yield events
        yield SummaryMetricFamily(
            "tidings_recall_load_seconds",
            "Time that loads of the recall cache took.",
            count_value=stats.loads,
            sum_value=stats.load_seconds,
        )

    def _ai(self) -> Iterator[Metric]:
        gateway = self._services.gateway
        stored = CounterMetricFamily(
            "tidings_ai_responses", "Answers asked of a store, by outcome.", labels=["outcome"]
        )
        stored.add_metric(["hit"], gateway.responses.hits)
        stored.add_metric(["miss"], gateway.responses.misses)
        yield stored
        waiting = GaugeMetricFamily(
            "tidings_ai_ledger_waiting", "Rows of the usage ledger that could not be written yet."
        )
        waiting.add_metric([], gateway.ledger.waiting)
        yield waiting
        calls = CounterMetricFamily(
            "tidings_ai_calls", "Calls to providers that ended.", labels=["engine", "status"]
        )
        for (engine, status), count in gateway.ledger.calls.items():
            calls.add_metric([engine, status], count)
        yield calls
        cost = CounterMetricFamily("tidings_ai_cost_usd", "What they cost.", labels=["engine"])
        for engine, usd in gateway.ledger.cost.items():
            cost.add_metric([engine], float(usd))
        yield cost
        opened = CounterMetricFamily(
            "tidings_ai_breaker_opened", "Times a provider was left alone.", labels=["provider"]
        )
        state = GaugeMetricFamily(
            "tidings_ai_breaker", "1 for the state a breaker is in.", labels=["provider", "state"]
        )
        for provider, breaker in gateway.breakers.known.items():
            opened.add_metric([provider], breaker.opened)
            state.add_metric([provider, breaker.state], 1)
        yield opened
        yield state


def _queue(state: QueueState) -> Iterator[Metric]:
    depth = GaugeMetricFamily("tidings_queue_depth", "Jobs of all organizations that wait or run.")
    depth.add_metric([], state.depth)
    yield depth
    waits = GaugeMetricFamily(
        "tidings_queue_due_seconds", "How long the first due job of all organizations has waited."
    )
    since = state.due_since
    waits.add_metric([], 0 if since is None else max(0, (clock.now() - since).total_seconds()))
    yield waits


def render_metrics(services: Services, queue: QueueState | None) -> bytes:
    """All metrics of this process in Prometheus' text format."""
    parts = CollectorRegistry(auto_describe=False)
    parts.register(_Parts(services, queue))
    return generate_latest(REGISTRY) + generate_latest(parts)
