"""Which engine an organization gets."""

from collections.abc import Callable

import pytest

from tidings.ai.gateway import Gateway
from tidings.base.errors import AiForbidden, EngineUnknown, SecretUnreadable, SourceUnconfigured
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import set_secret

from factories.organizations import Organization

OPENAI = "openai:gpt-4o-mini"
CLAUDE = "anthropic:claude-haiku-5-5"


@pytest.mark.parametrize(
    ("ai_mode", "own", "setting", "asked", "chosen"),
    [
        ("provider", None, "local", None, "local"),
        ("provider", None, OPENAI, None, OPENAI),
        ("provider", CLAUDE, OPENAI, None, CLAUDE),
        ("provider", "local", OPENAI, None, "local"),
        ("provider", CLAUDE, OPENAI, "local", "local"),
        ("provider", "local", "local", " OpenAI:gpt-4o-mini", OPENAI),
        ("local", None, OPENAI, None, "local"),
        ("local", CLAUDE, OPENAI, None, "local"),
        ("local", None, OPENAI, "local", "local"),
        ("local", CLAUDE, "local", CLAUDE, AiForbidden),
        ("off", None, "local", None, AiForbidden),
        ("off", "local", "local", "local", AiForbidden),
        ("off", None, "local", OPENAI, AiForbidden),
        ("provider", None, "local", "google:gemini-2.5-pro", "google:gemini-2.5-pro"),
        ("provider", "nobody:x", "local", None, EngineUnknown),
        ("provider", None, "nobody:x", None, EngineUnknown),
        ("off", None, "local", "", EngineUnknown),
    ],
)
async def test_the_one_asked_for_then_the_organizations_then_the_settings(
    organization: Organization,
    open_gateway: Callable[..., Gateway],
    set_policy: Callable[..., None],
    ai_mode: str,
    own: str | None,
    setting: str,
    asked: str | None,
    chosen: str | type[Exception],
) -> None:
    set_policy(organization, ai_mode, own)
    gateway = open_gateway(engine=setting)
    if isinstance(chosen, str):
        assert await gateway.engine_for(organization.tenant, asked) == chosen
    else:
        with pytest.raises(chosen):
            await gateway.engine_for(organization.tenant, asked)


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [(OPENAI, "OPENAI_API_KEY not configured"), (CLAUDE, "ANTHROPIC_API_KEY not configured")],
)
@pytest.mark.parametrize("openai_base_url", [None, "https://api.openai.com/v1"])
@pytest.mark.parametrize("key", [None, " "])
async def test_a_missing_key_is_an_error_asked_for_or_not(
    organization: Organization,
    open_gateway: Callable[..., Gateway],
    engine: str,
    sentence: str,
    openai_base_url: str | None,
    key: str | None,
) -> None:
    gateway = open_gateway(
        engine=engine,
        openai_api_key=key,
        anthropic_api_key=key,
        openai_base_url=openai_base_url,
        anthropic_base_url=None,
    )
    for asked in (engine, None):
        with pytest.raises(SourceUnconfigured) as caught:
            await gateway.engine_for(organization.tenant, asked)
        assert caught.value.message == sentence


async def test_a_server_of_ones_own_may_need_no_key(
    organization: Organization, open_gateway: Callable[..., Gateway]
) -> None:
    gateway = open_gateway(openai_api_key=None)
    assert await gateway.engine_for(organization.tenant, "openai:llama3") == "openai:llama3"


async def test_the_organizations_own_key_is_enough_for_it_alone(
    db: Database,
    keys: SecretKeys,
    organization: Organization,
    other_organization: Organization,
    open_gateway: Callable[..., Gateway],
) -> None:
    gateway = open_gateway(openai_api_key=None, openai_base_url=None)
    await set_secret(db, keys, organization.tenant, "openai_api_key", "sk-of-the-organization")
    for role in ("owner", "member", "viewer", "service"):
        assert await gateway.engine_for(organization.acting(role), OPENAI) == OPENAI
    with pytest.raises(SourceUnconfigured):
        await gateway.engine_for(other_organization.tenant, OPENAI)


async def test_a_key_that_does_not_open_is_not_passed_over(
    db: Database, organization: Organization, gateway: Gateway
) -> None:
    await set_secret(db, SecretKeys([b"x" * 32]), organization.tenant, "openai_api_key", "sk-own")
    with pytest.raises(SecretUnreadable):
        await gateway.engine_for(organization.tenant, OPENAI)
    assert await gateway.engine_for(organization.tenant, CLAUDE) == CLAUDE


async def test_it_takes_one_round_trip(
    db: Database, organization: Organization, gateway: Gateway
) -> None:
    before = db.trips.total
    await gateway.engine_for(organization.tenant, OPENAI)
    assert db.trips.total - before == 1


def test_bad_prices_are_found_at_the_start(
    open_gateway: Callable[..., Gateway], configure: Callable[..., Settings]
) -> None:
    with pytest.raises(Exception, match="TIDINGS_MODEL_PRICES"):
        open_gateway(model_prices="{")
