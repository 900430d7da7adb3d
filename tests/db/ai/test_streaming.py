"""Text as it comes, settled when it ends or is left."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from tidings.ai.access import set_policy
from tidings.ai.asking import LATER
from tidings.ai.breaker import FAILURES
from tidings.ai.budget import list_budgets, set_budget
from tidings.ai.egress import list_egress
from tidings.ai.gateway import Gateway
from tidings.ai.ledger import TokenUse, list_usage
from tidings.ai.prompts import Prompt, version_of
from tidings.ai.redact import Mask
from tidings.ai.streaming import Talk
from tidings.ai.testing import Failure, FakeProvider, Said, limited, status
from tidings.base.errors import (
    BudgetExceeded,
    DatabaseUnavailable,
    EngineUnknown,
    ProviderFailed,
)
from tidings.db.transaction import Database

from factories.organizations import Organization

OPENAI = "openai:gpt-4o-mini"
CLAUDE = "anthropic:claude-haiku-4-5"
GEMINI = "google:gemini-2.5-flash"
every_engine = pytest.mark.parametrize("engine", [OPENAI, CLAUDE, GEMINI])
WORDS = "Answer the question."
TALK = Talk(
    name="episodes.chat",
    prompt=Prompt("chat", WORDS, version_of(WORDS)),
    text="Who is ada@northwind.example?",
)
HELLO = Said(text="She is the head of finance.")


async def listen(gateway: Gateway, organization: Organization, engine: str = OPENAI) -> list[str]:
    async with gateway.stream(organization.tenant, TALK, engine=engine, run_id=None) as deltas:
        return [delta async for delta in deltas]


async def only_use(db: Database, organization: Organization) -> TokenUse:
    """The only call; what the budget counted is what it cost."""
    (use,) = await list_usage(db, organization.tenant, after=None, limit=9)
    day = (await list_budgets(db, organization.tenant))[0]
    assert (day.settled, day.reserved) == (use.cost, 0)
    return use


@pytest.mark.parametrize(
    ("engine", "cost"), [(OPENAI, "0.000210"), (CLAUDE, "0.001500"), (GEMINI, "0.000550")]
)
async def test_text_comes_in_pieces_and_is_settled_with_what_was_told(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    fake: FakeProvider,
    engine: str,
    cost: str,
) -> None:
    fake.script(HELLO)
    pieces = await listen(gateway, organization, engine)
    assert len(pieces) > 3
    assert "".join(pieces) == HELLO.text
    use = await only_use(db, organization)
    assert (use.status, use.prompt_tokens, use.completion_tokens) == ("ok", 1000, 100)
    assert (use.engine, use.cost) == (engine, Decimal(cost))
    assert not fake.asked[0].body.get("tools")
    assert fake.asked[0].source == TALK.text
    assert len(await list_egress(db, organization.tenant, before=None, limit=9)) == 1


@every_engine
async def test_one_that_is_left_is_settled_in_full(
    db: Database, gateway: Gateway, organization: Organization, fake: FakeProvider, engine: str
) -> None:
    fake.script(HELLO)
    fake.rest.clear()
    async with gateway.stream(organization.tenant, TALK, engine=engine, run_id=None) as deltas:
        async for delta in deltas:
            assert delta == "She "
            break
    fake.rest.set()
    use = await only_use(db, organization)
    assert (use.status, use.error) == ("error", "left before its end")
    assert use.cost > Decimal("0.001")


@every_engine
async def test_one_whose_task_is_cancelled_is_settled_in_full(
    db: Database, gateway: Gateway, organization: Organization, fake: FakeProvider, engine: str
) -> None:
    fake.script(HELLO)
    fake.rest.clear()
    has_begun = asyncio.Event()

    async def talk() -> None:
        async with gateway.stream(organization.tenant, TALK, engine=engine, run_id=None) as deltas:
            async for _ in deltas:
                has_begun.set()

    talking = asyncio.create_task(talk())
    await has_begun.wait()
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking
    fake.rest.set()
    use = await only_use(db, organization)
    assert (use.status, use.error) == ("error", "left before its end")


async def test_one_that_tells_no_usage_is_counted_from_its_text(
    db: Database, gateway: Gateway, organization: Organization, fake: FakeProvider
) -> None:
    fake.script(Said(text="a" * 40, tells_usage=False))
    await listen(gateway, organization)
    use = await only_use(db, organization)
    assert (use.status, use.estimated, use.completion_tokens) == ("ok", True, 10)


SSE = {"Content-Type": "text/event-stream"}
BEGUN = b"".join(
    b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), msgspec.json.encode(event))
    for event in (
        {
            "type": "message_start",
            "message": {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "x",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 10, "output_tokens": 1},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    )
)
OVERLOADED = (
    b'event: error\ndata: {"type": "error", "error": '
    b'{"type": "overloaded_error", "message": "x"}}\n\n'
)
BAD = b"event: content_block_delta\ndata: {\n\n"
OPENED = b"data: " + msgspec.json.encode({"choices": [{"delta": {"content": "She"}}]}) + b"\n\n"


@pytest.mark.parametrize(
    ("engine", "step", "reason", "retry_after", "is_paid"),
    [
        (OPENAI, status(500), "500 Internal Server Error", 30.0, False),
        (OPENAI, status(401), "401 Unauthorized (the API key is not accepted)", None, False),
        (OPENAI, limited("7"), "429 Too Many Requests (rate_limit_exceeded)", 7.0, False),
        (OPENAI, Failure(body=b"data: {\n\n"), "an event that is not JSON", None, True),
        (OPENAI, Failure(body=OPENED, sent=5), "the connection failed", 30.0, True),
        (OPENAI, Failure(body=OPENED), "the connection failed or broke", 30.0, True),
        (GEMINI, status(503), "503 Service Unavailable", 30.0, False),
        (CLAUDE, status(500), "500 Internal Server Error", 30.0, False),
        (CLAUDE, limited("7"), "429 Too Many Requests", 7.0, False),
        (CLAUDE, Failure(body=OPENED[:20]), "", None, True),
        (CLAUDE, Failure(body=BEGUN, headers=SSE), "the connection failed or broke", 30.0, True),
        (CLAUDE, Failure(body=BEGUN, headers=SSE, sent=60), "the connection", 30.0, True),
        (CLAUDE, Failure(body=BEGUN + OVERLOADED, headers=SSE), "overloaded", 30.0, True),
        (CLAUDE, Failure(body=BEGUN + BAD, headers=SSE), "not JSON", None, True),
    ],
)
async def test_one_that_fails_says_why(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    fake: FakeProvider,
    engine: str,
    step: Failure,
    reason: str,
    retry_after: float | None,
    is_paid: bool,
) -> None:
    fake.script(step)
    with pytest.raises(ProviderFailed) as told:
        await listen(gateway, organization, engine)
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
    with pytest.raises(EngineUnknown, match="cannot talk"):
        await listen(gateway, organization, "local")
    assert fake.asked == []


@every_engine
async def test_one_that_goes_silent_is_given_up_and_settled_in_full(
    db: Database,
    open_gateway: Callable[..., Gateway],
    organization: Organization,
    fake: FakeProvider,
    engine: str,
) -> None:
    gateway = open_gateway(ai_timeout=1)
    fake.script(HELLO)
    fake.rest.clear()
    with pytest.raises(ProviderFailed, match="no answer in time") as told:
        await listen(gateway, organization, engine)
    fake.rest.set()
    assert told.value.retry_after == LATER
    use = await only_use(db, organization)
    assert (use.status, use.error) == ("error", "no answer in time")
    assert use.cost > Decimal("0.001")


@pytest.mark.parametrize("broken", ["send", "masked"])
async def test_what_fails_before_it_leaves_gives_its_money_back(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    fake: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    async def fails(*_: object) -> None:
        raise DatabaseUnavailable

    def defect(*_: object) -> None:
        raise RuntimeError("a defect")

    await set_policy(db, organization.tenant, redaction=True)
    if broken == "send":
        monkeypatch.setattr(gateway._means.spending, "send", fails)
    else:
        monkeypatch.setattr(Mask, "masked", defect)
    with pytest.raises((DatabaseUnavailable, RuntimeError)):
        await listen(gateway, organization)
    await gateway.close()
    day = (await list_budgets(db, organization.tenant))[0]
    assert (day.settled, day.reserved, fake.asked) == (0, 0, [])


async def test_chat_and_calls_share_a_breaker(
    gateway: Gateway, organization: Organization, fake: FakeProvider
) -> None:
    fake.script(*[status(500)] * FAILURES)
    for _ in range(FAILURES):
        with pytest.raises(ProviderFailed, match="500"):
            await listen(gateway, organization)
    with pytest.raises(ProviderFailed, match="left alone"):
        await listen(gateway, organization)
    assert len(fake.asked) == FAILURES
