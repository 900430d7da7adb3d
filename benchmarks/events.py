"""What an event costs its writer: 64 at once, a row and an event in one commit, against the row.

The relay that numbers the events runs in a process of its own, as the worker's does.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import psycopg

from pairs import Bar, compare, run
from place import Place, new_tenant, open_place
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.realtime.outbox import publish

WRITERS = 64
TEXT = "x" * 100
RELAY = Path(__file__).with_name("events_relay.py")
KEPT = Bar(
    "events", "Writers with an event in each commit, 64 at once", "without it", "commits/s", 0.85
)
INSERT = Query(
    "insert_note",
    "Adds a row of the current organization.",
    "INSERT INTO public.notes VALUES (tidings.current_organization(), %(id)s, %(text)s)",
)


async def main(options: argparse.Namespace) -> None:
    """Rows of 100 characters; the event says which row it is."""
    seconds = 0.7 if options.quick else 3.0
    async with (
        open_place() as place,
        place.database(pool_primary_max=WRITERS + 4, pool_primary_min=WRITERS) as database,
    ):
        await asyncio.to_thread(_make_table, place)
        tenant = await new_tenant(database)
        relay = await asyncio.create_subprocess_exec(
            sys.executable, str(RELAY), place.url(), stdout=asyncio.subprocess.PIPE
        )
        assert relay.stdout is not None
        await relay.stdout.readline()
        try:
            for with_event in (False, True):  # every connection has planned its statements
                await _rate(database, tenant, 2.5, with_event=with_event)
            await compare(
                KEPT,
                lambda: _rate(database, tenant, seconds, with_event=True),
                lambda: _rate(database, tenant, seconds, with_event=False),
                options.pairs,
            )
        finally:
            relay.terminate()
            await relay.wait()


async def _rate(database: Database, tenant: Tenant, seconds: float, *, with_event: bool) -> float:
    done = 0
    until = time.perf_counter() + seconds

    async def writer() -> None:
        nonlocal done
        while time.perf_counter() < until:
            key = uuid7()
            async with database.tenant_batch(tenant) as batch:
                batch.queue(INSERT, {"id": key, "text": TEXT})
                if with_event:
                    publish(batch, "note:1", "written", {"id": key})
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    return done / (time.perf_counter() - began)


def _make_table(place: Place) -> None:
    with psycopg.connect(place.url(role="postgres")) as connection:
        connection.execute(
            "CREATE TABLE public.notes (organization_id uuid REFERENCES tidings.organizations (id),"
            " id uuid, text text, PRIMARY KEY (organization_id, id))"
        )
        connection.execute("GRANT INSERT ON public.notes TO tidings_app")


if __name__ == "__main__":
    run(main)
