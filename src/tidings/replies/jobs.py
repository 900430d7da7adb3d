"""The job of this domain: one line that calls it."""

from typing import Any

import msgspec

from tidings.queue.context import Handler, JobContext
from tidings.replies.consider import Args, Considerer


def consider(considerer: Considerer) -> Handler:
    """The handler of `replies.consider`."""

    async def run(context: JobContext, args: dict[str, Any]) -> None:
        await considerer.run(context, msgspec.convert(args, Args))

    return run
