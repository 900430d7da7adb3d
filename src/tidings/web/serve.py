"""A web process: uvicorn with our application."""

import socket

import uvicorn
from litestar import Litestar
from litestar.types import ASGIApp

from tidings.base.settings import Settings
from tidings.web.one_write import OneWrite
from tidings.web.socket.protocol import SocketProtocol


def run_server(app: Litestar, settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way end for `shutdown_grace`."""
    uvicorn.Server(server_config(app, settings)).run(sockets=[listener])


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How uvicorn runs; the client's address is the socket's, or what a trusted proxy says."""
    return uvicorn.Config(
        app,
        fd=None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_grace)),
        timeout_keep_alive=75,
        loop="uvloop",
        http=OneWrite,
        ws=SocketProtocol,
        lifespan="on",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
    )
