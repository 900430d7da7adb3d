"""What one call to a provider gives: a reply with its usage, or the reason why there is none."""

import msgspec

# The providers' own rule of thumb for English; only where they do not tell the number.
CHARACTERS_PER_TOKEN = 4


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call; `prompt_tokens` include the cached ones."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False


class Reply(msgspec.Struct, frozen=True):
    """An answer as it came: `text` is the JSON that should fit the schema, `cut` when it ran out of
    room, None when there is nothing to read (`problem` says why)."""

    usage: Usage
    text: str | None
    problem: str | None = None


class CallFailed(Exception):
    """No reply. `reason` is short and holds nothing of the request; `usage` is what it may cost."""

    def __init__(
        self,
        reason: str,
        *,
        is_passing: bool = False,
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        """`is_passing`: the same call may work later, after `retry_after` seconds if told."""
        super().__init__(reason)
        self.reason = reason
        self.is_passing = is_passing
        self.retry_after = retry_after
        self.usage = usage or Usage()


def estimate_tokens(text: str) -> int:
    """Tokens of a text, counted from its length; at least one."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))
