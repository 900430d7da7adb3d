"""Server-sent events to 1,000 clients at saturation, against a broadcast written with Starlette.

Ours commits every message to the outbox and numbers it; the other puts it in a queue for each.
"""

import argparse

from fanout import ROOM, load, our_server, starlette
from pairs import Bar, compare, run

SUBSCRIBERS = 1_000
RATE = Bar(
    "realtime_sse", "Server-sent events, 1,000 clients", "Starlette, naive", "deliveries/s", 1.5
)


async def main(options: argparse.Namespace) -> None:
    """One publisher, over a WebSocket, at most 16 messages under way."""
    common = {"protocol": "sse", "subscribers": SUBSCRIBERS}
    async with our_server() as mine, starlette() as theirs:
        at_ours = {"path": f"/v1/realtime?topics={ROOM}", "publish_path": "/v1/realtime/ws"}
        at_theirs = {"path": "/listen", "publish_path": "/publish"}
        async with (
            load(mine | at_ours | common, quick=options.quick) as ours,
            load(theirs | at_theirs | common, quick=options.quick) as peer,
        ):
            await compare(RATE, ours.rate, peer.rate, options.pairs)


if __name__ == "__main__":
    run(main)
