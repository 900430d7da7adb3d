"""HEAD: answered as GET would be, without the body (RFC 9110, section 9.3.2)."""

from typing import Any

from litestar.types import ASGIApp, Message, Receive, Send


class HeadAsGet:
    """Turns HEAD into GET in front of the router, and drops the body on the way out."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` is the application without its own answer to HEAD."""
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass everything on but HEAD."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = False

        async def receive_until_answered() -> Any:
            # An event stream would go on for ever: to it, the client has gone.
            return {"type": "http.disconnect"} if answered else await receive()

        async def send_start(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                answered = True

        await self._app(scope | {"method": "GET"}, receive_until_answered, send_start)
