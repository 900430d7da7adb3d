"""Which methods an address answers, for the Allow header (RFC 9110, section 10.2.1)."""

import re
from functools import cache

from litestar import Litestar
from litestar.routes import BaseRoute, HTTPRoute


def allowed_methods(app: Litestar, path: str) -> str:
    """The methods of every route that this path leads to, as Allow lists them."""
    found = {
        method
        for route in app.routes
        if isinstance(route, HTTPRoute) and _pattern(route).fullmatch(path)
        for method in route.methods
    }
    if "GET" in found:
        found.add("HEAD")
    return ", ".join(sorted(found))


@cache
def _pattern(route: BaseRoute) -> re.Pattern[str]:
    parts = [
        f"/{re.escape(part)}" if isinstance(part, str) else _PARTS.get(part.full[-5:], "/[^/]+")
        for part in route.path_components
    ]
    return re.compile(f"{''.join(parts)}/?")


_PARTS = {":path": "/.*"}
