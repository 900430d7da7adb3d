"""A process that remembers: `python process_of_test_recall.py URL ORGANIZATION USER MEETING`.

It says `on` when its cache is on, then obeys the lines it reads: `read` answers with the meeting's
title (and whether it came from memory), `rename TITLE` commits a change and answers `renamed`.
"""

import asyncio
import sys
from uuid import UUID

import structlog

from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.addresses import Addresses
from tidings.db.queries import Query
from tidings.meetings.recalled import recall_meeting
from tidings.wiring import open_system, realtime, recalling

RENAME = Query(
    "rename",
    "Renames a meeting.",
    "UPDATE tidings.meetings SET title = %(title)s "
    "WHERE organization_id = tidings.current_organization() AND id = %(id)s",
)


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(url: str, organization: str, user: str, meeting: str) -> None:
    tenant, meeting_id = Tenant(UUID(organization), UUID(user), "member"), UUID(meeting)
    settings = Settings(database_url=url, listen_url=url, pool_primary_min=1, _env_file=None)
    addresses = Addresses(url, None, url, None)
    async with (
        open_system(settings, addresses) as system,
        realtime(system) as (_, relay),
        recalling(system) as recall,
    ):
        await recall.on.wait()
        say("on")
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            word, _, title = line.partition(" ")
            if word == "read":
                hits = recall.stats().hits
                found = await recall_meeting(system.db, recall, tenant, meeting_id)
                say(f"{'held' if recall.stats().hits > hits else 'loaded'} {found.title}")
            else:
                async with system.db.tenant_transaction(tenant) as transaction:
                    await transaction.execute(RENAME, {"title": title, "id": meeting_id})
                relay.nudge()
                say("renamed")


structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main(*sys.argv[1:]))
