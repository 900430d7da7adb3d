"""A gateway that lets an organization's work through only when the test says so."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from tidings.ai.gateway import Completed, Gateway
from tidings.ai.operation import Operation
from tidings.base.tenant import Tenant


class Hold:
    """Calls wait here until they are let through."""

    def __init__(self) -> None:
        self._passes = asyncio.Semaphore(0)

    async def wait(self) -> None:
        await self._passes.acquire()

    def let(self, calls: int = 1) -> None:
        """Let so many calls through, now or when they come."""
        for _ in range(calls):
            self._passes.release()

    def open(self) -> None:
        """Let everything through."""
        self.let(1000)


class HeldGateway(Gateway):
    """The gateway itself, behind a hold for those organizations that have one."""

    holds: dict[UUID, Hold]

    @contextmanager
    def hold(self, organization_id: UUID) -> Iterator[Hold]:
        """Hold this organization's calls; whatever still waits at the end goes through."""
        hold = self.holds[organization_id] = Hold()
        try:
            yield hold
        finally:
            del self.holds[organization_id]
            hold.open()

    async def complete(
        self, tenant: Tenant, operation: Operation[Any, Any], source: Any, **options: Any
    ) -> Completed[Any]:
        hold = self.holds.get(tenant.organization_id)
        if hold is not None:
            await hold.wait()
        return await super().complete(tenant, operation, source, **options)
