"""Providers through pydantic-ai: their clients, without retries of their own.

Heavy to import (pydantic-ai and the SDKs take seconds), so the gateway loads it with the first
provider call.
"""

import logging

import pydantic
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.models import Model, create_async_httpx2_client
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from tidings.ai.engine_name import EngineName
from tidings.ai.engines.conversation import Conversation
from tidings.base.settings import Settings

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"

NO_KEY = "none"  # sent to servers that want no key; the SDK insists on one


class Providers:
    """The connections of one process to its providers; close with `close()`."""

    def __init__(self, settings: Settings) -> None:
        """Opens no connection yet."""
        # At debug level the SDKs log whole requests: prompts and sources.
        for name in ("openai", "anthropic", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._settings = settings
        self._http = create_async_httpx2_client(timeout=settings.ai_timeout)

    def conversation(
        self,
        engine: EngineName,
        key: str | None,
        *,
        instructions: str,
        question: str,
        schema: type[pydantic.BaseModel],
        most_tokens: int,
    ) -> Conversation:
        """One question to a model: `most_tokens` bounds each answer."""
        model = self._anthropic if engine.provider == "anthropic" else self._openai
        return Conversation(
            model(engine, key),
            instructions=instructions,
            question=question,
            schema=schema,
            most_tokens=most_tokens,
            timeout=self._settings.ai_timeout,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _openai(self, engine: EngineName, key: str | None) -> Model:
        base_url = self._settings.openai_base_url
        client = AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=base_url or OPENAI_URL,
            timeout=self._settings.ai_timeout,
            max_retries=0,
            http_client=self._http,
        )
        # The SDK takes these from the environment; they would not fit an organization's own key.
        client.organization = client.project = client.admin_api_key = None
        if base_url is None:
            return OpenAIChatModel(engine.model, provider=OpenAIProvider(openai_client=client))
        provider = OpenAICompatibleProvider("openai-compatible", openai_client=client)
        return OpenAIChatModel(engine.model, provider=provider)

    def _anthropic(self, engine: EngineName, key: str | None) -> Model:
        client = AsyncAnthropic(
            api_key=key or NO_KEY,
            base_url=self._settings.anthropic_base_url or ANTHROPIC_URL,
            timeout=self._settings.ai_timeout,
            max_retries=0,
            http_client=self._http,
        )
        return AnthropicModel(engine.model, provider=AnthropicProvider(anthropic_client=client))
