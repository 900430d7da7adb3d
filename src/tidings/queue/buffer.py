"""What a worker has claimed and not started: organizations take turns here too."""

from collections import deque
from collections.abc import Iterable, Iterator
from uuid import UUID

from tidings.queue.held import Held


class FairBuffer:
    """Jobs in their order within an organization; of several organizations, one of each in turn.

    So the first job of an organization never waits behind the many of another.
    """

    def __init__(self) -> None:
        """Empty."""
        self._lanes: dict[UUID, deque[Held]] = {}
        self._turns: deque[UUID] = deque()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Held]:
        return (held for lane in self._lanes.values() for held in lane)

    def add(self, jobs: Iterable[Held]) -> None:
        """Put jobs behind the others of their organization."""
        for held in jobs:
            organization = held.job.organization_id
            lane = self._lanes.get(organization)
            if lane is None:
                lane = self._lanes[organization] = deque()
                self._turns.append(organization)
            lane.append(held)
            self._size += 1

    def pop(self) -> Held:
        """Take the next one. Raises IndexError when there is none."""
        organization = self._turns[0]
        lane = self._lanes[organization]
        held = lane.popleft()
        self._size -= 1
        if lane:
            self._turns.rotate(-1)
        else:
            self._turns.popleft()
            del self._lanes[organization]
        return held

    def clear(self) -> list[Held]:
        """Take all of them."""
        jobs = list(self)
        self.__init__()  # type: ignore[misc]
        return jobs
