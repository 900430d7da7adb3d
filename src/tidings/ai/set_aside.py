"""The money for a text that is told for the first time, and the text as it may leave."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from tidings.ai.access import Access
from tidings.ai.answers import off_loop_if_long
from tidings.ai.redact import Mask
from tidings.ai.spending import Call, Spending
from tidings.base.ids import uuid7


@dataclass(frozen=True)
class Aside:
    """A call whose money is set aside, what its organization allows, and what it may tell."""

    call: Call
    access: Access
    text: str
    mask: Mask | None


async def set_aside(
    spending: Spending, call: Call, text: str, most: Callable[[str], Decimal]
) -> Aside:
    """Reserve a call that tells the text, masked where the organization wants that.

    `most` is what it can cost at most when it tells a text: placeholders may be longer than what
    they stand for, and then as much as they need is reserved instead. Raises as `Spending.reserve`.
    """
    access = await spending.reserve(call)
    if not access.redaction:
        return Aside(call, access, text, None)
    try:
        mask = Mask(text)
        masked = await off_loop_if_long(text, mask.masked, text)
        amount = most(masked)
    except BaseException:
        spending.release_later(call)
        raise
    if amount > call.amount:
        await spending.release(call)
        call = msgspec.structs.replace(call, id=uuid7(), amount=amount)
        access = await spending.reserve(call)
    return Aside(call, access, masked, mask)
