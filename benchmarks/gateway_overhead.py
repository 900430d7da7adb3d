"""What the gateway adds to a call: reserved, recorded, sent, validated, settled, against LiteLLM.

Added is the time through the gateway less the time of the same call without it, p50 and p99. In the
same turns, what an answer costs that was given before, as a share of what LiteLLM adds to a call.
"""

import argparse
import gc
from collections.abc import Awaitable, Callable
from decimal import Decimal

import gateway
import pairs
import place
from tidings.ai.budget import set_budget
from tidings.ai.gateway import Gateway
from tidings.ai.responses import Store
from tidings.base.tenant import Tenant
from tidings.tenancy.secret_keys import load_secret_keys

STORE = Store("bench", 3600)
PEER = "LiteLLM proxy"


def bars(at_once: int) -> tuple[pairs.Bar, pairs.Bar, pairs.Bar]:
    """Added p50, added p99, and p50 of an answer that was given before."""
    p50, p99 = (
        pairs.Bar(
            f"gateway_{figure}_{at_once}",
            f"AI gateway: added {figure} of a call, {at_once} at once",
            PEER,
            "ms",
            0.8,
            at_most=True,
        )
        for figure in ("p50", "p99")
    )
    hit = pairs.Bar(
        f"gateway_cache_hit_{at_once}",
        f"AI gateway: an answer that was given before, {at_once} at once, p50",
        f"added by {PEER}",
        "ms",
        0.05,
        at_most=True,
    )
    return p50, p99, hit


class Turns:
    """Each side's figures of one turn: the first is measured, the others are of the same turn."""

    def __init__(self, measure: Callable[[], Awaitable[list[float]]]) -> None:
        """`measure` gives all the figures of a turn."""
        self._measure = measure
        self._taken: list[list[float]] = []

    async def first(self) -> float:
        """Measure."""
        self._taken.append(await self._measure())
        return self._taken[-1][0]

    def next(self, figure: int) -> Callable[[], Awaitable[float]]:
        """The turns' other figure, turn by turn."""
        turns = iter(self._taken)

        async def one() -> float:
            return next(turns)[figure]

        return one


async def compare(ours: Turns, peer: Turns, at_once: int, count: int) -> None:
    """The three bars."""
    p50, p99, hit = bars(at_once)
    await pairs.compare(p50, ours.first, peer.first, count)
    await pairs.compare(p99, ours.next(1), peer.next(1), count)
    await pairs.compare(hit, ours.next(2), peer.next(0), count)


async def measure(
    ours: Gateway, tenant: Tenant, upstream: int, proxy: int, given: argparse.Namespace
) -> None:
    """At 1 and at 16 at once."""

    async def complete(_: int, store: Store | None = None) -> None:
        await ours.complete(
            tenant,
            gateway.READ,
            gateway.SOURCE,
            engine=gateway.ENGINE,
            run_id=None,
            store=store,
        )

    async def hit(number: int) -> None:
        await complete(number, STORE)

    await hit(0)
    # Enough of each that a single slow call is not its p99.
    for at_once, calls in ((1, 240), (16, 128)) if given.quick else ((1, 480), (16, 480)):

        async def taken(n: int = at_once, calls: int = calls) -> list[float]:
            bare = await gateway.through(upstream, n, calls)
            through = await gateway.percentiles(complete, n, calls)
            hits = await gateway.percentiles(hit, n, 10 * calls)
            return [through[0] - bare[0], through[1] - bare[1], hits[0]]

        async def added(n: int = at_once, calls: int = calls) -> list[float]:
            bare = await gateway.through(upstream, n, calls)
            through = await gateway.through(proxy, n, calls)
            return [through[0] - bare[0], through[1] - bare[1]]

        await gateway.percentiles(complete, at_once, 64)
        await gateway.through(proxy, at_once, 64)
        await compare(Turns(taken), Turns(added), at_once, given.pairs)


async def main(given: argparse.Namespace) -> None:
    """Measure, in turns."""
    async with place.open_place() as here, gateway.provider() as upstream:
        url = f"http://127.0.0.1:{upstream}/v1"
        settings = here.settings(openai_base_url=url, openai_api_key="sk-1", ai_concurrency=16)
        async with here.database() as db, gateway.litellm(upstream) as proxy:
            ours = Gateway(db, settings, load_secret_keys(settings))
            tenant = await place.new_tenant(db)
            await set_budget(db, tenant, "day", Decimal(1000))
            gc.collect()
            gc.freeze()  # as our processes do after they started
            await measure(ours, tenant, upstream, proxy, given)
            await ours.close()


if __name__ == "__main__":
    pairs.run(main)
