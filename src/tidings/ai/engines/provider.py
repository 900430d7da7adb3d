"""Which adapter asks which provider.

OpenAI's shape goes over plain HTTP, which Google's own endpoint speaks as well
(https://ai.google.dev/gemini-api/docs/openai); Anthropic goes through its SDK.
"""

import asyncio
import importlib
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pydantic

from tidings.ai.engine_name import EngineName
from tidings.ai.engines.call import Exchange, TextStream
from tidings.ai.engines.chat import OPENAI_URL, ChatEndpoint
from tidings.base.settings import Settings

if TYPE_CHECKING:
    from tidings.ai.engines.agents import Agents

ANTHROPIC_URL = "https://api.anthropic.com"
GOOGLE_URL = "https://generativelanguage.googleapis.com/v1beta/openai"


class Providers:
    """The connections of one process to its providers; close with `close()`."""

    def __init__(self, settings: Settings) -> None:
        """Opens no connection yet."""
        self._settings = settings
        self._urls = {
            "openai": settings.openai_base_url or OPENAI_URL,
            "google": settings.google_base_url or GOOGLE_URL,
            "anthropic": settings.anthropic_base_url or ANTHROPIC_URL,
        }
        self._chats = {
            name: ChatEndpoint(self._urls[name], settings.ai_timeout)
            for name in ("openai", "google")
        }
        self._agents: Agents | None = None

    async def prepare(self, engine: EngineName) -> None:
        """Load what the engine needs, off the event loop: some SDKs take seconds."""
        if engine.provider not in self._chats and self._agents is None:
            await asyncio.to_thread(importlib.import_module, "tidings.ai.engines.agents")

    def conversation(
        self,
        engine: EngineName,
        key: str | None,
        *,
        instructions: str,
        question: str,
        schema: type[pydantic.BaseModel],
        most_tokens: int,
    ) -> Exchange:
        """One question to a model: `most_tokens` bounds each answer."""
        chat = self._chats.get(engine.provider)
        if chat is None:
            return self._sdk().conversation(
                engine,
                key,
                instructions=instructions,
                question=question,
                schema=schema,
                most_tokens=most_tokens,
            )
        return chat.exchange(
            engine.model,
            key,
            instructions=instructions,
            question=question,
            schema=schema,
            most_tokens=most_tokens,
        )

    def stream(
        self,
        engine: EngineName,
        key: str | None,
        *,
        instructions: str,
        question: str,
        most_tokens: int,
    ) -> AbstractAsyncContextManager[TextStream]:
        """The deltas of one answer in plain text. Entering it raises `CallFailed`."""
        chat = self._chats.get(engine.provider)
        if chat is None:
            return self._sdk().stream(
                engine,
                key,
                instructions=instructions,
                question=question,
                most_tokens=most_tokens,
            )
        return chat.stream(
            engine.model,
            key,
            instructions=instructions,
            question=question,
            most_tokens=most_tokens,
        )

    def destination(self, engine: EngineName) -> str:
        """Host and port, if it has one, that calls of the engine go to."""
        return urlsplit(self._urls[engine.provider]).netloc.rpartition("@")[2] or "unknown"

    async def close(self) -> None:
        """Close the connections."""
        for chat in self._chats.values():
            await chat.close()
        if self._agents is not None:
            await self._agents.close()
            self._agents = None

    def _sdk(self) -> "Agents":
        if self._agents is None:
            module = importlib.import_module("tidings.ai.engines.agents")
            self._agents = module.Agents(self._settings)
        return self._agents
