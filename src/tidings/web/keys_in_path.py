"""KV keys in paths: routed by where they begin, whatever they are made of."""

from typing import Any

from litestar.types import ASGIApp, Receive, Send

ROOT = b"/v1/kv/"
_ANY_KEY = "/v1/kv/key"


class KeysInPath:
    """Keeps the router, which tidies slashes, from reading keys; `api.kv` reads the raw path."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` routes by `path`."""
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Route every key alike, and pass on the rest."""
        if scope["type"] == "http" and scope["raw_path"].startswith(ROOT):
            scope = scope | {"path": _ANY_KEY}
        await self._app(scope, receive, send)
