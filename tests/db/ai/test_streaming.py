"""Text as it comes, settled when it ends or is left."""

from decimal import Decimal

import pytest

from tidings.ai.access import set_policy
from tidings.ai.budget import list_budgets, set_budget
from tidings.ai.egress import list_egress
from tidings.ai.gateway import Gateway
from tidings.ai.ledger import TokenUse, list_usage
from tidings.ai.prompts import Prompt, version_of
from tidings.ai.streaming import Talk
from tidings.ai.testing import Failure, FakeProvider, Said, limited, status
from tidings.base.errors import BudgetExceeded, EngineUnknown, ProviderFailed
from tidings.db.transaction import Database

from factories.organizations import Organization

OPENAI = "openai:gpt-4o-mini"
WORDS = "Answer the question."
TALK = Talk(
    name="episodes.chat",
    prompt=Prompt("chat", WORDS, version_of(WORDS)),
    text="Who is ada@northwind.example?",
)
HELLO = Said(text="She is the head of finance.")


async def listen(gateway: Gateway, organization: Organization) -> list[str]:
    async with gateway.stream(organization.tenant, TALK, engine=OPENAI, run_id=None) as deltas:
        return [delta async for delta in deltas]


async def only_use(db: Database, organization: Organization) -> TokenUse:
    """The only call; what the budget counted is what it cost."""
    (use,) = await list_usage(db, organization.tenant, after=None, limit=9)
    day = (await list_budgets(db, organization.tenant))[0]
    assert (day.settled, day.reserved) == (use.cost, 0)
    return use


async def test_text_comes_in_pieces_and_is_settled_with_what_was_told(
    db: Database, gateway: Gateway, organization: Organization, fake: FakeProvider
) -> None:
    fake.script(HELLO)
    pieces = await listen(gateway, organization)
    assert len(pieces) > 3
    assert "".join(pieces) == HELLO.text
    use = await only_use(db, organization)
    assert (use.status, use.prompt_tokens, use.completion_tokens) == ("ok", 1000, 100)
    assert use.cost == Decimal("0.000210")
    assert "tools" not in fake.asked[0].body
    assert fake.asked[0].source == TALK.text
    assert len(await list_egress(db, organization.tenant, before=None, limit=9)) == 1


async def test_one_that_is_left_is_settled_in_full(
    db: Database, gateway: Gateway, organization: Organization, fake: FakeProvider
) -> None:
    fake.script(HELLO)
    fake.rest.clear()
    async with gateway.stream(organization.tenant, TALK, engine=OPENAI, run_id=None) as deltas:
        async for delta in deltas:
            assert delta == "She "
            break
    fake.rest.set()
    use = await only_use(db, organization)
    assert (use.status, use.error) == ("error", "left before its end")
    assert use.cost > Decimal("0.001")


@pytest.mark.parametrize(
    ("step", "reason", "retry_after", "is_paid"),
    [
        (status(500), "500 Internal Server Error", 30.0, False),
        (status(401), "401 Unauthorized (the API key is not accepted)", None, False),
        (limited("7"), "429 Too Many Requests (rate_limit_exceeded)", 7.0, False),
        (Failure(body=b"data: {\n\n"), "an event that is not JSON", None, True),
        (Failure(body=b'data: {"choices": []}\n\n', sent=5), "the connection failed", 30.0, True),
    ],
)
async def test_one_that_fails_says_why(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    fake: FakeProvider,
    step: Failure,
    reason: str,
    retry_after: float | None,
    is_paid: bool,
) -> None:
    fake.script(step)
    with pytest.raises(ProviderFailed) as told:
        await listen(gateway, organization)
    assert reason in told.value.message
    assert told.value.retry_after == retry_after
    use = await only_use(db, organization)
    assert (use.status, use.cost > 0) == ("error", is_paid)


async def test_masked_values_come_back_though_they_come_in_pieces(
    db: Database, gateway: Gateway, organization: Organization, fake: FakeProvider
) -> None:
    await set_policy(db, organization.tenant, redaction=True)
    fake.script(Said(text="Write to [EMAIL_1] [today] or [EMAIL_1"))
    said = "".join(await listen(gateway, organization))
    assert said == "Write to ada@northwind.example [today] or [EMAIL_1"
    assert "ada@" not in str(fake.asked[0].body)


async def test_what_does_not_fit_or_cannot_stream_never_leaves(
    db: Database, gateway: Gateway, organization: Organization, fake: FakeProvider
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal(0))
    with pytest.raises(BudgetExceeded):
        await listen(gateway, organization)
    claude = gateway.stream(organization.tenant, TALK, engine="anthropic:x", run_id=None)
    with pytest.raises(EngineUnknown, match="cannot stream"):
        async with claude:
            pass
    assert fake.asked == []
