"""The connection, as what happens over it sees it."""

from typing import Protocol

TOO_SLOW = 4008
NO_ACCESS = 4001
"""Close codes from 4000 on are ours to give."""


class Line(Protocol):
    """One WebSocket, open."""

    def push(self, data: bytes) -> bool:
        """Write whole frames; False when too much waits already, and nothing was written."""

    async def drain(self) -> None:
        """Wait until there is room to write."""

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""

    def close(self, code: int, reason: str) -> None:
        """End the connection behind what was written."""
