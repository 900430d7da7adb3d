"""Conversations with providers, over real HTTP."""

import json
import logging
from collections.abc import AsyncIterator

import pydantic
import pytest
import pytest_asyncio

from tidings.ai.engine_name import parse_engine
from tidings.ai.engines.call import TOOL, CallFailed, Exchange, Reply, Usage
from tidings.ai.engines.provider import Providers
from tidings.ai.fence import fence
from tidings.ai.testing import (
    BROKEN_CONNECTION,
    GARBAGE,
    GARBAGE_ANSWER,
    NO_ANSWER,
    TRUNCATED_ANSWER,
    TRUNCATED_BODY,
    Failure,
    FakeProvider,
    Said,
    limited,
    says,
    status,
)
from tidings.base.settings import Settings

KEY = "sk-a-secret-key"
SOURCE = "Ines: we ship on Friday."
BOTH = pytest.mark.parametrize("engine", ["openai:gpt-4o-mini", "anthropic:claude-haiku-5-5"])


class Goal(pydantic.BaseModel):
    text: str


class Answer(pydantic.BaseModel):
    goals: list[Goal]


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    async with FakeProvider(lambda ask: {"goals": [{"text": ask.source}]}) as provider:
        yield provider


@pytest_asyncio.fixture
async def providers(fake: FakeProvider) -> AsyncIterator[Providers]:
    providers = Providers(settings_for(fake))
    yield providers
    await providers.close()


def settings_for(fake: FakeProvider, timeout: float = 30) -> Settings:
    return Settings(
        openai_base_url=fake.base_url,
        anthropic_base_url=fake.anthropic_url,
        ai_timeout=timeout,
        _env_file=None,
    )


def converse(providers: Providers, engine: str, key: str | None = KEY) -> Exchange:
    return providers.conversation(
        parse_engine(engine),
        key,
        instructions="Find the goals.",
        question=fence(SOURCE),
        schema=Answer,
        most_tokens=500,
    )


async def failed(conversation: Exchange) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await conversation.ask()
    return caught.value


@BOTH
async def test_an_answer_comes_with_its_usage(
    fake: FakeProvider, providers: Providers, engine: str
) -> None:
    fake.tokens = (1000, 100, 400)
    reply = await converse(providers, engine).ask()
    assert json.loads(reply.text or "") == {"goals": [{"text": SOURCE}]}
    assert reply.usage == Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=400)


@BOTH
async def test_a_request_holds_the_instructions_the_fenced_source_and_one_tool(
    fake: FakeProvider, providers: Providers, engine: str
) -> None:
    await converse(providers, engine).ask()
    (ask,) = fake.asked
    assert ask.key == KEY
    assert ask.instructions == "Find the goals."
    assert ask.source == SOURCE
    assert not ask.is_repair
    assert len(ask.body["tools"]) == 1
    assert set(ask.schema["properties"]) == {"goals"}
    assert ask.body["model"] == engine.partition(":")[2]
    assert ask.body.get("max_tokens", ask.body.get("max_completion_tokens")) == 500
    # Some models of Anthropic's cannot be made to use a tool; what they say instead is read too.
    assert ask.body["tool_choice"] in ("required", {"type": "auto"})


@BOTH
async def test_a_refused_answer_is_shown_again_with_what_is_wrong_fenced_too(
    fake: FakeProvider, providers: Providers, engine: str
) -> None:
    conversation = converse(providers, engine)
    await conversation.ask()
    conversation.refuse("goals.0.text: too short")
    reply = await conversation.ask()
    assert reply.text
    repair = fake.asked[1]
    assert repair.is_repair
    told = json.dumps(repair.body["messages"][-1])
    assert "goals.0.text: too short" in told
    assert "BEGIN SOURCE" in told
    assert SOURCE in repair.source


