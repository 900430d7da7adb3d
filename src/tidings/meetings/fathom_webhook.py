"""Fathom's webhook: the meeting in it; who sent it is told by `base/webhook_signature.py`."""

import msgspec

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.meetings.item import MeetingItem, decode_item

EVENT = "new-meeting-content-ready"


def parse_event(body: bytes) -> MeetingItem:
    """The meeting in a webhook's body: the item itself, or under `data` of an envelope.

    Raises `InputInvalid` for anything else, another event's envelope included.
    """
    try:
        event = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        problem = FieldProblem("body", "is not valid JSON")
        raise InputInvalid("body: is not valid JSON.", errors=[problem]) from None
    if isinstance(event, dict) and "data" in event and "recording_id" not in event:
        kind = event.get("type", event.get("event", EVENT))
        if kind != EVENT:
            wrong = FieldProblem("type", f"expected {EVENT}")
            raise InputInvalid(f"type: expected {EVENT}.", errors=[wrong])
        return decode_item(event["data"])
    return decode_item(event)
