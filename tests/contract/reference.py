"""The reference pages that are made from the code: settings, errors, the example environment."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tidings.base import errors
from tidings.base.errors import TidingsError
from tidings.base.settings import Settings
from tidings.web.problems import STATUS

SETTINGS_HEAD = """\
# Settings

Settings are environment variables, or lines of a `.env` file in the folder where Tidings starts;
the environment wins. They are checked at start: a bad value is named, never shown, and nothing
starts. `.env.example` lists the same.

<!-- Written by `make listings` from src/tidings/base/settings.py; a test compares. -->

| variable | default | meaning |
|---|---|---|
"""

ERRORS_HEAD = """\
# Errors

Every answer that is not a success is a problem document (RFC 9457, `application/problem+json`)
with a stable `code`, a `detail` that says what to do and, for bad input, `errors` by field. The
sentence below is the usual one; a more exact one may stand in its place. An error without a status
of its own is a defect or a misconfiguration of the server: 500, with the details in its log.

<!-- Written by `make listings` from src/tidings/base/errors.py and src/tidings/web/problems.py. -->

| code | HTTP status | sentence |
|---|---|---|
"""

ENV_HEAD = """\
# Settings of Tidings: copy to .env and uncomment what you change.
# docs/reference/settings.md explains them. Written by `make listings`.
"""


def variables(name: str, field: FieldInfo) -> list[str]:
    """The environment variables of a setting, the first one first."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [str(alias) if alias else f"TIDINGS_{name.upper()}"]


def default_text(name: str, field: FieldInfo) -> str:
    """A default as one would write it, the same on every machine; empty for unset."""
    if name == "home":
        return "~/.local/share/tidings"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value in ([], {}):
        return ""
    if isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meaning(name: str, field: FieldInfo) -> str:
    text = field.description or ""
    if name == "home":
        text += " As root the default is `/var/lib/tidings/home`."
    return text


def render_settings() -> str:
    """The table of docs/reference/settings.md."""
    rows = []
    for name, field in Settings.model_fields.items():
        names = " or ".join(f"`{variable}`" for variable in variables(name, field))
        default = default_text(name, field)
        shown = f"`{default}`" if default else "unset"
        rows.append(
            f"| {names} | {shown} | {_meaning(name, field).replace('|', chr(92) + '|')} |\n"
        )
    return SETTINGS_HEAD + "".join(rows)


def render_env() -> str:
    """The text of .env.example."""
    lines = [ENV_HEAD]
    for name, field in Settings.model_fields.items():
        lines.append(f"\n# {_meaning(name, field)}\n")
        lines.append(f"# {variables(name, field)[0]}={default_text(name, field)}\n")
    return "".join(lines)


def every_error() -> Iterator[type[TidingsError]]:
    """The closed set, in the order of base/errors.py."""
    for value in vars(errors).values():
        if inspect.isclass(value) and issubclass(value, TidingsError):
            yield value


def sentence_of(error: type[TidingsError]) -> str:
    """The default message of an error."""
    return (error.__doc__ or "").strip().splitlines()[0]


def status_of(error: type[TidingsError]) -> int:
    """The HTTP status that web/problems.py gives an error."""
    return next((STATUS[kind] for kind in error.__mro__ if kind in STATUS), 500)


def render_errors() -> str:
    """The table of docs/reference/errors.md, by code."""
    rows = sorted(
        (error.code, status_of(error), sentence_of(error).replace("|", "\\|"))
        for error in every_error()
    )
    return ERRORS_HEAD + "".join(
        f"| `{code}` | {status} | {text} |\n" for code, status, text in rows
    )


def make_targets(makefile: Path) -> set[str]:
    """The targets of a Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):", makefile.read_text(encoding="utf-8"), re.MULTILINE))