async def test_broken_answers_are_not_shown_again(fake: FakeProvider, providers: Providers) -> None:
    conversation = converse(providers, "openai:gpt-4o-mini")
    for step in (GARBAGE_ANSWER, TRUNCATED_ANSWER, GARBAGE, Said(text="Hello!", is_plain=True)):
        fake.script(step)
        await conversation.ask()
        conversation.refuse("Not JSON.")
    await conversation.ask()
    roles = [message["role"] for message in fake.asked[-1].body["messages"]]
    assert roles == ["system", "user", "user"]
    assert "Hello" not in json.dumps(fake.asked[-1].body)


async def test_every_call_of_an_answer_gets_a_result(
    fake: FakeProvider, providers: Providers
) -> None:
    conversation = converse(providers, "openai:gpt-4o-mini")
    call = {"type": "function", "function": {"name": TOOL, "arguments": '{"goals": []}'}}
    other = {"type": "function", "function": {"name": "run", "arguments": "{}"}}
    message = {"role": "assistant", "tool_calls": [{"id": "a", **other}, {"id": "b", **call}]}
    whole = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
    }
    fake.script(Failure(body=json.dumps(whole).encode()))
    reply = await conversation.ask()
    assert reply.text == '{"goals": []}'
    conversation.refuse("More.")
    await conversation.ask()
    results = [m for m in fake.asked[-1].body["messages"] if m["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["a", "b"]


@BOTH
async def test_plain_text_is_taken_as_the_answer(
    fake: FakeProvider, providers: Providers, engine: str
) -> None:
    fake.script(Said(text='{"goals": []}', is_plain=True, finish="stop"))
    reply = await converse(providers, engine).ask()
    assert reply.text == '{"goals": []}'


@BOTH
async def test_an_answer_without_anything_is_a_problem(
    fake: FakeProvider, providers: Providers, engine: str
) -> None:
    fake.script(Said(text="", is_plain=True, finish="stop"))
    reply = await converse(providers, engine).ask()
    assert (reply.text, reply.problem) == (None, "The answer is empty.")


async def test_a_refusal_and_a_cut_answer_are_problems(
    fake: FakeProvider, providers: Providers
) -> None:
    fake.script(Said(text="", is_plain=True, finish="content_filter"), TRUNCATED_ANSWER)
    conversation = converse(providers, "openai:gpt-4o-mini")
    assert (await conversation.ask()).problem == "The provider refused to answer."
    assert (await conversation.ask()).problem == "The answer is cut off; give a shorter one."


@BOTH
@pytest.mark.parametrize(
    "step",
    [GARBAGE, TRUNCATED_BODY, Failure(body=b"ok", headers={"Content-Type": "text/plain"})],
)
async def test_a_body_that_is_not_json_is_an_unreadable_answer(
    fake: FakeProvider, providers: Providers, engine: str, step: Failure
) -> None:
    fake.script(step)
    reply = await converse(providers, engine).ask()
    assert reply.text is None
    assert reply.problem
    assert reply.usage.estimated
    assert reply.usage.prompt_tokens > len(SOURCE) / 4


async def test_usage_that_is_not_told_is_estimated(
    fake: FakeProvider, providers: Providers
) -> None:
    fake.script(Said(text='{"goals": []}', tells_usage=False))
    reply = await converse(providers, "openai:gpt-4o-mini").ask()
    assert reply.usage.estimated
    assert reply.usage.prompt_tokens > len(SOURCE) / 4
    assert reply.usage.completion_tokens == 4


@BOTH
@pytest.mark.parametrize(
    ("step", "reason", "is_passing", "retry_after"),
    [
        (status(500), "500 Internal Server Error", True, None),
        (status(503), "503 Service Unavailable", True, None),
        (status(408), "408 Request Timeout", True, None),
        (limited("7"), "429 Too Many Requests (rate_limit_exceeded)", True, 7.0),
        (status(401), "401 Unauthorized (the API key is not accepted)", False, None),
        (status(403), "403 Forbidden (the API key is not accepted)", False, None),
        (
            status(404),
            "404 Not Found (the model or the address is not known there)",
            False,
            None,
        ),
        (
            status(400, "invalid_request_error"),
            "400 Bad Request (invalid_request_error)",
            False,
            None,
        ),
        (status(402), "402 Payment Required (the account has no credit left)", False, None),
        (status(307), "307 Temporary Redirect", False, None),
    ],
)
async def test_an_error_answer_is_a_short_reason(
    fake: FakeProvider,
    providers: Providers,
    engine: str,
    step: Failure,
    reason: str,
    is_passing: bool,
    retry_after: float | None,
) -> None:
    fake.script(step)
    failure = await failed(converse(providers, engine))
    assert (failure.reason.replace(" (scripted)", ""), failure.is_passing) == (reason, is_passing)
    assert failure.retry_after == retry_after
    assert failure.usage == Usage()


async def test_special_codes_of_openai_are_understood(
    fake: FakeProvider, providers: Providers
) -> None:
    conversation = converse(providers, "openai:gpt-4o-mini")
    fake.script(status(429, "insufficient_quota"), status(400, "context_length_exceeded"))
    quota, length = await failed(conversation), await failed(conversation)
    assert (quota.reason, quota.is_passing) == (
        "429 Too Many Requests (the account has no credit left)",
        False,
    )
    assert length.reason == "400 Bad Request (the text is longer than the model takes)"


async def test_an_overloaded_anthropic_is_passing(fake: FakeProvider, providers: Providers) -> None:
    fake.script(status(529, "overloaded_error"))
    failure = await failed(converse(providers, "anthropic:claude-haiku-5-5"))
    assert (failure.reason, failure.is_passing) == ("529 (overloaded_error)", True)


@BOTH
async def test_the_sdks_do_not_retry(fake: FakeProvider, providers: Providers, engine: str) -> None:
    fake.script(status(500), status(500))
    await failed(converse(providers, engine))
    assert len(fake.asked) == 1


@BOTH
async def test_a_broken_connection_may_have_cost_its_input(
    fake: FakeProvider, providers: Providers, engine: str
) -> None:
    fake.script(BROKEN_CONNECTION)
    failure = await failed(converse(providers, engine))
    assert (failure.reason, failure.is_passing) == ("the connection failed or broke", True)
    assert failure.usage.estimated
    assert failure.usage.prompt_tokens > 0


@BOTH
async def test_a_call_that_never_left_cost_nothing(engine: str) -> None:
    async with FakeProvider() as gone:
        settings = settings_for(gone)
    providers = Providers(settings)
    failure = await failed(converse(providers, engine))
    await providers.close()
    assert (failure.reason, failure.is_passing) == ("the connection failed or broke", True)
    assert failure.usage == Usage()


@BOTH
async def test_a_provider_that_never_answers_is_left_after_the_timeout(
    fake: FakeProvider, engine: str
) -> None:
    fake.script(NO_ANSWER)
    providers = Providers(settings_for(fake, timeout=0.2))
    failure = await failed(converse(providers, engine))
    await providers.close()
    assert (failure.reason, failure.is_passing) == ("no answer in time", True)
    assert failure.usage.estimated


async def test_an_answer_that_drips_is_left_after_the_timeout_too(fake: FakeProvider) -> None:
    fake.gate.clear()  # the connection stands, and nothing comes
    providers = Providers(settings_for(fake, timeout=0.2))
    assert (await failed(converse(providers, "openai:gpt-4o-mini"))).reason == "no answer in time"
    await providers.close()
    fake.gate.set()


@BOTH
async def test_neither_key_nor_source_is_in_a_reason_or_a_log(
    fake: FakeProvider, providers: Providers, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = f"Incorrect API key provided: {KEY}, prompt: {SOURCE}"
    fake.script(status(401, KEY, message), status(400, SOURCE, message), status(500, KEY, message))
    conversation = converse(providers, engine)
    for _ in range(3):
        failure = await failed(conversation)
        assert KEY not in repr(failure)
        assert SOURCE not in repr(failure)
        assert failure.__cause__ is None
    await conversation.ask()
    assert KEY not in caplog.text
    assert SOURCE not in caplog.text


async def test_a_server_without_keys_gets_a_placeholder(
    fake: FakeProvider, providers: Providers
) -> None:
    await converse(providers, "openai:llama3", key=None).ask()
    assert fake.asked[0].key == "none"


async def test_credentials_of_the_environment_are_not_sent(
    fake: FakeProvider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY",
                 "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):  # fmt: skip
        monkeypatch.setenv(name, "of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    await converse(providers, "openai:gpt-4o-mini").ask()
    await converse(providers, "anthropic:claude-haiku-5-5").ask()
    assert len(fake.asked) == 2
    for ask in fake.asked:
        assert "of-the-environment" not in json.dumps(ask.headers)


def test_openai_itself_is_asked_at_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    providers = Providers(Settings(_env_file=None))
    openai = converse(providers, "openai:gpt-4o-mini")
    assert str(openai._endpoint.url) == "https://api.openai.com/v1/chat/completions"
    assert "max_completion_tokens" in openai.told()
    google = converse(providers, "google:gemini-2.5-flash")
    base = "https://generativelanguage.googleapis.com/v1beta/openai"
    assert str(google._endpoint.url) == f"{base}/chat/completions"
    anthropic = converse(providers, "anthropic:claude-haiku-5-5")
    assert anthropic._model.base_url == "https://api.anthropic.com"
    assert providers.destination(parse_engine("openai:gpt-4o-mini")) == "api.openai.com"
    assert providers.destination(parse_engine("anthropic:x")) == "api.anthropic.com"
    google_host = "generativelanguage.googleapis.com"
    assert providers.destination(parse_engine("google:x")) == google_host


async def test_what_was_sent_grows_with_the_repairs(
    fake: FakeProvider, providers: Providers
) -> None:
    conversation = converse(providers, "openai:gpt-4o-mini")
    before = conversation.sent().prompt_tokens
    reply = await conversation.ask()
    assert isinstance(reply, Reply)
    conversation.refuse("x" * 4000)
    assert conversation.sent().prompt_tokens > before + 1000


async def test_the_fake_knows_its_addresses(fake: FakeProvider) -> None:
    elsewhere = {"openai_base_url": f"{fake.base_url}/elsewhere"}
    providers = Providers(settings_for(fake).model_copy(update=elsewhere))
    failure = await failed(converse(providers, "openai:gpt-4o-mini"))
    await providers.close()
    assert failure.reason.startswith("404")
    assert says([1]).text == "[1]"


async def test_a_bad_answer_of_anthropics_is_not_shown_again_when_it_is_plain_text(
    fake: FakeProvider, providers: Providers
) -> None:
    conversation = converse(providers, "anthropic:claude-haiku-5-5")
    for step in (
        GARBAGE,
        Said(text="Hello!", is_plain=True),
        Said(text="Cut", is_plain=True, finish="length"),
    ):
        fake.script(step)
        await conversation.ask()
        conversation.refuse("Not JSON.")
    await conversation.ask()
    assert "Hello" not in json.dumps(fake.asked[-1].body)
    assert fake.asked[-1].is_repair or len(fake.asked[-1].body["messages"]) == 1


async def test_a_cut_answer_of_anthropics_is_a_problem(
    fake: FakeProvider, providers: Providers
) -> None:
    fake.script(Said(text='{"goals": []}', finish="length"))
    reply = await converse(providers, "anthropic:claude-haiku-5-5").ask()
    assert reply.problem == "The answer is cut off; give a shorter one."


async def test_servers_that_answer_in_their_own_way_are_understood(
    fake: FakeProvider, providers: Providers
) -> None:
    """Arguments as an object, no choices, and a shape that is none."""
    call = {"id": "a", "function": {"name": TOOL, "arguments": {"goals": []}}}
    bodies = [
        {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "stop"}]},
        {"choices": []},
        {"choices": "none"},
    ]
    fake.script(*[Failure(body=json.dumps(body).encode()) for body in bodies])
    conversation = converse(providers, "openai:llama3")
    replies = [await conversation.ask() for _ in bodies]
    assert json.loads(replies[0].text or "") == {"goals": []}
    assert replies[1].problem == "The answer is empty."
    assert replies[2].problem == "The answer is not of the provider's own shape."
