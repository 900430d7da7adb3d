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


def render_metrics(services: Services) -> bytes:
    """All metrics of this process in Prometheus' text format."""
    parts = CollectorRegistry(auto_describe=False)
    parts.register(_Parts(services))
    return generate_latest(REGISTRY) + generate_latest(parts)
