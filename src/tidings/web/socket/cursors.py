"""Where one connection points: at most ten times a second, and the last place always arrives."""

import asyncio
from collections.abc import Callable

from tidings.web.socket.messages import Place

PACE = 0.1
"""Seconds between two places that others are told."""


class Cursors:
    """A mouse is in one place: of what comes faster than others are told, the last counts."""

    def __init__(self, tell: Callable[[str, Place | None], None]) -> None:
        """`tell` shows a place on a topic; None: nowhere."""
        self._tell = tell
        self._waits: tuple[str, Place | None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def move(self, topic: str, at: Place | None) -> None:
        """Point there, at once or when the others may be told again."""
        self._waits = (topic, at)
        if self._timer is None:
            self._turn()

    def end(self) -> None:
        """Point nowhere any more, untold: that the connection went is told by its presence."""
        self._waits = None
        if self._timer is not None:
            self._timer.cancel()

    def _turn(self) -> None:
        self._timer = None
        if self._waits is None:
            return
        waits, self._waits = self._waits, None
        self._timer = asyncio.get_running_loop().call_later(PACE, self._turn)
        self._tell(*waits)
