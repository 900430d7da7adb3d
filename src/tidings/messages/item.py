"""One message as it comes in, and what is wrong with those that cannot be taken in."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from tidings.base import clock
from tidings.base.complaints import worded
from tidings.base.errors import FieldProblem, InputInvalid, TidingsError
from tidings.base.text import find_bad_text
from tidings.messages.answer_to import answer_address
from tidings.messages.automatic import Automatic, why_automatic
from tidings.messages.references import references

MOST_ITEMS = 1000
"""Messages that are taken in at once."""
LONGEST_BODY = 200_000
"""Characters; what is longer is no message but a file."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = timedelta(days=1)
"""How far ahead of ours the clock of a source may go."""

ExternalId = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Direction = Literal["in", "out"]


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote it, as the source names them; in email `id` is the address."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=320)] | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """What was attached, by its description alone."""

    name: Annotated[str, msgspec.Meta(max_length=500)] = ""
    media_type: Annotated[str, msgspec.Meta(max_length=200)] = ""
    bytes: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class MessageItem(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `headers` are those of an email, by name; they are read, not kept.

    `thread_id` is the source's, `reply_to` the external id of the message that it answers.
    """

    external_id: ExternalId
    sender: Sender
    direction: Direction
    body: Annotated[str, msgspec.Meta(max_length=LONGEST_BODY)]
    sent_at: datetime
    thread_id: ExternalId | None = None
    reply_to: ExternalId | None = None
    subject: Annotated[str, msgspec.Meta(max_length=500)] = ""
    attachments: Annotated[list[Attachment], msgspec.Meta(max_length=100)] = []
    headers: Annotated[dict[str, str | list[str]], msgspec.Meta(max_length=500)] = {}

    @property
    def references(self) -> list[str]:
        """External ids of what it answers, the oldest first."""
        return references(self.headers, self.reply_to)

    @property
    def answer_to(self) -> str | None:
        """Where its sender wants answers, if not where it came from."""
        if self.direction == "out" or not self.headers:
            return None
        return answer_address(self.headers, self.sender.email or self.sender.id)

    @property
    def automatic(self) -> Automatic | None:
        """Why no machine may answer it."""
        return why_automatic(self.headers, self.direction, self.sender.id, self.subject)


class ItemError(msgspec.Struct, frozen=True):
    """An item that was not taken in; `index` is its 0-based place in the request."""

    index: int
    code: str
    detail: str


def decode_items(raw: Sequence[object]) -> tuple[list[MessageItem], list[ItemError]]:
    """The items that are messages, and an error for each that is not.

    Raises `InputInvalid` for more than `MOST_ITEMS`.
    """
    if len(raw) > MOST_ITEMS:
        problem = FieldProblem("items", f"has {len(raw)} items")
        raise InputInvalid(f"Send at most {MOST_ITEMS} items at once.", errors=[problem])
    latest = clock.now() + LATEST
    items: list[MessageItem] = []
    errors: list[ItemError] = []
    for index, one in enumerate(raw):
        try:
            items.append(decode_item(one, latest))
        except TidingsError as error:
            errors.append(ItemError(index, error.code, error.message))
    return items, errors


def decode_item(raw: object, latest: datetime) -> MessageItem:
    """The message in one decoded JSON object; a time without a zone is UTC, null is missing.

    Raises `InputInvalid` that names the field.
    """
    if not isinstance(raw, dict):
        raise _invalid("item", "is not an object")
    wire = {key: value for key, value in raw.items() if value is not None}
    try:
        item = msgspec.convert(wire, MessageItem)
    except msgspec.ValidationError as error:
        # It may quote what cannot be sent back.
        said = str(error).encode("utf-8", "replace").decode()
        complaint, _, place = said.partition(" - at `$")
        field = place.strip(".`")
        raise _invalid(field or "item", worded(complaint, MessageItem, field)) from None
    except UnicodeEncodeError:  # a lone surrogate in the name of a field
        raise _invalid("item", "contains a lone surrogate; send valid Unicode") from None
    return check_item(item, latest)


def check_item(item: MessageItem, latest: datetime) -> MessageItem:
    """The item with its time in UTC and addresses in lower case. Raises `InputInvalid`."""
    texts = "".join(_texts(item))
    try:
        texts.encode()
    except UnicodeEncodeError:
        _refuse_text(item)
    if "\0" in texts:
        _refuse_text(item)
    return msgspec.structs.replace(
        item, sent_at=_utc(item.sent_at, latest), sender=_lower(item.sender)
    )


def _texts(item: MessageItem) -> Iterator[str]:
    yield item.external_id
    yield item.thread_id or ""
    yield item.reply_to or ""
    yield item.sender.id
    yield item.sender.name
    yield item.sender.email or ""
    yield item.subject
    yield item.body
    for attached in item.attachments:
        yield attached.name
        yield attached.media_type
    for name, value in item.headers.items():
        yield name
        yield from [value] if isinstance(value, str) else value


def _refuse_text(item: MessageItem) -> None:
    problem = find_bad_text(msgspec.structs.asdict(item) | _parts(item))
    assert problem is not None
    raise _invalid(problem.field, problem.message)


def _parts(item: MessageItem) -> dict[str, Any]:
    return {
        "sender": msgspec.structs.asdict(item.sender),
        "attachments": [msgspec.structs.asdict(one) for one in item.attachments],
    }


def _utc(when: datetime, latest: datetime) -> datetime:
    try:
        at = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except OverflowError:
        raise _invalid("sent_at", "is out of range") from None
    if not EARLIEST <= at <= latest:
        raise _invalid("sent_at", "lies before 1970 or in the future")
    return at


def _lower(sender: Sender) -> Sender:
    # Addresses alone: in other sources the case of an id may tell two people apart.
    is_address = "@" in sender.id[1:]
    if not is_address and sender.email is None:
        return sender
    return msgspec.structs.replace(
        sender,
        id=sender.id.lower() if is_address else sender.id,
        email=sender.email and sender.email.lower(),
    )


def _invalid(field: str, problem: str) -> InputInvalid:
    return InputInvalid(f"{field}: {problem}.", errors=[FieldProblem(field, problem)])
