"""A pipeline that ends at its Sync: one implicit transaction, one round trip, nothing behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncPipeline
from psycopg.abc import PQGen
from psycopg.generators import send

from tidings.db.pools import Connection


class _OneSync(AsyncPipeline):
    # psycopg sends a Flush after the last Sync. It is of no use, as the Sync flushes already, and
    # a pooler in transaction mode that meets it alone lends a server for it that it never gets
    # back: PgBouncer with fewer servers than clients then stands still.
    def _exit_gen(self) -> PQGen[None]:
        try:
            self._enqueue_sync()
            yield from self._communicate_gen()
            # What the socket did not take at once: nobody sends it later, for want of that Flush.
            yield from send(self.pgconn)
        finally:
            yield from self._fetch_gen(flush=False)


@asynccontextmanager
async def one_round_trip(connection: Connection) -> AsyncIterator[None]:
    """What is executed in the block is sent at once; its end waits for all the answers."""
    async with connection.lock:
        connection._pipeline = _OneSync(connection)
    try:
        async with connection.pipeline():
            yield
    finally:
        # Still there when the connection was found broken before anything was sent.
        connection._pipeline = None
