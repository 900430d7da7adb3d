"""What OpenAI's chat completions answer, as far as it is read.

https://platform.openai.com/docs/api-reference/chat/object
"""

from typing import Any

import msgspec

from tidings.ai.engines.call import TOOL, Usage, estimate_tokens


class Function(msgspec.Struct):
    """What a tool is called with: JSON as text; some servers give the object itself."""

    name: str = ""
    arguments: Any = None

    @property
    def text(self) -> str:
        """The arguments as they came."""
        if self.arguments is None or isinstance(self.arguments, str):
            return self.arguments or ""
        return msgspec.json.encode(self.arguments).decode()


class ToolCall(msgspec.Struct):
    """One call of a tool."""

    id: str = ""
    function: Function = msgspec.field(default_factory=Function)

    def is_whole(self) -> bool:
        """Whether it may be shown again: servers refuse a history with broken JSON in it."""
        try:
            return isinstance(msgspec.json.decode(self.function.text), dict)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return False


class Message(msgspec.Struct):
    """What the model said."""

    content: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(msgspec.Struct):
    """One answer and why it ends."""

    message: Message
    finish_reason: str | None = None


class CachedTokens(msgspec.Struct):
    """Part of the prompt's tokens."""

    cached_tokens: int | None = None


class Told(msgspec.Struct):
    """Tokens as the provider counts them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: CachedTokens | None = None


class Chat(msgspec.Struct):
    """A whole answer."""

    choices: list[Choice]
    usage: Told | None = None

    def read(self) -> tuple[str | None, str | None]:
        """The JSON of the answer, or None and the reason why there is none."""
        if not self.choices:
            return None, "The answer is empty."
        choice = self.choices[0]
        if choice.finish_reason == "length":
            return None, "The answer is cut off; give a shorter one."
        for call in choice.message.tool_calls or []:
            if call.function.name == TOOL:
                text = call.function.text
                return (text, None) if text else (None, "The answer is empty.")
        if choice.message.content:
            return choice.message.content, None  # servers that know no forced tools
        if choice.finish_reason == "content_filter":
            return None, "The provider refused to answer."
        return None, "The answer is empty."

    def used(self, told: str, text: str) -> Usage:
        """Its tokens, counted from what was told and answered where the provider does not say."""
        usage = self.usage or Told()
        if not usage.prompt_tokens or usage.prompt_tokens < 0:
            return Usage(
                prompt_tokens=estimate_tokens(told),
                completion_tokens=max(0, usage.completion_tokens or 0) or estimate_tokens(text),
                estimated=True,
            )
        details = usage.prompt_tokens_details or CachedTokens()
        return Usage(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=max(0, usage.completion_tokens or 0),
            cached_tokens=min(max(0, details.cached_tokens or 0), usage.prompt_tokens),
        )


CHAT = msgspec.json.Decoder(Chat)
