"""Engine names."""

import pytest

from tidings.ai.engine_name import EngineName, parse_engine
from tidings.base.errors import EngineUnknown


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("local", "local"),
        (" LOCAL ", "local"),
        ("openai:gpt-4o-mini", "openai:gpt-4o-mini"),
        ("OpenAI:gpt-4o-mini", "openai:gpt-4o-mini"),
        ("openai:meta-llama/Llama-3.1:8b", "openai:meta-llama/Llama-3.1:8b"),
        ("anthropic:claude-haiku-4-5", "anthropic:claude-haiku-4-5"),
        ("Google:gemini-2.5-flash", "google:gemini-2.5-flash"),
    ],
)
def test_a_name_has_one_canonical_spelling(written: str, canonical: str) -> None:
    assert str(parse_engine(written)) == canonical
    assert parse_engine(canonical) == parse_engine(written)


def test_local_is_local() -> None:
    assert parse_engine("local") == EngineName("local")
    assert parse_engine("local").is_local
    assert not parse_engine("openai:x").is_local


@pytest.mark.parametrize(
    "written",
    ["", "openai", "openai:", "openai: x", "local:x", "mistral:x", "openai:a\nb", "openai:-x",
     "openai:" + "x" * 200, "openai:a\x00"],
)  # fmt: skip
def test_other_names_are_refused_with_the_ones_that_work(written: str) -> None:
    with pytest.raises(
        EngineUnknown, match="use local, openai:MODEL, anthropic:MODEL or google:MODEL"
    ):
        parse_engine(written)
