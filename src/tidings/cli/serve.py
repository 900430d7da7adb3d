"""`serve`: the web server alone."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from cyclopts import Parameter

from tidings.base.logs import configure_logs
from tidings.cli.process_settings import Port, Supervised, process_settings
from tidings.cli.supervised import begin_and_end_with_parent
from tidings.db.addresses import open_addresses
from tidings.web.app import create_app
from tidings.web.listen import bind
from tidings.web.serve import run_server
from tidings.web.services import Services
from tidings.wiring import open_system, realtime, recalling


def serve(
    *,
    port: Port = None,
    fd: Annotated[int | None, Parameter(help="A listening socket, handed down.")] = None,
    supervised: Supervised = False,
) -> int:
    """Run the web server alone, on a migrated database.

    Example: TIDINGS_DATABASE_URL=postgresql://… tidings serve
    """
    settings = process_settings(port)
    configure_logs(settings)
    listener = bind(settings) if fd is None else socket.socket(fileno=fd)

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        async with (
            open_addresses(settings) as addresses,
            open_system(settings, addresses, reports=True) as system,
            realtime(system) as (hub, relay),
            recalling(system) as recall,
        ):
            yield system.services(hub, relay, recall)

    app = create_app(settings, services)
    if supervised:
        begin_and_end_with_parent()
    run_server(app, settings, listener)
    return 0
