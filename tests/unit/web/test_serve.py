"""Whose word counts for where a client is."""

from typing import Any

import pytest

from tidings.base.settings import Settings
from tidings.web.serve import server_config


@pytest.mark.parametrize(
    ("trusted", "peer", "seen"),
    [
        ("", "10.0.0.5", "10.0.0.5"),
        ("10.0.0.0/8", "10.0.0.5", "203.0.113.7"),
        ("10.0.0.0/8", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1", "10.0.0.9"),
    ],
)
async def test_where_a_client_is(trusted: str, peer: str, seen: str) -> None:
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope["client"][0])

    settings = Settings(trusted_proxies=trusted, _env_file=None)  # type: ignore[arg-type, call-arg]
    config = server_config(app, settings)
    config.load()
    said = b"198.51.100.1, 203.0.113.7, 10.0.0.9"
    scope = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 1),
        "headers": [(b"x-forwarded-for", said)],
    }
    await config.loaded_app(scope, None, None)  # type: ignore[arg-type]
    assert found == [seen]
