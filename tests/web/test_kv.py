"""The KV store over HTTP: keys from the raw path, versions, time to live, batches."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from web.house import House, Team, problem


async def raw(
    house: House, key: str, method: str, raw_path: bytes, body: bytes = b""
) -> tuple[int, bytes]:
    """A request with a path as it stands on the wire, which HTTP clients would tidy up."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    from urllib.parse import unquote

    path = raw_path.partition(b"?")[0]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path.decode()),
        "raw_path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"authorization", f"Bearer {key}".encode()), (b"host", b"tidings.test")],
        "client": ("127.0.0.1", 1),
        "server": ("tidings.test", 80),
    }
    await house.app(scope, receive, send)  # type: ignore[arg-type]
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


KEYS = {
    "a//b": b"a//b",
    "/a": b"/a",
    "a/": b"a/",
    "a": b"a",
    "/": b"/",
    "//": b"//",
    "a/../b": b"a/../b",
    ".": b".",
    "..": b"..",
    "a b": b"a%20b",
    "a+b": b"a+b",
    "a%2Fb": b"a%252Fb",
    "q?x=1#y": b"q%3Fx=1%23y",
    "naïve/ключ/🔑": quote("naïve/ключ/🔑").encode(),
    "%_*": b"%25_*",
    "delete": b"delete",
    "{key}": b"{key}",
}


async def test_keys_are_what_the_raw_path_says(house: House, team: Team) -> None:
    credential = await house.key(team)
    for number, path in enumerate(KEYS.values()):
        body = f'{{"value": {number}}}'.encode()
        status, text = await raw(house, credential, "PUT", b"/v1/kv/" + path, body)
        assert status == 200, (path, text)
    client = house.client(credential)
    listed = (await client.get("/v1/kv")).json()["items"]
    assert {item["key"]: item["value"] for item in listed} == {
        key: number for number, key in enumerate(KEYS)
    }
    assert [item["key"] for item in listed] == sorted(KEYS, key=lambda key: key.encode())
    for number, path in enumerate(KEYS.values()):
        status, text = await raw(house, credential, "GET", b"/v1/kv/" + path)
        assert status == 200
        assert f'"value":{number},'.encode() in text
        assert (await raw(house, credential, "DELETE", b"/v1/kv/" + path))[0] == 204
    assert (await client.get("/v1/kv")).json()["items"] == []


async def test_an_escaped_slash_is_a_slash(house: House, team: Team) -> None:
    credential = await house.key(team)
    assert (await raw(house, credential, "PUT", b"/v1/kv/x%2Fy", b'{"value":1}'))[0] == 200
    assert (await raw(house, credential, "GET", b"/v1/kv/x/y"))[0] == 200


@pytest.mark.parametrize("path", [b"/v1//kv/a", b"//v1/kv/a", b"/v1/%6bv/a", b"/v1/%6Bv/a"])
async def test_other_spellings_of_the_way_to_keys(house: House, team: Team, path: bytes) -> None:
    credential = await house.key(team)
    for method in ("PUT", "GET", "DELETE"):
        status, text = await raw(house, credential, method, path, b'{"value":1}')
        assert status == 404, text
    assert (await house.client(credential).get("/v1/kv")).json()["items"] == []


async def test_no_cache_in_between_keeps_a_value(client: httpx.AsyncClient) -> None:
    await client.put("/v1/kv/logo.png", json={"value": 1})
    for path in ("/v1/kv/logo.png", "/v1/kv", "/v1/nothing"):
        assert (await client.get(path)).headers["cache-control"] == "private, no-cache"


async def test_length_of_keys(client: httpx.AsyncClient) -> None:
    for longest in ("k" * 1024, "é" * 512):
        assert (await client.put(f"/v1/kv/{longest}", json={"value": 1})).status_code == 200
        assert (await client.get(f"/v1/kv/{longest}")).json()["key"] == longest
        for method in ("GET", "DELETE"):
            answer = await client.request(method, f"/v1/kv/{longest}k")
            problem(answer, 400, "input_invalid")
        answer = await client.put(f"/v1/kv/{longest}k", json={"value": 1})
        assert problem(answer, 400, "input_invalid")["errors"][0]["field"] == "key"


async def test_an_empty_key_is_no_key(client: httpx.AsyncClient) -> None:
    for method, body in (("PUT", {"value": 1}), ("GET", None), ("DELETE", None)):
        answer = await client.request(method, "/v1/kv/", json=body)
        assert problem(answer, 400, "input_invalid")["errors"][0]["field"] == "key"


VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    -(2**63),
    1.5,
    1e300,
    "",
    "text",
    "日本 🗻 \u2028 \x7f \n",
    [],
    {},
    [None, [1, ["a"]]],
    {"": 1, "a b": {"c": [True, None]}},
]


async def test_values_of_every_type(client: httpx.AsyncClient) -> None:
    for value in VALUES:
        written = await client.put("/v1/kv/v", json={"value": value})
        assert written.status_code == 200, (value, written.text)
        read = (await client.get("/v1/kv/v")).json()
        assert read["value"] == value
        assert type(read["value"]) is type(value)
        assert read["version"] == written.json()["version"]


