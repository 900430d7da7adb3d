"""Anthropic through pydantic-ai: its client, without retries of its own.

Heavy to import (pydantic-ai and the SDKs take seconds), so it is loaded with the first such call.
"""

import logging
from contextlib import AbstractAsyncContextManager

import pydantic
from anthropic import AsyncAnthropic
from pydantic_ai.models import Model, create_async_httpx2_client
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from tidings.ai.engine_name import EngineName
from tidings.ai.engines.conversation import Conversation
from tidings.ai.engines.provider import ANTHROPIC_URL
from tidings.ai.engines.text_stream import ModelStream, model_stream
from tidings.base.settings import Settings


class Agents:
    """The connections of one process through the SDKs; close with `close()`."""

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
        return Conversation(
            self._anthropic(engine, key),
            instructions=instructions,
            question=question,
            schema=schema,
            most_tokens=most_tokens,
            timeout=self._settings.ai_timeout,
        )

    def stream(
        self,
        engine: EngineName,
        key: str | None,
        *,
        instructions: str,
        question: str,
        most_tokens: int,
    ) -> AbstractAsyncContextManager[ModelStream]:
        """The deltas of one answer in plain text."""
        return model_stream(
            self._anthropic(engine, key),
            instructions=instructions,
            question=question,
            most_tokens=most_tokens,
            seconds=self._settings.ai_timeout,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _anthropic(self, engine: EngineName, key: str | None) -> Model:
        client = AsyncAnthropic(
            api_key=key or "",
            base_url=self._settings.anthropic_base_url or ANTHROPIC_URL,
            timeout=self._settings.ai_timeout,
            max_retries=0,
            http_client=self._http,
        )
        return AnthropicModel(engine.model, provider=AnthropicProvider(anthropic_client=client))
