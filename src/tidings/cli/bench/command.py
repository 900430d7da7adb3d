"""`tidings bench`: the figures that need no peer, on the database of the settings."""

from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from tidings.cli.bench import promises, queue, store
from tidings.cli.bench.measure import Figure, Ground, take_figures
from tidings.cli.output import Json, print_json, print_table, say
from tidings.cli.progress import open_bar
from tidings.cli.session import open_command_system
from tidings.kv.store import Kv
from tidings.realtime.subscribe import Hub
from tidings.tenancy.organizations import bench_organization
from tidings.wiring import topic_checks

Group = Literal["queue", "kv", "recall", "tenant", "budget", "fairness", "events"]

QUICK = 0.2
"""The share of the work that `--quick` does."""


app = App(name="bench")
app.command("tidings.cli.bench.quality:quality", name="quality")


@app.default
async def bench(
    *groups: Annotated[Group, Parameter(help="What to measure; unset: everything.")],
    rounds: Annotated[
        int, Parameter(help="Times each figure is taken.", validator=Number(gte=1, lte=100))
    ] = 3,
    quick: Annotated[bool, Parameter(negative="", help="Measure less of each.")] = False,
    json: Json = False,
) -> None:
    """Measure queue, KV, cache, tenants, budgets and events on your own database. Figures are
    medians of the rounds, taken in an organization that is deleted afterwards.

    Example: tidings bench queue kv --rounds 5
    """
    wanted = [
        one
        for one in (*queue.MEASUREMENTS, *store.MEASUREMENTS, *promises.MEASUREMENTS)
        if not groups or one.group in groups
    ]
    async with open_command_system() as system, bench_organization(system.db) as tenant:
        kv = Kv(system.db, Hub(system.db, topic_checks(system.db)))
        ground = Ground(system, tenant, kv, QUICK if quick else 1.0)
        with open_bar() as bar:
            figures = await take_figures(ground, wanted, rounds, bar)
    if json:
        print_json(figures)
        return
    print_table(("What", "Median", "Unit", "Lowest", "Highest", "Limit"), map(_row, figures))
    missed = [figure.title for figure in figures if figure.is_met is False]
    if missed:
        say(f"Over the limit: {', '.join(missed)}. A busy machine makes everything slower.")


def _row(figure: Figure) -> tuple[str, ...]:
    limit = "" if figure.most is None else f"at most {figure.most:g}"
    value, lowest, highest = map(_number, (figure.value, figure.lowest, figure.highest))
    return figure.title, value, figure.unit, lowest, highest, limit


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
