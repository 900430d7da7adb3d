"""Ours and the peer's, taken in turns in one run: medians, spread, and their ratio.

A benchmark names its bars, and measures each by `compare`: at least five pairs, the first of each
pair changing, so that a slower minute of the machine meets both. Times never count alone.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

RESULTS = Path(__file__).with_name("results.json")
PAIRS = 5

Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True)
class Bar:
    """What is compared with whom; `ratio` is ours to the peer's, at least or at most `asked`."""

    name: str
    title: str
    peer: str
    unit: str
    asked: float
    at_most: bool = False


@dataclass(frozen=True)
class Outcome:
    """Medians of all pairs; `ratio` is the median of the pairs' own ratios, `spread` their ends."""

    title: str
    with_whom: str
    unit: str
    asked: str
    ours: float
    peer: float
    ratio: float
    spread: list[float]
    pairs: int
    met: bool


def options() -> argparse.Namespace:
    """`--quick` measures less of each, `--pairs N` how often; the same for every benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="smaller figures, for `make bench`")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    return parser.parse_args()


async def compare(bar: Bar, ours: Measure, peer: Measure, pairs: int = PAIRS) -> Outcome:
    """Measure both in turns, print and record what came out."""
    mine: list[float] = []
    others: list[float] = []
    for pair in range(pairs):
        for measure, taken in [(ours, mine), (peer, others)][:: 1 if pair % 2 == 0 else -1]:
            taken.append(await measure())
    ratios = sorted(a / b for a, b in zip(mine, others, strict=True))
    ratio = statistics.median(ratios)
    outcome = Outcome(
        title=bar.title,
        with_whom=bar.peer,
        unit=bar.unit,
        asked=f"{'at most' if bar.at_most else 'at least'} {bar.asked:g}",
        ours=_short(statistics.median(mine)),
        peer=_short(statistics.median(others)),
        ratio=_short(ratio),
        spread=[_short(ratios[0]), _short(ratios[-1])],
        pairs=pairs,
        met=ratio <= bar.asked if bar.at_most else ratio >= bar.asked,
    )
    record(bar.name, outcome)
    return outcome


def record(name: str, outcome: Outcome) -> None:
    """Put one bar's figures among those in results.json, and print them."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[name] = asdict(outcome)
    half_written = RESULTS.with_suffix(".new")
    half_written.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
    half_written.replace(RESULTS)
    print(
        f"{'met   ' if outcome.met else 'MISSED'} {outcome.title}: {outcome.ours:g} against "
        f"{outcome.peer:g} {outcome.unit} ({outcome.with_whom}), ratio {outcome.ratio:g} "
        f"({outcome.spread[0]:g} to {outcome.spread[1]:g}), asked {outcome.asked}",
        flush=True,
    )


def machine() -> str:
    """What the figures were taken on."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def run(main: Callable[[argparse.Namespace], Coroutine[Any, Any, None]]) -> None:
    """Run a benchmark's main on uvloop, as our processes do."""

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(options()))


def _short(value: float) -> float:
    return float(f"{value:.4g}")
