"""Prompts: files `prompts/<name>.md` beside the domain that asks, with a version that is a hash.

The version goes into cache keys and into every record of what a provider wrote, so a changed word
in a prompt is a new prompt.
"""

import hashlib
import re
from importlib import resources

import msgspec

from tidings.base.text import check_text

VERSION_DIGITS = 12
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Prompt(msgspec.Struct, frozen=True):
    """The instructions of one operation: `text` for the provider, `version` 12 hex digits."""

    name: str
    text: str
    version: str


def load_prompt(package: str, name: str) -> Prompt:
    """Read `prompts/<name>.md` of a package, for example `("tidings.engagement", "read_meeting")`.

    Raises ValueError for a name that is not a plain word or an empty file, FileNotFoundError when
    there is no such file.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not the name of a prompt")
    path = resources.files(package).joinpath("prompts", f"{name}.md")
    text = check_text(f"{package} prompt {name}", path.read_text(encoding="utf-8").strip())
    if not text:
        raise ValueError(f"{package}: the prompt {name} is empty")
    return Prompt(name, text, version_of(text))


def version_of(*parts: str) -> str:
    """12 hex digits of the SHA-256 over the parts, each set off by its length."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()[:VERSION_DIGITS]
