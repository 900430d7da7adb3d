"""What the gateway adds to a call: reserved, recorded, sent, validated, settled, against LiteLLM.

Added is the time through the gateway less the time of the same call without it, p50 and p99.
"""

import argparse
from decimal import Decimal

import gateway
import pairs
import place
from tidings.ai.budget import set_budget
from tidings.ai.gateway import Gateway
from tidings.tenancy.secret_keys import load_secret_keys


def bar(figure: str, at_once: int) -> pairs.Bar:
    """One of the four."""
    return pairs.Bar(
        f"gateway_{figure}_{at_once}",
        f"AI gateway: added {figure} of a call, {at_once} at once",
        "LiteLLM proxy",
        "ms",
        0.8,
        at_most=True,
    )


async def main(given: argparse.Namespace) -> None:
    """Measure, in turns."""
    calls = 160 if given.quick else 640
    async with place.open_place() as here, gateway.provider() as upstream:
        url = f"http://127.0.0.1:{upstream}/v1"
        settings = here.settings(openai_base_url=url, openai_api_key="sk-1", ai_concurrency=16)
        async with here.database() as db, gateway.litellm(upstream) as proxy:
            ours = Gateway(db, settings, load_secret_keys(settings))
            tenant = await place.new_tenant(db)
            await set_budget(db, tenant, "day", Decimal(1000))

            async def complete(_: int) -> None:
                await ours.complete(
                    tenant, gateway.READ, gateway.SOURCE, engine=gateway.ENGINE, run_id=None
                )

            for at_once in (1, 16):
                await gateway.percentiles(complete, at_once, 64)
                await gateway.through(proxy, at_once, 64)
                for place_of, figure in enumerate(("p50", "p99")):

                    async def added(call_all: object, n: int = at_once, i: int = place_of) -> float:
                        bare = await gateway.through(upstream, n, calls)
                        if call_all is complete:
                            taken = await gateway.percentiles(complete, n, calls)
                        else:
                            taken = await gateway.through(proxy, n, calls)
                        return taken[i] - bare[i]

                    await pairs.compare(
                        bar(figure, at_once),
                        lambda a=added: a(complete),  # type: ignore[misc]
                        lambda a=added: a(None),  # type: ignore[misc]
                        given.pairs,
                    )
            await ours.close()


if __name__ == "__main__":
    pairs.run(main)
