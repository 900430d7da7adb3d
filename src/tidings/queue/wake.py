"""Hints that there is something to do, so that nobody waits for the next poll.

The database sends at most one NOTIFY per commit, and only while a claim loop is known to wait
(`tidings.hint_workers`). A hint that is lost, or that nobody hears for want of a listen URL,
costs a poll.
"""

import asyncio

from tidings.db.listen import Listener

CHANNEL = "tidings_jobs"


class WakeUp:
    """`jobs` is set when jobs may be due, `cancels` when one that runs should stop."""

    def __init__(self, listen_url: str | None = None) -> None:
        """Without a URL only this process sets the events."""
        self.jobs = asyncio.Event()
        self.cancels = asyncio.Event()
        self._listener = Listener(listen_url, {CHANNEL: self._hear}) if listen_url else None

    @property
    def is_listening(self) -> bool:
        """Whether hints of other processes are heard now."""
        return self._listener is not None and self._listener.connected.is_set()

    async def run(self) -> None:
        """Listen until cancelled; returns at once without a listen URL."""
        if self._listener is not None:
            await self._listener.run()

    def _hear(self, payload: str) -> None:
        if payload != "cancel":
            self.jobs.set()
        if payload != "enqueued":
            self.cancels.set()
