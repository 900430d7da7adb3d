"""Every check, in the order in which one rests on another."""

import base64
import os
from collections.abc import AsyncIterator

import msgspec
from pydantic import SecretStr

from tidings.base import clock
from tidings.base.errors import TidingsError
from tidings.base.settings import Settings, load_settings
from tidings.base.tenant import Tenant
from tidings.cli.doctor import database, machine, services
from tidings.cli.doctor.finding import Finding, fail, ok
from tidings.cli.organization import find_organization
from tidings.cli.session import ask_database, command_settings
from tidings.db.addresses import Addresses, open_addresses
from tidings.db.migrate import migration_status
from tidings.queue.jobs import queue_state
from tidings.tenancy.secret_keys import KEY_BYTES, SecretKeys
from tidings.wiring import System, open_system


async def examine(organization: str | None) -> AsyncIterator[Finding]:
    """The findings; those that rest on something that failed are left out."""
    yield machine.check_python()
    yield machine.check_assets()
    try:
        load_settings()
    except TidingsError as error:
        yield fail("settings", error.message, "docs/reference/settings.md lists them all.")
        return
    settings = command_settings()
    yield ok("settings", "valid")
    yield machine.check_home(settings)
    finding, keys = machine.check_secret_key(settings)
    yield finding
    try:
        async with open_addresses(settings) as addresses:
            async for found in _examine_database(settings, addresses, keys, organization):
                yield found
    except TidingsError as error:
        yield fail("database", error.message, _where(settings))


async def _examine_database(
    settings: Settings, addresses: Addresses, keys: SecretKeys | None, organization: str | None
) -> AsyncIterator[Finding]:
    status = await ask_database(migration_status, addresses.app)
    kind = "embedded PostgreSQL" if settings.is_embedded else "TIDINGS_DATABASE_URL"
    yield ok("database", f"{kind} answers")
    if keys is None:
        # Any key will do for what opens no secret.
        any_key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
        settings = settings.model_copy(update={"secret_key": SecretStr(any_key)})
    async with open_system(settings, addresses) as system:
        facts = await database.read_facts(system.db)
        yield database.check_version(facts.server)
        yield database.check_login(facts.login)
        yield database.check_migrations(status)
        if status.current is not None:
            yield database.check_row_security(facts.open_tables)
        yield database.check_connections(settings, addresses, facts.server)
        yield await database.check_listen(system.db, addresses.listen)
        async for found in _examine_owner(system):
            yield found
        if status.is_current:
            yield services.check_worker(await queue_state(system.db), clock.now())
            tenant = (await find_organization(system.db, organization)).tenant.as_service()
            async for found in _examine_services(system, tenant, has_keys=keys is not None):
                yield found


async def _examine_owner(system: System) -> AsyncIterator[Finding]:
    owner = system.addresses.owner
    if owner is None:
        yield database.check_owner_login(None)
        return
    try:
        await ask_database(migration_status, owner)
    except TidingsError as error:
        yield fail("owner login", error.message, "Correct TIDINGS_OWNER_URL.")
        return
    addresses = msgspec.structs.replace(system.addresses, app=owner, analytics=None)
    async with open_system(system.settings, addresses) as as_owner:
        yield database.check_owner_login(await database.read_login(as_owner.db))


async def _examine_services(
    system: System, tenant: Tenant, *, has_keys: bool
) -> AsyncIterator[Finding]:
    if has_keys:
        yield await services.check_engine(system, tenant)
        yield await services.check_fathom(system, tenant)


def _where(settings: Settings) -> str:
    if settings.is_embedded:
        return "Correct that and start again, or set TIDINGS_DATABASE_URL to a server of yours."
    return "Correct TIDINGS_DATABASE_URL, and see that the server runs and lets this machine in."
