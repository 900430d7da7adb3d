"""What a measurement is, and how its figures are taken: several rounds, median and ends."""

import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from tidings.base.tenant import Tenant
from tidings.cli.progress import Bar
from tidings.kv.store import Kv
from tidings.wiring import System

CALLERS = 16
"""How many ask at once, where several do."""


@dataclass(frozen=True)
class Ground:
    """What measurements work on; `scale` is 1, less when there is little time."""

    system: System
    tenant: Tenant
    kv: Kv
    scale: float

    def count(self, whole: int) -> int:
        """So many, or fewer when there is little time."""
        return max(1, int(whole * self.scale))


@dataclass(frozen=True)
class Line:
    """One figure of a measurement; `most` is what it should not exceed, where that is known."""

    name: str
    title: str
    unit: str
    most: float | None = None


@dataclass(frozen=True)
class Measurement:
    """Takes one figure for each of its lines, each time it is asked."""

    group: str
    lines: tuple[Line, ...]
    take: Callable[[Ground], Awaitable[Sequence[float]]]


class Figure(msgspec.Struct, frozen=True):
    """The median of some rounds, and the lowest and highest of them."""

    name: str
    title: str
    unit: str
    value: float
    lowest: float
    highest: float
    rounds: int
    most: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether it is within its limit; None without one."""
        return None if self.most is None else self.value <= self.most


async def take_figures(
    ground: Ground, measurements: Sequence[Measurement], rounds: int, bar: Bar
) -> list[Figure]:
    """Take every figure in `rounds` turns through all of them, so that a slow moment meets all."""
    taken: dict[Line, list[float]] = {line: [] for one in measurements for line in one.lines}
    total = rounds * len(measurements)
    for turn in range(rounds):
        for place, measurement in enumerate(measurements):
            bar.at(measurement.lines[0].title, turn * len(measurements) + place, total)
            values = await measurement.take(ground)
            for line, value in zip(measurement.lines, values, strict=True):
                taken[line].append(value)
    bar.at("", total, total)
    return [_figure(line, values) for line, values in taken.items()]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _figure(line: Line, values: Sequence[float]) -> Figure:
    return Figure(
        name=line.name,
        title=line.title,
        unit=line.unit,
        value=_short(statistics.median(values)),
        lowest=_short(min(values)),
        highest=_short(max(values)),
        rounds=len(values),
        most=line.most,
    )


def _short(value: float) -> float:
    return float(f"{value:.4g}")