@pytest.mark.parametrize(
    "body",
    [b'{"value": 1e999}', b'{"value": NaN}', b'{"value": 99999999999999999999999}', b"{}"],
)
async def test_values_that_json_has_not(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.put("/v1/kv/v", content=body)
    problem(answer, 400, "input_invalid")


async def test_deep_values(client: httpx.AsyncClient) -> None:
    deep = b'{"value": ' + b"[" * 256 + b"]" * 256 + b"}"
    assert (await client.put("/v1/kv/v", content=deep)).status_code == 200
    deeper = b'{"value": ' + b"[" * 300 + b"]" * 300 + b"}"
    problem(await client.put("/v1/kv/v", content=deeper), 400, "input_invalid")


async def test_versions(client: httpx.AsyncClient) -> None:
    made = await client.put("/v1/kv/v", json={"value": 1}, headers={"if-none-match": "*"})
    assert made.json() == {"key": "v", "version": made.json()["version"], "expires_at": None}
    tag = made.headers["etag"]
    assert tag == f'"{made.json()["version"]}"'
    again = await client.put("/v1/kv/v", json={"value": 2}, headers={"if-none-match": "*"})
    problem(again, 412, "version_stale")
    changed = await client.put("/v1/kv/v", json={"value": 2}, headers={"if-match": tag})
    assert changed.json()["version"] > made.json()["version"]
    for method, body in (("PUT", {"value": 3}), ("DELETE", None)):
        stale = await client.request(method, "/v1/kv/v", json=body, headers={"if-match": tag})
        problem(stale, 412, "version_stale")
    read = await client.get("/v1/kv/v")
    assert (read.json()["value"], read.headers["etag"]) == (2, changed.headers["etag"])
    gone = await client.delete("/v1/kv/v", headers={"if-match": changed.headers["etag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    missing = await client.put("/v1/kv/v", json={"value": 1}, headers={"if-match": tag})
    problem(missing, 412, "version_stale")


@pytest.mark.parametrize(
    "headers",
    [
        {"if-match": "*"},
        {"if-match": "7"},
        {"if-match": '"a"'},
        {"if-match": '"1", "2"'},
        {"if-match": '"99999999999999999999"'},
        {"if-none-match": '"1"'},
        {"if-none-match": ""},
    ],
)
async def test_preconditions_that_are_none(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.put("/v1/kv/v", json={"value": 1}, headers=headers)
    found = problem(answer, 400, "input_invalid")
    assert found["errors"][0]["field"].lower() in headers


async def test_deleting_may_be_repeated(client: httpx.AsyncClient) -> None:
    await client.put("/v1/kv/v", json={"value": 1})
    for _ in range(3):
        assert (await client.delete("/v1/kv/v")).status_code == 204
    problem(await client.get("/v1/kv/v"), 404, "not_found")


async def test_time_to_live(house: House, team: Team, client: httpx.AsyncClient) -> None:
    written = await client.put("/v1/kv/v", json={"value": 1, "ttl_seconds": 60})
    assert written.json()["expires_at"].endswith("Z")
    assert (await client.get("/v1/kv/v")).json()["expires_at"] == written.json()["expires_at"]
    await house.sql(
        "UPDATE tidings.kv_store SET expires_at = tidings.now() - interval '1 second'"
        " WHERE organization_id = %s",
        team.organization_id,
    )
    problem(await client.get("/v1/kv/v"), 404, "not_found")
    assert (await client.get("/v1/kv")).json()["items"] == []


@pytest.mark.parametrize("ttl", [0, -1, 1e12, "60", True])
async def test_impossible_times_to_live(client: httpx.AsyncClient, ttl: Any) -> None:
    answer = await client.put("/v1/kv/v", json={"value": 1, "ttl_seconds": ttl})
    assert problem(answer, 400, "input_invalid")["errors"][0]["field"] == "ttl_seconds"


async def test_durability(client: httpx.AsyncClient) -> None:
    for durability, status in (("relaxed", 200), ("full", 200), ("none", 400)):
        body = {"value": 1, "durability": durability}
        assert (await client.put("/v1/kv/v", json=body)).status_code == status


async def test_prefixes_are_plain_text(client: httpx.AsyncClient) -> None:
    for key in ("a%1", "a_1", "ab1", "b"):
        await client.put(f"/v1/kv/{quote(key)}", json={"value": key})
    for prefix, count in (("a", 3), ("a%", 1), ("a_", 1), ("*", 0), ("", 4)):
        found = (await client.get("/v1/kv", params={"prefix": prefix})).json()["items"]
        assert len(found) == count, prefix
    problem(await client.get("/v1/kv", params={"prefix": "é" * 513}), 400, "input_invalid")


async def test_cursors_of_the_longest_keys(client: httpx.AsyncClient) -> None:
    """A cursor stays within what the parameter takes, whatever the key is made of."""
    keys = sorted((prefix + "\x01" * 1023 for prefix in "abc"), key=lambda key: key.encode())
    operations = [{"op": "set", "key": key, "value": 1} for key in keys]
    await client.post("/v1/kv-batch", json={"operations": operations})
    found, cursor = [], None
    while True:
        params = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/kv", params=params)).raise_for_status().json()
        found += [item["key"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == keys
    first = (await client.get("/v1/kv?limit=1")).json()["next_cursor"]
    other = await client.get("/v1/kv", params={"prefix": "b", "cursor": first})
    problem(other, 400, "cursor_invalid")


async def test_a_batch_is_all_or_none(client: httpx.AsyncClient) -> None:
    await client.put("/v1/kv/n", json={"value": 1})
    operations = [
        {"op": "set", "key": "new", "value": {"a": 1}},
        {"op": "check", "key": "n", "version": 999},
    ]
    answer = await client.post("/v1/kv-batch", json={"operations": operations})
    problem(answer, 412, "version_stale")
    problem(await client.get("/v1/kv/new"), 404, "not_found")
    answer = await client.post("/v1/kv-batch", json={"operations": operations, "atomic": False})
    results = answer.json()["results"]
    assert [result["failure"] and result["failure"]["code"] for result in results] == [
        None,
        "version_stale",
    ]
    assert (await client.get("/v1/kv/new")).json()["value"] == {"a": 1}


async def test_a_batch_answers_in_order(client: httpx.AsyncClient) -> None:
    operations = [
        {"op": "get", "key": "n"},
        {"op": "increment", "key": "n", "by": 2},
        {"op": "increment", "key": "n", "by": 0.5},
        {"op": "get", "key": "n"},
        {"op": "delete", "key": "n"},
        {"op": "check", "key": "n", "version": None},
    ]
    answer = await client.post("/v1/kv-batch", json={"operations": operations})
    results = answer.json()["results"]
    assert [(r["op"], r["found"], r["value"]) for r in results] == [
        ("get", False, None),
        ("increment", True, 2),
        ("increment", True, 2.5),
        ("get", True, 2.5),
        ("delete", True, None),
        ("check", False, None),
    ]


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "set", "key": "a"}],
        [{"op": "get"}],
        [{"op": "get", "key": ""}],
        [{"op": "get", "key": "k" * 1025}],
        [{"op": "get", "key": "a", "value": 1}],
        [{"op": "increment", "key": "a", "by": "1"}],
        [{"op": "get", "key": "a"}] * 1001,
        [{"key": "a"}],
        ["get"],
        None,
    ],
)
async def test_batches_that_are_none(client: httpx.AsyncClient, operations: Any) -> None:
    answer = await client.post("/v1/kv-batch", json={"operations": operations})
    assert problem(answer, 400, "input_invalid")["errors"], answer.text


async def test_prefixes_of_services(house: House, team: Team, client: httpx.AsyncClient) -> None:
    run = await house.summarise(team, "nobody.example")
    key = f"engagement:nobody.example:{run.id}"
    member = await house.api(team, "member")
    assert (await member.get(f"/v1/kv/{key}")).json()["value"]["status"] == "complete"
    for one in (client, member):
        answer = await one.put(f"/v1/kv/{key}", json={"value": 1})
        problem(answer, 403, "role_forbidden")
        batch = {"operations": [{"op": "set", "key": "engagement:x", "value": 1}]}
        problem(await one.post("/v1/kv-batch", json=batch), 403, "role_forbidden")
    problem(await member.delete(f"/v1/kv/{key}"), 403, "role_forbidden")
    assert (await client.delete(f"/v1/kv/{key}")).status_code == 204
    problem(await client.get(f"/v1/kv/{key}"), 404, "not_found")
    found = await client.get(
        "/v1/engagement-status", params={"domain": "nobody.example", "run_id": str(run.id)}
    )
    assert found.json() == []


async def test_statistics_are_for_admins(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    for key in ("a:1", "a:2", "b"):
        await client.put(f"/v1/kv/{key}", json={"value": "x" * 10, "ttl_seconds": 60})
    stats = (await (await house.api(team, "admin")).get("/v1/debug/kv")).json()
    assert stats["complete"] is True
    groups = {group["prefix"]: group for group in stats["prefixes"]}
    assert {prefix: group["keys"] for prefix, group in groups.items()} == {"a:": 2, "": 1}
    assert groups["a:"]["expiring"] == 2
    assert groups["a:"]["bytes"] > 0
    problem(await (await house.api(team, "member")).get("/v1/debug/kv"), 403, "role_forbidden")


@pytest.mark.parametrize("position", ["x", "-1", "1.5", "²", "9" * 19])
async def test_positions_that_no_watch_gave(client: httpx.AsyncClient, position: str) -> None:
    answer = await client.get("/v1/kv-watch", headers={"last-event-id": position.encode()})
    found = problem(answer, 400, "input_invalid")
    assert found["errors"][0]["field"] == "Last-Event-ID"
