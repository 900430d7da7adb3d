"""The static files, and how long who fetched one may keep it."""

import hashlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
ADDRESS = "/static/"

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"


@cache
def asset_version() -> str:
    """A digest of every static file: what pages append as `?v=`, changed when any of them is."""
    digest = hashlib.sha256()
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(STATIC)}:{len(content)}:".encode() + content)
    return digest.hexdigest()[:12]


def cache_control(query: bytes) -> str:
    """A year for an address with the present version; any other is asked for again each time."""
    return _FOR_EVER if query == b"v=" + asset_version().encode() else _ASK_FIRST
