"""Whose words a line rests on."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tidings.summaries.draft import Claim, Draft, Line
from tidings.summaries.verify import conclude
from tidings.summaries.windows import Message

PASSED = """Begin forwarded message:

> From: Bo Berg <bo@b.example>
> Subject: Box
>
> We need
> a box by Friday.
"""
ANSWER = "We have one.\n\nOn Mon, 2 Mar 2026 Bo <bo@b.example> wrote:\n> We need\n> a box."


@pytest.mark.parametrize(
    ("body", "quote", "sender"),
    [
        (PASSED, "We need a box by Friday.", "Bo Berg, forwarded by Ana"),
        (PASSED, "Subject: Box", None),
        (ANSWER, "We have one.", "Ana"),
        (ANSWER, "We need a box.", None),
    ],
)
def test_a_quote_is_of_who_wrote_it(body: str, quote: str, sender: str | None) -> None:
    message = Message(UUID(int=1), UUID(int=2), 1, "Ana", body, datetime(2026, 3, 2, tzinfo=UTC), 0)
    draft = Draft(key_points=[Line("A box", [Claim(str(message.id), quote)])])
    found = conclude(draft, [message], {}, is_digest=False)
    assert [one.sender for each in found.evidence.key_points for one in each] == (
        [sender] if sender else []
    )
    assert len(found.unverified) == (sender is None)
