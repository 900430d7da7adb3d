"""The OpenAPI document: valid, complete, with examples; and its reader."""

import re
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from web.house import House, Team
from web.test_approvals import propose

METHODS = {"get", "post", "put", "patch", "delete"}
#: Addresses that answer their own kinds of content.
CONTENT = {
    "/v1/kv-watch": "text/event-stream",
    "/v1/realtime": "text/event-stream",
    "/v1/runs/{run_id}/events": "text/event-stream",
    "/v1/companies/{domain}/summaries/{run_id}/markdown": "text/markdown",
    "/v1/summaries/{summary_id}/export": "text/markdown",
    "/v1/brainstorms/{session_id}/export": (
        "text/markdown, application/json, text/csv, text/plain, text/html"
    ),
    "/metrics": "text/plain",
}

NAME_IDEAS = {f"{name}Brainstorm" for name in ("expand", "variations", "synthesize", "score")}
"""They want ids of a board, or a provider: their example is one of the other operations'."""


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.app.openapi_schema.to_schema()
    return found


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS & item.keys()
    ]


async def test_it_is_served(house: House, document: dict[str, Any]) -> None:
    answer = await house.client().get("/schema/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    served = answer.json()
    assert served["openapi"].startswith("3.1")
    assert served["paths"].keys() == document["paths"].keys()


def test_every_route_of_the_api_is_in_it(house: House, document: dict[str, Any]) -> None:
    from litestar.routes import HTTPRoute

    served = {
        route.path_format
        for route in house.app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/v1/")
    }
    assert {path for path in document["paths"] if path.startswith("/v1/")} == served
    assert not [path for path in document["paths"] if path.startswith("/older")]


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in _operations(document):
        assert operation["description"], path
        assert operation["tags"], path
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], (path, parameter["name"])
        ok = next(status for status in operation["responses"] if status.startswith("2"))
        if ok == "204":
            assert "content" not in operation["responses"][ok], path
            continue
        kind = CONTENT.get(path, "application/json")
        assert list(operation["responses"][ok]["content"]) == kind.split(", "), path
        if kind == "application/json":
            assert operation["responses"][ok]["content"][kind]["schema"], (path, method)


def test_every_operation_documents_its_problems(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        if not path.startswith("/v1/"):
            continue
        assert {"401", "429", "503"} <= operation["responses"].keys(), path
        if method in ("post", "put"):
            assert "413" in operation["responses"], path
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], path


def test_every_post_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        headers = {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}
        takes = method == "post" and not path.startswith(("/v1/hooks/fathom", "/v1/hooks/messages"))
        assert ("Idempotency-Key" in headers) == takes, path
        assert not takes or {"409", "422"} <= operation["responses"].keys(), path


def _bodies(document: dict[str, Any]) -> dict[str, tuple[str, str, list[Any], Any]]:
    found = {}
    for path, method, operation in _operations(document):
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            found[operation["operationId"]] = (method, path, schema.get("examples", []), schema)
    return found


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    bodies = _bodies(document)
    assert len(bodies) >= 7
    for name, (_, _, examples, schema) in bodies.items():
        assert examples, name
        validator = Draft202012Validator(schema | {"components": document["components"]})
        for example in examples:
            validator.validate(example)


async def test_examples_work(
    document: dict[str, Any], client: httpx.AsyncClient, team: Team
) -> None:
    channel = (await client.post("/v1/channels", json={"name": "Desk", "kind": "email"})).json()
    given = {"key": "a", "period": "day", "channel": "slack", "channel_id": channel["id"]}
    given |= await _board(client, team)
    somebody = {"user_id": given["user_id"]}
    for name, (method, path, examples, _) in _bodies(document).items():
        if name in NAME_IDEAS:
            continue
        for example in examples:
            names = dict(given)
            if "{approval_id}" in path:
                names["approval_id"] = (await propose(client))["id"]
            if set(re.findall(r"{(\w+)}", path)) - set(names):
                continue  # of something that has to be made first
            body = example | somebody if "user_id" in example else example
            answer = await client.request(method, path.format(**names), json=body)
            assert answer.status_code < 300, (name, answer.text)
            said = None if answer.status_code == 204 else answer.json()
            assert not isinstance(said, dict) or not said.get("errors"), name


async def _board(client: httpx.AsyncClient, team: Team) -> dict[str, str]:
    made = (await client.post("/v1/brainstorms", json={"topic": "x"})).json()["id"]
    ideas = [
        (await client.post(f"/v1/brainstorms/{made}/ideas", json={"text": text})).json()
        for text in ("One idea", "Another one")
    ]
    cluster = await client.post(f"/v1/brainstorms/{made}/clusters", json={"name": "x"})
    return {
        "session_id": made,
        "idea_id": ideas[0]["id"],
        "cluster_id": cluster.json()["id"],
        "user_id": str(team.people["member"].tenant.user_id),
    }


def test_every_schema_is_json_schema(document: dict[str, Any]) -> None:
    for name in document["components"]["schemas"]:
        Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        )


async def test_the_reader(house: House, team: Team) -> None:
    page = await house.client().get("/schema")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "PUT /v1/kv/{key}</code></h3>" in page.text
    assert "<code>ttl_seconds</code>: number | null" in page.text
    assert "<code>next_cursor</code> of the page before" in page.text
    assert "&quot;ttl_seconds&quot;: 3600" in page.text  # the example
    assert 'href="#tag-engagement"' in page.text
    assert "Start a summary of all meetings with a company" in page.text
    assert "<script" not in page.text
    sheet = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert (await house.client().get(sheet)).status_code == 200
    assert (await house.client().get("/schema/nothing")).status_code == 404
