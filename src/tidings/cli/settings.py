"""`tidings settings`: what this process would go by."""

import re

import msgspec
from pydantic import AliasChoices, SecretStr

from tidings.base.settings import Settings, load_settings
from tidings.cli.output import Json, print_json, print_table

MASK = "••••"

# The password of a URL (up to the last @ before the path), and of a libpq parameter.
_IN_URL = re.compile(r"(?<=://)([^:/?#\s]*):[^/?#\s]*@")
_IN_PARAMETER = re.compile(r"((?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^&\s]+)", re.IGNORECASE)


class EffectiveSetting(msgspec.Struct, frozen=True):
    """One setting; `value` has secrets masked and is "" when it is not set."""

    variable: str
    value: str
    is_default: bool


def settings(*, json: Json = False) -> None:
    """Print the effective settings, secrets masked.

    Example: TIDINGS_PORT=9000 tidings settings
    """
    found = effective_settings(load_settings())
    if json:
        print_json(found)
        return
    print_table(
        ("Variable", "Value", "Origin"),
        ((s.variable, s.value, "default" if s.is_default else "set") for s in found),
    )


def effective_settings(current: Settings) -> list[EffectiveSetting]:
    """Every setting in the order they are documented in."""
    return [
        EffectiveSetting(
            _variable(name, field.validation_alias),
            _shown(getattr(current, name)),
            name not in current.model_fields_set,
        )
        for name, field in type(current).model_fields.items()
    ]


def _variable(name: str, alias: object) -> str:
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"TIDINGS_{name.upper()}"


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, value))
    return mask_passwords(str(value))


def mask_passwords(text: str) -> str:
    """An address, in either form that libpq takes, without its password."""
    return _IN_PARAMETER.sub(rf"\1{MASK}", _IN_URL.sub(rf"\1:{MASK}@", text))
