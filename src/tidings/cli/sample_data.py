"""The demo's sample: three fictional customers, taken in and summarised once."""

import asyncio
from collections.abc import Callable
from importlib import resources
from uuid import UUID

import msgspec

from tidings.approvals.sample import load_approvals_sample
from tidings.base.errors import TidingsError
from tidings.base.tenant import Tenant
from tidings.brainstorm.sample import load_brainstorm_sample
from tidings.engagement.companies import company_states
from tidings.engagement.start import StartRequest, acting, start
from tidings.meetings.capture import capture
from tidings.meetings.item import MeetingItem, decode_item
from tidings.messages.sample import load_messages_sample
from tidings.queue.runs import Run, get_run
from tidings.replies.sample import load_replies_sample
from tidings.summaries.sample import load_summaries_sample
from tidings.wiring import System

MAIN = "northwind.example"
OTHERS = ("calder.example", "fennmoor-rail.example")
LATER = 2
"""Meetings with the main company that come after its first summary, so that the second one shows
what changed."""

SECONDS = 120.0
_LOOK_SECONDS = 0.1

Say = Callable[[str], object]


def sample_meetings() -> list[MeetingItem]:
    """The sample's meetings, oldest first."""
    folder = resources.files("tidings.cli").joinpath("sample")
    items = [
        decode_item(msgspec.json.decode(file.read_bytes()))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    ]
    return sorted(items, key=lambda item: item.created_at)


async def load_sample(system: System, tenant: Tenant, say: Say) -> None:
    """Take in the sample and summarise it, unless that was done before; a killed try goes on."""
    items = sample_meetings()
    with_main = [item for item in items if _is_with(item, MAIN)]
    states = await company_states(system.db, tenant, [MAIN, *OTHERS])
    main = states.get(MAIN)
    if main is None or main.status != "complete":
        later = {item.external_id for item in with_main[-LATER:]}
        first = [item for item in items if item.external_id not in later]
        say(f"Reading {len(items)} sample meetings …")
        await capture(system.db, tenant, "fathom", first)
        await _wait(system, tenant, [await _summarise(system, tenant, MAIN)])
    taken = await capture(system.db, tenant, "fathom", items)
    runs = [
        await _summarise(system, tenant, domain)
        for domain in (MAIN, *OTHERS)
        if taken.created or domain not in states
    ]
    await load_approvals_sample(system.db, tenant)
    # Rules before the messages that they answer, summaries behind what they read.
    await load_replies_sample(system.db, tenant)
    await load_messages_sample(system.db, tenant)
    runs += await load_summaries_sample(system.db, system.gateway, tenant)
    await load_brainstorm_sample(system.db, tenant)
    await _wait(system, tenant, runs)


async def _summarise(system: System, tenant: Tenant, domain: str) -> UUID:
    async with system.db.tenant_transaction(acting(tenant)) as transaction:
        request = StartRequest(domain=domain, sync=False, engine="local")
        return (await start(transaction, system.settings, request)).run_id


async def _wait(system: System, tenant: Tenant, run_ids: list[UUID]) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            for run_id in run_ids:
                run = await _ended(system, tenant, run_id)
                if run.status != "complete":
                    raise TidingsError(f"The sample's summary failed: {run.error}")
    except TimeoutError:
        raise TidingsError(f"The sample was not summarised within {SECONDS:.0f} s.") from None


async def _ended(system: System, tenant: Tenant, run_id: UUID) -> Run:
    # Polled: the run is another process's, and this is the only thing to wait for here.
    while True:
        run = await get_run(system.db, tenant, run_id)
        if not run.is_live:
            return run
        await asyncio.sleep(_LOOK_SECONDS)


def _is_with(item: MeetingItem, domain: str) -> bool:
    return any(invitee.email_domain == domain for invitee in item.calendar_invitees)
