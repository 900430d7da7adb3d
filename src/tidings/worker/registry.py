"""Which handler does which kind of job, and which schedules tick."""

from tidings.queue.context import Handler
from tidings.queue.cron import CronEntry


class Registry:
    """Filled by the wiring from what the domains offer; read by the worker."""

    def __init__(self) -> None:
        """Empty."""
        self.handlers: dict[str, Handler] = {}
        self.schedules: list[CronEntry] = []

    def handle(self, kind: str, handler: Handler) -> None:
        """Let `handler` do the jobs of a kind. Raises ValueError when another one does."""
        if kind in self.handlers:
            raise ValueError(f"two handlers for jobs of kind {kind}")
        self.handlers[kind] = handler

    def schedule(self, *entries: CronEntry) -> None:
        """Add schedules. Raises ValueError when a name is taken."""
        for entry in entries:
            if any(entry.name == other.name for other in self.schedules):
                raise ValueError(f"two schedules are named {entry.name}")
            self.schedules.append(entry)
