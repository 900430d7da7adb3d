"""Engine names: `local`, or `provider:model`."""

import re

import msgspec

from tidings.base.errors import EngineUnknown

LOCAL = "local"
PROVIDERS = {"openai": "OpenAI", "anthropic": "Anthropic", "google": "Google"}
"""As engine names begin, and as people read them."""
LONGEST = 200  # as the column organizations.engine

# What model names look like at every provider and registry: gpt-4o-mini, meta/llama-3:8b, ft:…
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")
_WAYS = "use local, openai:MODEL, anthropic:MODEL or google:MODEL"


class EngineName(msgspec.Struct, frozen=True):
    """A checked name: `provider` is `local` or one of `PROVIDERS`; `model` is "" for local."""

    provider: str
    model: str = ""

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine."""
        return self.provider == LOCAL

    def __str__(self) -> str:
        """The canonical name, for example `openai:gpt-4o-mini`."""
        return f"{self.provider}:{self.model}" if self.model else self.provider


def parse_engine(name: str) -> EngineName:
    """The engine of that name; the provider in any case, the model as it stands.

    Raises `EngineUnknown` that says which names work.
    """
    provider, colon, model = name.strip().partition(":")
    provider = provider.lower()
    if provider == LOCAL and not colon:
        return EngineName(LOCAL)
    if provider not in PROVIDERS or len(name) > LONGEST or _MODEL.fullmatch(model) is None:
        raise EngineUnknown(f"There is no engine of that name; {_WAYS}.")
    return EngineName(provider, model)
