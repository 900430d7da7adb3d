"""The reader of the OpenAPI document: one page, rendered here, with no script from elsewhere."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

from tidings.web.assets import ADDRESS, asset_version

_CODE = re.compile(r"`([^`]+)`")
_METHODS = ("get", "post", "put", "patch", "delete")

Operations = dict[str, list[tuple[str, str, dict[str, Any]]]]
"""(method, path, operation) by tag."""


class DocumentedRoutes(OpenAPIRenderPlugin):
    """Lists every route with its parameters, its body with an example, and its answers."""

    def __init__(self) -> None:
        """Served at the root of the schema path."""
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page as HTML."""
        schemas = openapi_schema["components"]["schemas"]
        operations: Operations = {}
        for path, item in openapi_schema["paths"].items():
            for method in _METHODS:
                if method in item:
                    tag = item[method].get("tags", ["Other"])[0]
                    operations.setdefault(tag, []).append((method, path, item[method]))
        title = escape(openapi_schema["info"]["title"])
        parts = "".join(
            f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>'
            + "".join(_route(*one, schemas) for one in found)
            for tag, found in operations.items()
        )
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title} API</title>{_links()}"
            '</head><body><main class="page schema">'
            f"<h1>{title} API {escape(openapi_schema['info']['version'])}</h1>"
            f"<p>{escape(openapi_schema['info'].get('description', ''))} Send an API key as "
            "<code>Authorization: Bearer tk_…</code>. "
            '<a href="/schema/openapi.json">openapi.json</a></p>'
            f"{_contents(operations)}{parts}</main></body></html>"
        ).encode()


def _links() -> str:
    def address(path: str) -> str:
        return f"{ADDRESS}{path}?v={asset_version()}"

    sheets = ("tokens", "elements", "shell", "components", "schema")
    return f'<link rel="icon" href="{address("favicon.svg")}" type="image/svg+xml">' + "".join(
        f'<link rel="stylesheet" href="{address(f"css/{sheet}.css")}">' for sheet in sheets
    )


def _contents(operations: Operations) -> str:
    tags = "".join(
        f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a> '
        f'<span class="quiet">{len(found)}</span></li>'
        for tag, found in operations.items()
    )
    return f'<nav aria-label="Contents"><ul class="contents">{tags}</ul></nav>'


def _anchor(tag: str) -> str:
    return "tag-" + escape(tag.lower().replace(" ", "-"))


def _route(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> in {escape(p['in'])}"
        f"{', required' if p.get('required') else ''}. {_prose(p.get('description'))}</li>"
        for p in operation.get("parameters", [])
    )
    answers = "".join(
        f"<li><code>{escape(status)}</code> {_prose(answer.get('description'))}</li>"
        for status, answer in sorted(operation["responses"].items())
    )
    return (
        f'<section id="{escape(operation.get("operationId", ""))}">'
        f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
        f"<p>{_prose(operation.get('description'))}</p>"
        f"{f'<h4>Parameters</h4><ul>{parameters}</ul>' if parameters else ''}"
        f"{_body(operation, schemas)}"
        f"<details><summary>Answers</summary><ul>{answers}</ul></details></section>"
    )


def _prose(text: str | None) -> str:
    """A sentence whose `code` is set as such."""
    return _CODE.sub(r"<code>\1</code>", escape(text or ""))


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return ""
    fields = "".join(
        f"<li><code>{escape(name)}</code>{', required' if required else ''}: {escape(kind)}"
        f"{f'. {_prose(said)}' if said else ''}</li>"
        for name, required, kind, said in _fields(content["schema"], schemas)
    )
    examples = "".join(
        f"<pre>{escape(json.dumps(example, indent=2, ensure_ascii=False))}</pre>"
        for example in content["schema"].get("examples", [])
    )
    return f"<h4>Body</h4>{f'<ul>{fields}</ul>' if fields else ''}{examples}"


def _fields(
    schema: dict[str, Any], schemas: dict[str, Any]
) -> Iterator[tuple[str, bool, str, str]]:
    """Name, whether it is required, type and sentence of each field of a body."""
    for part in (schema, *schema.get("allOf", [])):
        found = schemas[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        needed = found.get("required", [])
        for name, field in found.get("properties", {}).items():
            yield name, name in needed, _kind(field), field.get("description") or ""


def _kind(schema: dict[str, Any]) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].rpartition("_")[2]
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_kind(one) for one in schema[several]))
    kind = schema.get("type", "any JSON")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return " | ".join(kind) if isinstance(kind, list) else str(kind)
