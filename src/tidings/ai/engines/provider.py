"""Which adapter asks which provider: OpenAI's shape over plain HTTP, Anthropic through its SDK."""

import asyncio
import importlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pydantic

from tidings.ai.engine_name import EngineName
from tidings.ai.engines.call import Exchange
from tidings.ai.engines.chat import OPENAI_URL, ChatEndpoint
from tidings.base.settings import Settings

if TYPE_CHECKING:
    from tidings.ai.engines.agents import Agents

ANTHROPIC_URL = "https://api.anthropic.com"


class Providers:
    """The connections of one process to its providers; close with `close()`."""

    def __init__(self, settings: Settings) -> None:
        """Opens no connection yet."""
        self._settings = settings
        self.chat = ChatEndpoint(settings.openai_base_url, settings.ai_timeout)
        self._agents: Agents | None = None

    async def prepare(self, engine: EngineName) -> None:
        """Load what the engine needs, off the event loop: some SDKs take seconds."""
        if engine.provider == "anthropic" and self._agents is None:
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
        if engine.provider == "anthropic":
            if self._agents is None:
                module = importlib.import_module("tidings.ai.engines.agents")
                self._agents = module.Agents(self._settings)
            return self._agents.conversation(
                engine,
                key,
                instructions=instructions,
                question=question,
                schema=schema,
                most_tokens=most_tokens,
            )
        return self.chat.exchange(
            engine.model,
            key,
            instructions=instructions,
            question=question,
            schema=schema,
            most_tokens=most_tokens,
        )

    def destination(self, engine: EngineName) -> str:
        """Host and port, if it has one, that calls of the engine go to."""
        settings = self._settings
        if engine.provider == "anthropic":
            url = settings.anthropic_base_url or ANTHROPIC_URL
        else:
            url = settings.openai_base_url or OPENAI_URL
        return urlsplit(url).netloc.rpartition("@")[2] or "unknown"

    async def close(self) -> None:
        """Close the connections."""
        await self.chat.close()
        if self._agents is not None:
            await self._agents.close()
            self._agents = None
