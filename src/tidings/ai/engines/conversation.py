"""An exchange with a model through pydantic-ai."""

import asyncio
import json

import msgspec
import pydantic
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryInfo,
    SystemPromptPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from tidings.ai.engines.call import TOOL, CallFailed, Reply, Usage, estimate_tokens
from tidings.ai.engines.failures import is_undecodable, may_have_arrived, to_failure
from tidings.ai.engines.schema import json_schema
from tidings.ai.fence import fence


class Conversation:
    """A question, the answers to it, and what was wrong with them."""

    def __init__(
        self,
        model: Model,
        *,
        instructions: str,
        question: str,
        schema: type[pydantic.BaseModel],
        most_tokens: int,
        timeout: float,
    ) -> None:
        """`most_tokens` bounds each answer; `timeout` is in seconds, for each call whole."""
        self._model = model
        self._opening = ModelRequest(
            parts=[SystemPromptPart(instructions), UserPromptPart(question)]
        )
        self._history: list[ModelMessage] = [self._opening]
        self._timeout = timeout
        self._settings = ModelSettings(max_tokens=most_tokens, timeout=timeout)
        self._schema = json_schema(schema)
        self._response: ModelResponse | None = None

    async def ask(self) -> Reply:
        """Send everything so far and wait for the answer: one HTTP call. Raises `CallFailed`."""
        self._response = None
        try:
            async with asyncio.timeout(self._timeout):
                response = await model_request(
                    self._model,
                    self._history,
                    model_settings=self._settings,
                    model_request_parameters=self._parameters(),
                    instrument=False,
                )
        except TimeoutError:
            raise CallFailed("no answer in time", is_passing=True, usage=self.sent()) from None
        except UnexpectedModelBehavior:
            return Reply(self.sent(), None, "The answer is not of the provider's own shape.")
        except ModelAPIError as error:
            if is_undecodable(error):
                return Reply(self.sent(), None, "The answer is not JSON.")
            usage = self.sent() if may_have_arrived(error) else Usage()
            raise to_failure(error, usage) from None
        self._response = response
        text, problem = _read(response)
        return Reply(usage_of(response.usage, self.told(), text or ""), text, problem)

    def refuse(self, feedback: str) -> None:
        """Say what was wrong with the last answer, so that the next `ask` repairs it."""
        # The feedback may quote the answer, and with it the source: it is data as well.
        note = (
            "The answer cannot be used, for the reason between the two lines. "
            f"Call the tool {TOOL} with the whole, corrected answer.\n{fence(feedback)}"
        )
        calls = self._response.tool_calls if self._response is not None else []
        if self._response is None or not calls or not all(_is_whole(call) for call in calls):
            # Nothing that can be shown again: servers refuse a history with broken JSON in it.
            self._history = [self._opening, ModelRequest(parts=[UserPromptPart(note)])]
            return
        returns = [
            ToolReturnPart(
                call.tool_name,
                note,
                tool_call_id=call.tool_call_id,
                outcome="retried",
                retry=RetryInfo(cause="model_retry"),
            )
            for call in calls
        ]
        self._history += [self._response, ModelRequest(parts=returns)]

    def sent(self) -> Usage:
        """What a call that may have arrived costs at least: its input, counted from the text."""
        return Usage(prompt_tokens=estimate_tokens(self.told()), estimated=True)

    def told(self) -> str:
        """All text that the next `ask` tells the provider."""
        return json.dumps(self._schema) + "".join(
            str(getattr(part, "content", getattr(part, "args", "")))
            for message in self._history
            for part in message.parts
        )

    def _parameters(self) -> ModelRequestParameters:
        # The answer tool is the only one: whatever the source says, there is nothing to be run.
        answer = ToolDefinition(
            name=TOOL,
            description="Give the answer, whole, in this shape.",
            parameters_json_schema=self._schema,
            kind="output",
        )
        return ModelRequestParameters(
            output_mode="tool", allow_text_output=False, output_tools=[answer]
        )


def usage_of(told: RequestUsage, asked: str, text: str) -> Usage:
    """What the provider told, counted from what was asked and answered where it did not."""
    if told.input_tokens <= 0:
        return Usage(
            prompt_tokens=estimate_tokens(asked),
            completion_tokens=told.output_tokens or estimate_tokens(text),
            estimated=True,
        )
    return Usage(
        prompt_tokens=told.input_tokens,
        completion_tokens=max(0, told.output_tokens),
        cached_tokens=min(max(0, told.cache_read_tokens), told.input_tokens),
    )


def _read(response: ModelResponse) -> tuple[str | None, str | None]:
    if response.finish_reason == "length":
        return None, "The answer is cut off; give a shorter one."
    for call in response.tool_calls:
        if call.tool_name == TOOL:
            text = _arguments(call)
            return (text, None) if text else (None, "The answer is empty.")
    if response.text:
        return response.text, None  # servers that know no forced tools answer in plain text
    if response.finish_reason == "content_filter":
        return None, "The provider refused to answer."
    return None, "The answer is empty."


def _arguments(call: ToolCallPart) -> str:
    """The arguments as they came: the library's own reading makes an object of anything."""
    return call.args if isinstance(call.args, str) else call.args_as_json_str() if call.args else ""


def _is_whole(call: ToolCallPart) -> bool:
    try:
        return isinstance(msgspec.json.decode(_arguments(call)), dict)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
