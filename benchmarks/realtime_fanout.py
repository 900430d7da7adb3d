"""Fan-out over WebSocket to 200 subscribers at saturation, against socket.io.

Ours commits every message to the outbox and numbers it before it is delivered, as by default;
socket.io keeps nothing.
"""

import argparse
import json

from fanout import ROOM, compare_both, load, our_server, socket_io
from pairs import Bar, run

SUBSCRIBERS = 200
RATE = Bar(
    "realtime_websocket", "WebSocket fan-out, 200 subscribers", "socket.io", "deliveries/s", 1.0
)
P99 = Bar(
    "realtime_websocket_p99",
    "WebSocket fan-out, 200 subscribers, p99",
    "socket.io",
    "ms",
    1.0,
    at_most=True,
)


async def main(options: argparse.Namespace) -> None:
    """One publisher, at most 16 messages under way."""
    async with our_server() as mine, socket_io() as theirs:
        at_ours = {
            "protocol": "ws",
            "path": "/v1/realtime/ws",
            "join": json.dumps({"type": "join", "topics": [ROOM]}),
            "subscribers": SUBSCRIBERS,
        }
        at_theirs = {
            "protocol": "socket.io",
            "path": "/socket.io/?EIO=4&transport=websocket",
            "subscribers": SUBSCRIBERS,
        }
        async with (
            load(mine | at_ours, quick=options.quick) as ours,
            load(theirs | at_theirs, quick=options.quick) as peer,
        ):
            await compare_both(RATE, P99, ours, peer, options.pairs)


if __name__ == "__main__":
    run(main)
