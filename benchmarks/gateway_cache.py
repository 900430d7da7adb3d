"""What an answer costs that was given before, against what LiteLLM adds to a call."""

import argparse

import gateway
import pairs
import place
from tidings.ai.gateway import Gateway
from tidings.ai.responses import Store
from tidings.tenancy.secret_keys import load_secret_keys

STORE = Store("bench", 3600)


def bar(name: str, title: str, at_once: int) -> pairs.Bar:
    """A hit as a share of what the peer adds to a call."""
    return pairs.Bar(
        f"gateway_{name}_{at_once}",
        f"AI gateway: {title}, {at_once} at once, p50",
        "added by LiteLLM proxy",
        "ms",
        0.05,
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

            async def hit(_: int) -> None:
                await ours.complete(
                    tenant,
                    gateway.READ,
                    gateway.SOURCE,
                    engine=gateway.ENGINE,
                    run_id=None,
                    store=STORE,
                )

            await hit(0)
            for at_once in (1, 16):
                await gateway.through(proxy, at_once, 64)

                async def ours_taken(n: int = at_once) -> float:
                    return (await gateway.percentiles(hit, n, 10 * calls))[0]

                async def added(n: int = at_once) -> float:
                    bare = await gateway.through(upstream, n, calls)
                    return (await gateway.through(proxy, n, calls))[0] - bare[0]

                title = "an answer that was given before"
                await pairs.compare(
                    bar("cache_hit", title, at_once), ours_taken, added, given.pairs
                )
            await ours.close()


if __name__ == "__main__":
    pairs.run(main)
