"""An answer in plain text as it comes, through pydantic-ai."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelRequest,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings

from tidings.ai.engines import reasons
from tidings.ai.engines.call import CallFailed, Usage, estimate_tokens
from tidings.ai.engines.conversation import usage_of
from tidings.ai.engines.failures import is_undecodable, may_have_arrived, to_failure


@asynccontextmanager
async def model_stream(
    model: Model, *, instructions: str, question: str, most_tokens: int, seconds: float
) -> AsyncIterator["ModelStream"]:
    """The deltas of one answer; `seconds` bounds all of it. Raises `CallFailed`."""
    asked = instructions + question
    sent = Usage(prompt_tokens=estimate_tokens(asked), estimated=True)
    request = ModelRequest(parts=[SystemPromptPart(instructions), UserPromptPart(question)])
    deltas: ModelStream | None = None
    try:
        async with model_request_stream(
            model,
            [request],
            model_settings=ModelSettings(max_tokens=most_tokens, timeout=seconds),
            model_request_parameters=ModelRequestParameters(),
            instrument=False,
        ) as response:
            deltas = ModelStream(response, asked, sent, seconds)
            yield deltas
    except ModelAPIError as error:
        # Once it streams it is paid for, whatever status the provider gives its end.
        has_begun = deltas is not None or may_have_arrived(error)
        raise to_failure(error, sent if has_begun else Usage()) from None
    except UnexpectedModelBehavior:
        raise CallFailed(_STRANGE, usage=sent) from None


_STRANGE = "an answer that is not of the provider's own shape"


class ModelStream:
    """Iterate it once; `usage` is its input alone until its end."""

    def __init__(self, response: StreamedResponse, asked: str, sent: Usage, seconds: float) -> None:
        """Made by `model_stream`."""
        self._response = response
        self._asked = asked
        self._ends_at = time.monotonic() + seconds
        self.usage = sent

    async def __aiter__(self) -> AsyncIterator[str]:
        """Pieces of text. Raises `CallFailed` when it breaks off."""
        length = 0
        try:
            async for event in self._response:
                if time.monotonic() > self._ends_at:
                    raise CallFailed(reasons.TIMED_OUT, is_passing=True, usage=self.usage)
                text = _text(event)
                if text:
                    length += len(text)
                    yield text
        except ModelAPIError as error:
            if is_undecodable(error):
                raise CallFailed("an event that is not JSON", usage=self.usage) from None
            raise to_failure(error, self.usage) from None
        except UnexpectedModelBehavior:
            raise CallFailed(_STRANGE, usage=self.usage) from None
        except httpx2.HTTPError:
            raise CallFailed(reasons.BROKEN, is_passing=True, usage=self.usage) from None
        if self._response.finish_reason is None:
            raise CallFailed(reasons.BROKEN, is_passing=True, usage=self.usage)
        self.usage = usage_of(self._response.usage, self._asked, " " * length)


def _text(event: object) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""
