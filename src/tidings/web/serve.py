"""A web process: uvicorn with our application."""

import socket

import uvicorn
from litestar import Litestar

from tidings.base.settings import Settings
from tidings.web.socket.protocol import SocketProtocol


def run_server(app: Litestar, settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way end for `shutdown_grace`."""
    config = uvicorn.Config(
        app,
        fd=None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_grace)),
        timeout_keep_alive=75,
        loop="uvloop",
        http="httptools",
        ws=SocketProtocol,
        lifespan="on",
        proxy_headers=False,
    )
    uvicorn.Server(config).run(sockets=[listener])
