"""The socket of the web server, bound before the server itself is loaded."""

import socket

from tidings.base.settings import Settings


def bind(settings: Settings) -> socket.socket:
    """A listening socket on the configured address; port 0 takes a free one.

    Raises OSError when the address is taken or not ours.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(2048)
    return listener
