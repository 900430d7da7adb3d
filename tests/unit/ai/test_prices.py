"""What a call costs."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.engine_name import parse_engine
from tidings.ai.engines.call import Usage, estimate_tokens
from tidings.ai.prices import ModelPrice, Prices
from tidings.base.errors import PriceUnknown, SettingInvalid

OWN = '{"openai:my-model": {"input": "0.15", "output": "0.60"}}'
MINE = parse_engine("openai:my-model")


def usage(prompt: int, completion: int, cached: int = 0) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)


def test_a_listed_model_costs_what_the_list_says() -> None:
    engine = parse_engine("openai:gpt-4o-mini")
    # $0.15 a million in, $0.075 of cached, $0.60 out.
    assert Prices(None).cost(engine, usage(1_000_000, 0)) == Decimal("0.150000")
    assert Prices(None).cost(engine, usage(1000, 10, 400)) == Decimal("0.000126")
    assert Prices(None).cost(parse_engine("anthropic:claude-haiku-4-5"), usage(1000, 0)) > 0


def test_the_setting_wins_over_the_list() -> None:
    prices = Prices('{"OpenAI:gpt-4o-mini": {"input": 1, "output": 2, "cached": 0.5}}')
    cost = prices.cost(parse_engine("openai:gpt-4o-mini"), usage(1_000_000, 1_000_000, 500_000))
    assert cost == Decimal("2.75")


def test_cached_input_costs_as_input_unless_it_is_given() -> None:
    assert Prices(OWN).cost(MINE, usage(1_000_000, 0, 1_000_000)) == Decimal("0.15")


def test_no_paid_call_is_free() -> None:
    assert Prices(OWN).cost(MINE, usage(1, 0)) == Decimal("0.000001")
    assert Prices(OWN).cost(MINE, usage(0, 0)) == 0


def test_a_model_of_ones_own_may_be_free() -> None:
    prices = Prices('{"openai:my-model": {"input": "0", "output": "0"}}')
    prices.require(MINE)
    assert prices.cost(MINE, usage(1000, 1000)) == 0


def test_an_unknown_price_is_an_error_that_says_how_to_set_it() -> None:
    with pytest.raises(PriceUnknown, match="openai:my-model; set TIDINGS_MODEL_PRICES"):
        Prices(None).require(MINE)
    with pytest.raises(PriceUnknown):
        Prices(OWN).require(parse_engine("anthropic:my-model"))


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"openai:x": 1}', '{"openai:x": {"input": "1"}}',
        '{"openai:x": {"input": "-1", "output": "1"}}',
        '{"openai:x": {"input": "NaN", "output": "1"}}',
        '{"openai:x": {"input": "1", "output": "1", "outputs": "1"}}',
        '{"nobody:x": {"input": "1", "output": "1"}}',
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingInvalid, match=r"TIDINGS_MODEL_PRICES.*openai:my-model"):
        Prices(text)


amounts = st.decimals(min_value=0, max_value=1000, places=4)
tokens = st.integers(min_value=0, max_value=10_000_000)


@given(amounts, amounts, tokens, tokens)
def test_a_cost_is_exact_and_rounded_up_to_the_sixth_place(
    per_input: Decimal, per_output: Decimal, prompt: int, completion: int
) -> None:
    price = ModelPrice(per_input, per_output)
    exact = price.cost(usage(prompt, completion))
    prices = Prices(f'{{"openai:my-model": {{"input": "{per_input}", "output": "{per_output}"}}}}')
    cost = prices.cost(MINE, usage(prompt, completion))
    assert exact * 1_000_000 == prompt * per_input + completion * per_output
    assert exact <= cost < exact + Decimal("0.000001")
    assert -cost.as_tuple().exponent == 6


def test_tokens_are_estimated_upwards_and_never_as_none() -> None:
    assert [estimate_tokens("x" * n) for n in (0, 1, 4, 5, 400)] == [1, 1, 1, 2, 100]
