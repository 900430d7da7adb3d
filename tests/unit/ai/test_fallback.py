"""TIDINGS_AI_FALLBACK."""

import pytest

from tidings.ai.engine_name import LOCAL, EngineName, parse_engine
from tidings.ai.fallback import Fallbacks
from tidings.base.errors import SettingInvalid

OPENAI = parse_engine("openai:gpt-4o-mini")
CLAUDE = parse_engine("anthropic:claude-haiku-4-5")


def test_an_operation_has_its_own_engines_or_those_of_all() -> None:
    setting = '{"a.b": ["local"], "*": ["anthropic:claude-haiku-4-5", "openai:gpt-4o-mini"]}'
    fallbacks = Fallbacks(setting)
    assert fallbacks.after("a.b", OPENAI) == [EngineName(LOCAL)]
    assert fallbacks.after("c.d", OPENAI) == [CLAUDE]
    assert Fallbacks(None).after("c.d", OPENAI) == []


@pytest.mark.parametrize("setting", ["[]", '{"*": "local"}', '{"*": ["nobody:x"]}', "{"])
def test_what_cannot_be_read_is_refused_at_start(setting: str) -> None:
    with pytest.raises(SettingInvalid, match="TIDINGS_AI_FALLBACK is not valid"):
        Fallbacks(setting)
