"""What is counted."""

from typing import Any

from prometheus_client import REGISTRY

from tidings.web.metrics import count_requests

ROUTE = {"method": "GET", "path": "/of/the/test"}


async def nothing(_: Any) -> None:
    """Sends nowhere."""


def counted(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"tidings_{name}", ROUTE | labels)


async def test_requests_are_counted_by_their_status() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert counted("requests_in_progress") == 1
        await send({"type": "http.response.start", "status": scope["status"]})
        await send({"type": "http.response.body"})

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path_template": ROUTE["path"]}
    for status in (200, 404, 503):
        await count_requests(app)(scope | {"status": status}, nothing, nothing)  # type: ignore[arg-type]
    assert counted("requests_in_progress") == 0
    for answered in ("200", "404", "503"):
        assert counted("requests_total", status_code=answered) == 1
        assert counted("request_duration_seconds_count", status_code=answered) == 1
    assert counted("requests_error_total", status_code="503") == 1
    assert counted("requests_error_total", status_code="404") is None


async def test_what_fails_without_an_answer_is_a_500() -> None:
    async def app(*_: Any) -> None:
        raise ZeroDivisionError

    scope = {"type": "http", "method": "GET", "path_template": ROUTE["path"]}
    try:
        await count_requests(app)(scope, nothing, nothing)  # type: ignore[arg-type]
    except ZeroDivisionError:
        assert counted("requests_error_total", status_code="500") == 1
        assert counted("requests_in_progress") == 0


async def test_sockets_are_passed_on() -> None:
    seen: list[str] = []

    async def app(scope: Any, *_: Any) -> None:
        seen.append(scope["type"])

    await count_requests(app)({"type": "websocket"}, nothing, nothing)  # type: ignore[arg-type]
    assert seen == ["websocket"]
