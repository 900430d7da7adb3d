"""A gateway on a real database, and a provider on this machine."""

import base64
from collections.abc import AsyncIterator, Callable

import psycopg
import pydantic
import pytest
import pytest_asyncio

from tidings.ai.gateway import Gateway
from tidings.ai.operation import Operation
from tidings.ai.prompts import Prompt, version_of
from tidings.ai.testing import FakeProvider
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import SecretKeys, load_secret_keys

from factories.organizations import Organization

KEY = "sk-the-key-of-the-settings"
PROMPT = "Find the goals that somebody states."


class Goal(pydantic.BaseModel):
    text: str


class Goals(pydantic.BaseModel):
    goals: list[Goal]


def accept(source: str, answer: Goals) -> list[str]:
    texts = [goal.text for goal in answer.goals]
    for text in texts:
        if text not in source:
            raise ValueError(f"{text!r} is not in the source.")
    return texts


@pytest.fixture
def reading() -> Operation[str, list[str]]:
    return Operation(
        name="meetings.read_goals",
        prompt=Prompt("read_goals", PROMPT, version_of(PROMPT)),
        schema=Goals,
        local=lambda source: [source.split(".")[0]],
        render=lambda source: source,
        accept=accept,
        local_version="local-3",
    )


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    async with FakeProvider(lambda ask: {"goals": [{"text": ask.source.split(".")[0]}]}) as fake:
        yield fake


@pytest.fixture
def configure(settings: Settings, fake: FakeProvider) -> Callable[..., Settings]:
    def configured(**changes: object) -> Settings:
        fields = {
            "openai_api_key": KEY,
            "anthropic_api_key": KEY,
            "openai_base_url": fake.base_url,
            "anthropic_base_url": fake.anthropic_url,
            "google_api_key": KEY,
            "google_base_url": fake.base_url,
            "secret_key": base64.b64encode(b"k" * 32).decode(),
        }
        return Settings(**{**settings.model_dump(), **fields, **changes}, _env_file=None)

    return configured


@pytest.fixture
def keys(configure: Callable[..., Settings]) -> SecretKeys:
    return load_secret_keys(configure())


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that gateways of `open_gateway` paused for; they do not really wait."""
    return []


@pytest_asyncio.fixture
async def open_gateway(
    db: Database, configure: Callable[..., Settings], keys: SecretKeys, pauses: list[float]
) -> AsyncIterator[Callable[..., Gateway]]:
    opened: list[Gateway] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    def open_one(**changes: object) -> Gateway:
        opened.append(Gateway(db, configure(**changes), keys, pause=pause))
        return opened[-1]

    yield open_one
    for gateway in opened:
        await gateway.close()


@pytest.fixture
def gateway(open_gateway: Callable[..., Gateway]) -> Gateway:
    return open_gateway()


@pytest.fixture
def set_policy(superuser_url: str) -> Callable[..., None]:
    def set_one(organization: Organization, ai_mode: str, engine: str | None = None) -> None:
        with psycopg.connect(superuser_url) as connection:
            connection.execute(
                "UPDATE tidings.organizations SET ai_mode = %s, engine = %s WHERE id = %s",
                [ai_mode, engine, organization.organization_id],
            )

    return set_one
