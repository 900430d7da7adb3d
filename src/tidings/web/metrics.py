"""Prometheus metrics: requests are counted by Litestar, the rest is read when asked."""

from collections.abc import Iterator

from litestar.plugins.prometheus import PrometheusConfig
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tidings.web.services import Services

REQUESTS = PrometheusConfig(app_name="tidings", prefix="tidings", group_path=True)
"""Counts and times requests by route, method and status."""


class _Parts(Collector):
    """The figures that the parts of this process keep themselves."""

    def __init__(self, services: Services) -> None:
        self._services = services

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
        hub = GaugeMetricFamily(
            "tidings_realtime_subscriptions", "Subscriptions to topics on this process."
        )
        hub.add_metric([], self._services.hub.subscriptions)
        yield hub
        yield from self._ai()

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


def render_metrics(services: Services) -> bytes:
    """All metrics of this process in Prometheus' text format."""
    parts = CollectorRegistry(auto_describe=False)
    parts.register(_Parts(services))
    return generate_latest(REGISTRY) + generate_latest(parts)
