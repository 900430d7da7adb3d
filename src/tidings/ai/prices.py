"""What a call costs: TIDINGS_MODEL_PRICES first, then the list of genai-prices, else refused.

An unknown price is an error before the call, never zero.
"""

import importlib
from decimal import ROUND_UP, Decimal

import msgspec

from tidings.ai.engine_name import EngineName, parse_engine
from tidings.ai.engines.call import Usage, most_usage
from tidings.base.errors import EngineUnknown, PriceUnknown, SettingInvalid

_MICRO = Decimal("0.000001")
_MILLION = Decimal(1_000_000)
_EXAMPLE = '{"openai:my-model": {"input": "0.15", "output": "0.60"}}'


class ModelPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million tokens; `cached` input costs as `input` unless it is given."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None

    def __post_init__(self) -> None:
        for amount in (self.input, self.output, self.cached):
            if amount is not None and not (amount.is_finite() and amount >= 0):
                raise ValueError("a price is below zero or not a number")

    def cost(self, usage: Usage) -> Decimal:
        """USD, not rounded."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        cached = self.input if self.cached is None else self.cached
        total = (
            fresh * self.input
            + usage.cached_tokens * cached
            + usage.completion_tokens * self.output
        )
        return total / _MILLION


class Prices:
    """The prices that this process goes by."""

    def __init__(self, model_prices: str | None) -> None:
        """`model_prices` is the setting, JSON. Raises `SettingInvalid` when it is not valid."""
        self._own = _read(model_prices)
        self._known: set[EngineName] = set()

    def most(self, engine: EngineName, told: str, most_tokens: int) -> Decimal:
        """USD that a call can cost at most, told that text. Raises `PriceUnknown`."""
        return self.cost(engine, most_usage(told, most_tokens))

    def require(self, engine: EngineName) -> None:
        """Raise `PriceUnknown`, with the way out, when a call could not be accounted for."""
        if engine not in self._known:
            self.cost(engine, Usage(prompt_tokens=1, completion_tokens=1))
            self._known.add(engine)

    def cost(self, engine: EngineName, usage: Usage) -> Decimal:
        """USD of one call, rounded up to the sixth place. Raises `PriceUnknown`."""
        own = self._own.get(str(engine))
        total = own.cost(usage) if own is not None else _listed(engine, usage)
        return total.quantize(_MICRO, rounding=ROUND_UP)


def _listed(engine: EngineName, usage: Usage) -> Decimal:
    # The list takes half a second to load, and an installation without providers never asks.
    price_list = importlib.import_module("genai_prices")
    tokens = price_list.Usage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cached_tokens,
        output_tokens=usage.completion_tokens,
    )
    try:
        found = price_list.calc_price(tokens, engine.model, provider_id=engine.provider)
    except LookupError:
        raise PriceUnknown(
            f"There is no price for {engine}; set TIDINGS_MODEL_PRICES in USD per million tokens, "
            f'for example {_EXAMPLE} ("0" for a model of your own).'
        ) from None
    return Decimal(found.total_price)


def _read(text: str | None) -> dict[str, ModelPrice]:
    if not text:
        return {}
    try:
        prices = msgspec.json.decode(text, type=dict[str, ModelPrice])
        return {str(parse_engine(name)): price for name, price in prices.items()}
    except (msgspec.MsgspecError, EngineUnknown) as error:
        raise SettingInvalid(
            f"TIDINGS_MODEL_PRICES is not valid ({error}); write it as {_EXAMPLE}."
        ) from None
