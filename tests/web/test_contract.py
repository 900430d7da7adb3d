"""What every route of the API has in common: problems, paging, bodies, headers."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tidings.base.ids import uuid7
from tidings.web.problems import STATUS, problem_of, problem_response
from web.house import JSON, House, Team, meeting, problem

LISTS = [
    "/v1/companies",
    "/v1/meetings",
    "/v1/runs",
    "/v1/kv",
    "/v1/members",
    "/v1/audit-log",
    "/v1/api-keys",
]


def test_every_error_has_one_answer() -> None:
    for kind, status in STATUS.items():
        error = kind("A sentence.", retry_after=1.4)
        described = problem_of(error)
        assert (described.status, described.code) == (status, kind.code)
        assert described.detail == "A sentence."
        headers = problem_response(error).headers
        assert headers["retry-after"] == "1"
        assert ("www-authenticate" in headers) == (status == 401)


def test_a_defect_says_nothing_of_its_inside() -> None:
    from tidings.base.errors import SecretUnreadable
    from tidings.web.problems import as_error

    for defect in (KeyError("password=hunter2"), SecretUnreadable("sealed with tk_x")):
        described = problem_of(as_error(defect))
        assert described.status == 500
        assert described.code == "internal_error"
        assert "hunter2" not in described.detail
        assert "tk_x" not in described.detail


async def test_credential_comes_before_body(house: House) -> None:
    nobody = house.client()
    answer = await nobody.post("/v1/engagement-summary", content=b"{not json", headers=JSON)
    problem(answer, 401, "credential_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer tk_" + "x" * 43, "tk"],
)
async def test_garbage_credentials(house: House, header: str) -> None:
    answer = await house.client(authorization=header).get("/v1/kv/a")
    problem(answer, 401, "credential_invalid")


async def test_unknown_address_and_method(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/nothing"), 404, "not_found")
    answer = await client.patch("/v1/meetings", json={})
    problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["allow"].replace(",", " ").split()) >= {"GET", "POST"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", None),
        (b"{", None),
        (b"null", None),
        (b"[]", None),
        (b'{"domain": "\xff\xfe.com"}', "UTF-8"),
        (b"[" * 200_000, None),
        (b'{"domain": "a.example", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", None),
    ],
)
async def test_bodies_that_cannot_be_read(
    client: httpx.AsyncClient, body: bytes, detail: str | None
) -> None:
    answer = await client.post("/v1/engagement-summary", content=body, headers=JSON)
    found = problem(answer, 400, "input_invalid")
    assert detail is None or detail in found["detail"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/engagement-summary", {"domain": 7}, "domain"),
        ("/v1/engagement-summary", {"domain": "a.example", "force": "true"}, "force"),
        ("/v1/engagement-summary", {"domain": "a.example", "force": 1}, "force"),
        ("/v1/engagement-summary", {"domain": "a.example", "sync": "null"}, "sync"),
        ("/v1/kv-batch", {"operations": [{"op": "get"}]}, "operations[0].key"),
        ("/v1/kv-batch", {"operations": [{"op": "get", "key": "a", "x": 1}]}, "operations[0].x"),
        ("/v1/engagement-summary", {}, "domain"),
        ("/v1/kv-batch", {"operations": [{"op": "jump", "key": "a"}]}, "operations"),
        ("/v1/meetings", {"items": {}}, "items"),
        ("/v1/api-keys", {"name": "x", "role": "king"}, "role"),
        ("/v1/secrets", {"name": "x"}, "value"),
    ],
)
async def test_wrong_types_name_the_field(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    errors = problem(await client.post(path, json=body), 400, "input_invalid")["errors"]
    assert any(error["field"].startswith(field) and error["message"] for error in errors), errors


NUL = "\\u0000"
LONE = "\\ud800"


@pytest.mark.parametrize("bad", [NUL, LONE, "\\uDFFF"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/engagement-summary", '{"domain": "BAD.example"}'),
        ("POST", "/v1/engagement-summary", '{"domain": "a.example", "engine": "BAD"}'),
        ("POST", "/v1/engagement-summary", '{"domain": "a.example", "unknown": "BAD"}'),
        ("PUT", "/v1/kv/a", '{"value": "BAD"}'),
        ("PUT", "/v1/kv/a", '{"value": {"BAD": 1}}'),
        ("POST", "/v1/kv-batch", '{"operations": [{"op": "get", "key": "BAD"}]}'),
        ("POST", "/v1/kv-batch", '{"operations": [{"op": "set", "key": "a", "value": ["BAD"]}]}'),
        ("POST", "/v1/meetings", '{"items": [{"title": "BAD"}]}'),
        ("POST", "/v1/api-keys", '{"name": "BAD"}'),
        ("POST", "/v1/secrets", '{"name": "openai_api_key", "value": "BAD"}'),
        ("POST", "/v1/hooks", '{"signing_secret": "BAD"}'),
    ],
)
async def test_nul_and_lone_surrogates_are_refused(
    client: httpx.AsyncClient, method: str, path: str, body: str, bad: str
) -> None:
    text = body.replace("BAD", bad)
    answer = await client.request(method, path, content=text, headers=JSON)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in {"input_invalid", "domain_invalid"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/kv/a%00b",
        "/v1/kv/%ff",
        "/v1/kv/%ed%a0%80",
        "/v1/kv?prefix=%00",
        "/v1/kv?prefix=%ed%a0%80",
        "/v1/meetings?q=%00",
        "/v1/meetings?q=%c3",
        "/v1/meetings?domain=a%00.example",
        "/v1/runs?kind=%00",
        "/v1/runs?subject=%ff",
        "/v1/companies/a%00",
        "/v1/companies/%ff",
        "/v1/companies?cursor=%00",
        "/v1/engagement-status?domain=%00&run_id=1",
        "/v1/engagement-status?domain=a.example&run_id=%00",
    ],
)
async def test_bad_text_in_addresses(client: httpx.AsyncClient, path: str) -> None:
    problem(await client.get(path), 400, "input_invalid")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "-1", "201", "99999999999999999999999", "many", "1.5", ""])
async def test_limits_outside_1_to_200(client: httpx.AsyncClient, path: str, limit: str) -> None:
    found = problem(await client.get(path, params={"limit": limit}), 400, "input_invalid")
    assert found["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", ["", "x", "AAA=", "é", "%", "eyJhIjoxfQ", "YQ", "a" * 1999])
async def test_forged_cursors(client: httpx.AsyncClient, path: str, cursor: str) -> None:
    problem(await client.get(path, params={"cursor": cursor}), 400, "cursor_invalid")


async def test_a_cursor_of_another_list_is_refused(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await house.key(team)
    cursor = (await client.get("/v1/api-keys?limit=1")).json()["next_cursor"]
    assert cursor
    for path in LISTS[:-1]:
        problem(await client.get(path, params={"cursor": cursor}), 400, "cursor_invalid")


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("", {"domain", "run_id"}),
        ("run_id=1", {"domain"}),
        ("domain=a.example", {"run_id"}),
    ],
)
async def test_a_missing_parameter_is_named(
    client: httpx.AsyncClient, query: str, missing: set[str]
) -> None:
    """Of several the framework names one, not the same in each process."""
    found = problem(await client.get(f"/v1/engagement-status?{query}"), 400, "input_invalid")
    field = found["errors"][0]["field"]
    assert field in missing
    assert found["errors"] == [{"field": field, "message": "is missing"}]
    assert found["detail"] == f"{field} is missing."


async def _fill(client: httpx.AsyncClient) -> None:
    items = [meeting(n, f"company-{n}.example") for n in range(7)]
    (await client.post("/v1/meetings", json={"items": items})).raise_for_status()
    for n in range(7):
        (await client.put(f"/v1/kv/k{n}", json={"value": n})).raise_for_status()
        (await client.post("/v1/api-keys", json={"name": f"k{n}"})).raise_for_status()
        member = {"email": f"member-{n}-{uuid7()}@example.com"}
        (await client.post("/v1/members", json=member)).raise_for_status()
        asked = {"domain": f"company-{n}.example"}
        (await client.post("/v1/engagement-summary", json=asked)).raise_for_status()


async def _pages(client: httpx.AsyncClient, path: str, limit: int) -> AsyncIterator[list[Any]]:
    cursor: str | None = None
    while True:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = (await client.get(path, params=params)).raise_for_status().json()
        assert set(answer) == {"items", "next_cursor"}
        yield answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return


def _name(item: dict[str, Any]) -> str:
    return next(str(item[key]) for key in ("id", "key", "domain", "user_id") if key in item)


async def test_lists_page_to_the_end(client: httpx.AsyncClient) -> None:
    await _fill(client)
    for path in LISTS:
        whole = (await client.get(path, params={"limit": 200})).json()
        assert whole["next_cursor"] is None
        assert len(whole["items"]) >= 7
        pages = [items async for items in _pages(client, path, 3)]
        assert all(len(items) <= 3 for items in pages)
        names = [_name(item) for p in pages for item in p]
        expected = [_name(item) for item in whole["items"]]
        assert names == expected, path
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/meetings/{id}"),
        ("DELETE", "/v1/meetings/{id}"),
        ("GET", "/v1/runs/{id}"),
        ("GET", "/v1/runs/{id}/events"),
        ("POST", "/v1/runs/{id}/cancel"),
        ("DELETE", "/v1/api-keys/{id}"),
        ("DELETE", "/v1/hooks/{id}"),
        ("GET", "/v1/companies/nobody.example"),
        ("GET", "/v1/companies/nobody.example/summaries/{id}"),
        ("GET", "/v1/companies/nobody.example/summaries/{id}/markdown"),
        ("GET", "/v1/kv/nothing"),
    ],
)
async def test_what_is_not_there(client: httpx.AsyncClient, method: str, path: str) -> None:
    for made in (uuid7(), uuid4()):
        problem(await client.request(method, path.format(id=made)), 404, "not_found")


async def test_ids_that_are_none(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/meetings/not-an-id"), 404, "not_found")
    problem(await client.get("/v1/runs/1"), 404, "not_found")


async def test_bodies_have_their_limits(client: httpx.AsyncClient) -> None:
    mib = 2**20
    big = b'{"domain": "' + b"a" * mib + b'"}'
    answer = await client.post("/v1/engagement-summary", content=big, headers=JSON)
    problem(answer, 413, "body_too_large")
    value = b'{"value": "' + b"a" * (mib - 2) + b'"}'
    assert (await client.put("/v1/kv/large", content=value, headers=JSON)).status_code == 200
    value = b'{"value": "' + b"a" * (mib - 1) + b'"}'
    problem(await client.put("/v1/kv/larger", content=value, headers=JSON), 413, "body_too_large")
    value = b'{"value": "' + b"a" * (mib + 8192) + b'"}'
    problem(await client.put("/v1/kv/larger", content=value, headers=JSON), 413, "body_too_large")


async def test_meetings_take_more_than_a_mib(client: httpx.AsyncClient) -> None:
    items = [meeting(1, "big.example", *("word " * 2000 for _ in range(150)))]
    answer = await client.post("/v1/meetings", json={"items": items})
    assert answer.status_code == 200
    assert answer.json()["created"] == 1


@pytest.mark.parametrize("path", ["/v1/meetings", "/v1/kv-batch", "/v1/hooks"])
async def test_large_bodies_are_64_mib(house: House, client: httpx.AsyncClient, path: str) -> None:
    from tidings.web.services import LARGE_BODY

    assert LARGE_BODY == 64 * 2**20
    headers = {"content-length": str(LARGE_BODY + 1), **JSON}
    if path == "/v1/hooks":  # where one posts to it
        secret = {"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
        path = (await client.post(path, json=secret)).json()["path"]

    async def never_read() -> AsyncIterator[bytes]:
        yield b"{"

    answer = await client.post(path, content=never_read(), headers=headers)
    problem(answer, 413, "body_too_large")


async def test_headers_of_every_answer(house: House, client: httpx.AsyncClient) -> None:
    answers = [
        await client.get("/v1/kv"),
        await client.get("/v1/nothing"),
        await house.client().get("/v1/kv"),
        await house.client().get("/sign-in"),
        await house.client().get("/healthz"),
    ]
    for answer in answers:
        headers = answer.headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"]
        assert headers["x-request-id"]
        assert "server" not in headers
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


async def test_rate_headers(client: httpx.AsyncClient) -> None:
    first, second = [await client.get("/v1/kv") for _ in range(2)]
    assert first.headers["ratelimit-policy"] == '"default";q=6000;w=60'
    left = [int(a.headers["ratelimit"].split(";")[1].removeprefix("r=")) for a in (first, second)]
    assert left[0] <= 6000
    assert left[1] < left[0] or left[1] > 5990  # another minute may have begun between the two
    problem(missing := await client.get("/v1/kv/none"), 404, "not_found")
    assert "ratelimit" in missing.headers


async def test_head_answers_as_get_without_a_body(house: House, client: httpx.AsyncClient) -> None:
    await client.put("/v1/kv/a", json={"value": 1})
    got, head = await client.get("/v1/kv/a"), await client.head("/v1/kv/a")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["content-length"] == got.headers["content-length"]
    assert (await client.head("/v1/kv/none")).status_code == 404
    assert (await house.client().head("/v1/kv/a")).status_code == 401
    assert (await house.client().head("/healthz")).status_code == 200
    assert (await client.head("/v1/engagement-summary")).status_code == 405


async def test_head_of_a_stream_ends(client: httpx.AsyncClient) -> None:
    answer = await client.head("/v1/kv-watch")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_options_need_no_credential(house: House) -> None:
    answer = await house.client().options("/v1/kv/a")
    assert answer.status_code == 204
    assert {"GET", "PUT", "DELETE"} <= set(answer.headers["allow"].replace(",", " ").split())


async def test_cors_is_for_the_origins_that_are_set(house: House) -> None:
    asked = {
        "origin": "https://front.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,last-event-id",
    }
    nobody = house.client()
    answer = await nobody.options("/v1/engagement-summary", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://front.example"
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert {"authorization", "last-event-id"} <= {name.strip() for name in allowed.split(",")}
    stranger = await nobody.options(
        "/v1/engagement-summary", headers=asked | {"origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in stranger.headers
    plain = await nobody.get("/v1/kv", headers={"origin": "https://front.example"})
    assert plain.headers["access-control-allow-origin"] == "https://front.example"
    assert "etag" in plain.headers["access-control-expose-headers"]
