"""The reader of the OpenAPI document: one page, rendered here, with no script from elsewhere."""

from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

from tidings.web.assets import ADDRESS, asset_version

_METHODS = ("get", "post", "put", "patch", "delete")


class DocumentedRoutes(OpenAPIRenderPlugin):
    """Lists every route with its parameters and answers."""

    def __init__(self) -> None:
        """Served at the root of the schema path."""
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page as HTML."""
        routes = "".join(
            _route(path, method, item[method])
            for path, item in openapi_schema["paths"].items()
            for method in _METHODS
            if method in item
        )
        title = escape(openapi_schema["info"]["title"])
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title} API</title>{_sheets()}"
            '</head><body><main class="page schema">'
            f"<h1>{title} API {escape(openapi_schema['info']['version'])}</h1>"
            '<p><a href="/schema/openapi.json">openapi.json</a></p>'
            f"{routes}</main></body></html>"
        ).encode()


def _sheets() -> str:
    return "".join(
        f'<link rel="stylesheet" href="{ADDRESS}css/{sheet}.css?v={asset_version()}">'
        for sheet in ("tokens", "elements", "shell", "components")
    )


def _route(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> in {escape(p['in'])}"
        f"{', required' if p.get('required') else ''}. {escape(p.get('description') or '')}</li>"
        for p in operation.get("parameters", [])
    )
    answers = "".join(
        f"<li><code>{escape(status)}</code> {escape(answer.get('description') or '')}</li>"
        for status, answer in sorted(operation["responses"].items())
    )
    return (
        f'<section id="{escape(operation.get("operationId", ""))}">'
        f"<h2>{method.upper()} {escape(path)}</h2><p>{escape(operation.get('description', ''))}</p>"
        f"{f'<h3>Parameters</h3><ul>{parameters}</ul>' if parameters else ''}"
        f"<h3>Answers</h3><ul>{answers}</ul></section>"
    )
