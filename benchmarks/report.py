"""Runs the bars one after another and writes docs/reference/benchmarks.md from their figures.

`report.py` measures (`--quick` less of each); `report.py --only-write` writes what was measured.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from pairs import PAIRS, RESULTS, machine

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "benchmarks.md"
REMARKS = HERE / "remarks.md"

_MEASURES = re.compile(r"^    (pairs\.)?run\(main\)$", re.MULTILINE)

HEAD = """\
# Benchmarks

Written by `make bench` ({machine}{quick}). Ours and the peer take turns in one run, {pairs} pairs
each; figures are medians, the ratio is the median of the pairs' own ratios, its spread their lowest
and highest. Load, peer and PostgreSQL share the machine, so ratios count and rates do not.
PostgreSQL is as durable as it is by default; Redis appends and syncs each second.

| what | ours | peer | unit | ratio | spread | asked | met |
|---|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Measure and write; 1 when a benchmark could not run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only-write", action="store_true")
    options = parser.parse_args()
    broken = [] if options.only_write else _measure(quick=options.quick)
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text())
    PAGE.write_text(_page(results, quick=options.quick), encoding="utf-8")
    for name in broken:
        print(f"{name} could not run; see above.", file=sys.stderr)
    return 1 if broken else 0


def _measure(*, quick: bool) -> list[str]:
    broken = []
    for file in sorted(HERE.glob("*.py")):
        # Those that compare; the others here are what they share.
        if not _MEASURES.search(file.read_text(encoding="utf-8")):
            continue
        print(f"== {file.name}", flush=True)
        command = [sys.executable, file, *(["--quick"] if quick else [])]
        if subprocess.run(command, check=False, timeout=600).returncode != 0:
            broken.append(file.name)
    return broken


def _page(results: dict[str, dict[str, Any]], *, quick: bool) -> str:
    head = HEAD.format(machine=machine(), quick=", quick form" if quick else "", pairs=PAIRS)
    rows = "".join(_row(bar) for bar in results.values())
    return f"{head}{rows}\n{REMARKS.read_text(encoding='utf-8')}"


def _row(bar: dict[str, Any]) -> str:
    cells = [
        bar["title"],
        f"{bar['ours']:,g}",
        f"{bar['peer']:,g} ({bar['with_whom']})",
        bar["unit"],
        f"{bar['ratio']:g}",
        f"{bar['spread'][0]:g} to {bar['spread'][1]:g}",
        bar["asked"],
        "yes" if bar["met"] else "no",
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(main())
