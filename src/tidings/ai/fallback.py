"""Which engines are asked when the one that was asked for fails, by operation."""

import msgspec

from tidings.ai.engine_name import EngineName, parse_engine
from tidings.base.errors import (
    AnswerUnreadable,
    BudgetExceeded,
    EngineUnknown,
    PriceUnknown,
    ProviderFailed,
    SettingInvalid,
    SourceUnconfigured,
)

FALLS_BACK = (
    AnswerUnreadable,
    ProviderFailed,
    BudgetExceeded,
    PriceUnknown,
    SourceUnconfigured,
)
"""What another engine may still answer: one that works, has a key and a price, costs nothing.

Not `AiForbidden`: where AI is off, no engine is asked instead."""

ANY = "*"
_EXAMPLE = '{"*": ["anthropic:claude-haiku-4-5", "local"]}'


class Fallbacks:
    """TIDINGS_AI_FALLBACK: engines in order, by the operation's name or `*` for the others."""

    def __init__(self, setting: str | None) -> None:
        """Raises `SettingInvalid` when the setting is not valid."""
        self._engines = _read(setting)

    def after(self, operation: str, engine: EngineName) -> list[EngineName]:
        """The engines to ask after that one, for the operation."""
        listed = self._engines.get(operation, self._engines.get(ANY, []))
        return [each for each in listed if each != engine]


def _read(text: str | None) -> dict[str, list[EngineName]]:
    if not text:
        return {}
    try:
        named = msgspec.json.decode(text, type=dict[str, list[str]])
        return {operation: [parse_engine(n) for n in names] for operation, names in named.items()}
    except (msgspec.MsgspecError, EngineUnknown) as error:
        raise SettingInvalid(
            f"TIDINGS_AI_FALLBACK is not valid ({error}); write it as {_EXAMPLE}."
        ) from None
