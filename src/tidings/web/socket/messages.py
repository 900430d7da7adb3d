"""What goes over the WebSocket: one JSON object in each text message, told apart by `type`."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from websockets.frames import Frame, Opcode

from tidings.base.errors import FieldProblem
from tidings.realtime.outbox import Event
from tidings.realtime.presence import Present
from tidings.web.happened import encode_event

Ref = str | int | None
"""What a client gives a request and finds again in its answer."""


class Join(msgspec.Struct, frozen=True, tag="join"):
    """Hear what is published to topics, from now on or after a position."""

    topics: list[str]
    after: int | None = None
    ref: Ref = None


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """Hear of topics no more."""

    topics: list[str]
    ref: Ref = None


class Broadcast(msgspec.Struct, frozen=True, tag="broadcast"):
    """Send to a room or a person; `ephemeral`: to who is there now, and keep nothing."""

    topic: str
    event: str
    payload: msgspec.Raw = msgspec.Raw(b"null")
    ephemeral: bool = False
    ref: Ref = None


class Presence(msgspec.Struct, frozen=True, tag="presence"):
    """Be seen in a room that was joined, with this state; null: be seen there no more."""

    topic: str
    state: Any = None
    ref: Ref = None


class Who(msgspec.Struct, frozen=True, tag="who"):
    """Ask who is in a room that was joined."""

    topic: str
    ref: Ref = None


class Place(msgspec.Struct, frozen=True):
    """A place in an element by fractions of its width and height: of `over`, else of it all.

    So that it means the same on every screen, however wide.
    """

    x: Annotated[float, msgspec.Meta(ge=0, le=1)]
    y: Annotated[float, msgspec.Meta(ge=0, le=1)]
    over: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Cursor(msgspec.Struct, frozen=True, tag="cursor"):
    """Point somewhere on a board where one is seen; null: nowhere. Answered only with a `ref`."""

    topic: str
    at: Place | None = None
    ref: Ref = None


Request = Join | Leave | Broadcast | Presence | Who | Cursor


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """These topics are heard from `position` on."""

    topics: list[str]
    position: int
    ref: Ref


class Left(msgspec.Struct, frozen=True, tag="left"):
    """These topics are heard no more; `code` says why when the client did not ask for it."""

    topics: list[str]
    ref: Ref = None
    code: str | None = None


class Here(msgspec.Struct, frozen=True, tag="here"):
    """Who is in a room, `you` being this connection; changes come as its `presence` events."""

    topic: str
    present: list[Present]
    ref: Ref
    you: UUID


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The presence is shown, or hidden."""

    ref: Ref


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """The broadcast is durable, or shown when it was ephemeral."""

    ref: Ref


class Problem(msgspec.Struct, frozen=True, tag="error"):
    """A request was refused; `code` and `message` as in problem details."""

    ref: Ref
    code: str
    message: str
    errors: list[FieldProblem] = []


Answer = Joined | Left | Here | Done | Sent | Problem

_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_encoder = msgspec.json.Encoder()


def read_request(text: bytes) -> Request:
    """The request in a message.

    Raises `msgspec.MsgspecError`, `RecursionError`, and `UnicodeDecodeError`: what of a message is
    passed on as it is, msgspec does not look into.
    """
    return _decoder.decode(text.decode())


def frame_answer(answer: Answer) -> bytes:
    """An answer as the frame that is sent."""
    return _frame(_encoder.encode(answer))


def frame_event(event: Event) -> bytes:
    """An event as the frame that all its subscribers are sent."""
    return _frame(encode_event(event))


def _frame(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)
