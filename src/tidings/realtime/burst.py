"""Events that reach subscribers together, encoded once for all of them."""

from collections.abc import Callable, Sequence

from tidings.realtime.outbox import Event

Form = Callable[[Event], bytes]
"""How an event looks on one kind of connection; the function itself is the key of what is kept."""


class Page:
    """What was read at once: keeps each form of each of its events."""

    __slots__ = ("_encoded",)

    def __init__(self) -> None:
        """Starts with nothing encoded."""
        self._encoded: dict[tuple[Form, int], bytes] = {}

    def encoded(self, event: Event, form: Form) -> bytes:
        """The event in this form, made when it is first asked for."""
        key = (form, event.position)
        made = self._encoded.get(key)
        if made is None:
            made = self._encoded[key] = form(event)
        return made


class Burst:
    """Some events of a page in publishing order, never none.

    Subscribers of the same topics share a burst, and with it the bytes they are sent.
    """

    __slots__ = ("_joined", "_page", "_topics", "events")

    def __init__(self, events: Sequence[Event], page: Page | None = None) -> None:
        """`page` is what bursts of the same events have in common; a new one by default."""
        self.events = events
        self._page = page or Page()
        self._joined: dict[Form, bytes] = {}
        self._topics: frozenset[str] | None = None

    @property
    def topics(self) -> frozenset[str]:
        """The topics of its events."""
        if self._topics is None:
            self._topics = frozenset(event.topic for event in self.events)
        return self._topics

    @property
    def first(self) -> int:
        """The position of its first event."""
        return self.events[0].position

    @property
    def last(self) -> int:
        """The position of its last event."""
        return self.events[-1].position

    def joined(self, form: Form) -> bytes:
        """All its events in one form, one after the other: one write."""
        made = self._joined.get(form)
        if made is None:
            encoded = self._page.encoded
            made = self._joined[form] = b"".join([encoded(event, form) for event in self.events])
        return made

    def kept(self, wanted: Callable[[Event], bool]) -> "Burst | None":
        """Itself when all its events are wanted, a smaller burst, or None for none."""
        events = [event for event in self.events if wanted(event)]
        if len(events) == len(self.events):
            return self
        return Burst(events, self._page) if events else None

    def after(self, position: int) -> "Burst | None":
        """What of it lies after a position, as `kept`."""
        if self.first > position:
            return self
        if self.last <= position:
            return None
        return self.kept(lambda event: event.position > position)
