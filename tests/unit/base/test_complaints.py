"""What is wrong with a body, said so that one knows what to send."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest

from tidings.base.complaints import worded


class Inner(msgspec.Struct):
    kind: Literal["email", "chat"] | None = None
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=3)] = "a"
    many: Annotated[int, msgspec.Meta(ge=1)] = 1


class Whole(msgspec.Struct):
    items: list[Inner] = []
    named: dict[str, Inner] = {}
    at: datetime | None = None
    id: UUID | None = None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"items": [{"kind": "foo"}]}', "must be chat or email"),
        ('{"named": {"x": {"kind": "foo"}}}', "must be chat or email"),
        ('{"items": [{"name": ""}]}', "must not be empty"),
        ('{"items": [{"name": "abcd"}]}', "must have at most 3 characters"),
        ('{"items": [{"many": 0}]}', "must be at least 1"),
        ('{"at": "yesterday"}', "must be a time such as 2026-11-21T09:30:00Z"),
        ('{"id": "7"}', "must be an id, a UUID"),
        ('{"items": 7}', "Expected `array`, got `int`"),
    ],
)
def test_what_has_to_be_there(body: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(body, type=Whole)
    complaint, _, place = str(refused.value).partition(" - at `$.")
    assert worded(complaint, Whole, place.rstrip("`")) == said


def test_values_that_nothing_tells() -> None:
    assert worded("Invalid enum value 'x'", Whole, "nowhere") == "Invalid enum value 'x'"
