"""Signing in and out over HTTP, cookies and CSRF."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tidings.tenancy.passwords import hash_password
from tidings.web.auth import SESSION_COOKIE
from tidings.web.pages.shell import local_path
from web.house import BASE, Browser, House, Team, problem

PASSWORD = "correct horse battery"


async def _with_password(house: House, team: Team, role: str = "owner") -> str:
    person = team.people[role]
    await house.sql(
        "INSERT INTO tidings.user_passwords (user_id, password_hash) VALUES (%s, %s)",
        person.tenant.user_id,
        await hash_password(PASSWORD),
    )
    return person.email


def _cookie(answer: httpx.Response) -> str:
    cookies = [
        c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION_COOKIE}=")
    ]
    assert len(cookies) == 1
    return cookies[0]


async def _csrf(client: httpx.AsyncClient) -> str:
    page = (await client.get("/settings/password")).text
    return page.split('name="csrf-token" content="')[1].split('"')[0]


async def test_by_password(house: House, team: Team) -> None:
    email = await _with_password(house, team)
    client = house.client()
    form = {"email": email.upper(), "password": PASSWORD, "next": "/meetings?q=a"}
    answer = await client.post("/sign-in", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/meetings?q=a"
    cookie = _cookie(answer).lower()
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "secure" not in cookie
    assert (await client.get("/")).status_code == 200
    assert (await client.get("/v1/kv")).status_code == 200


async def test_cookies_are_secure_behind_https(another_house: Any) -> None:
    async with another_house(base_url="https://tidings.example", live=False) as house:
        team = await house.team()
        token = await house.link(team.people["owner"])
        answer = await house.client().post(f"/sign-in/link/{token}")
        assert "secure" in _cookie(answer).lower()


async def test_by_link_once(house: House, team: Team) -> None:
    token = await house.link(team.people["member"])
    client = house.client()
    for _ in range(2):  # what only looks at the link does not use it up
        shown = await client.get(f"/sign-in/link/{token}")
        assert shown.status_code == 200
        assert f'action="/sign-in/link/{token}"' in shown.text
    answer = await client.post(f"/sign-in/link/{token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "The Member" in (await client.get("/")).text
    again = await house.client().post(f"/sign-in/link/{token}")
    assert again.status_code == 401
    assert "no longer works" in again.text
    unknown = await house.client().post("/sign-in/link/" + "x" * 43)
    assert unknown.status_code == 401
    assert unknown.text == again.text


@pytest.mark.parametrize("token", ["x", "é" * 43, "%00", "x" * 5000])
async def test_impossible_links(house: House, token: str) -> None:
    assert (await house.client().post(f"/sign-in/link/{token}")).status_code in {400, 401}


async def test_refusals_are_alike(house: House, team: Team) -> None:
    email = await _with_password(house, team)
    wrong = await house.client().post("/sign-in", data={"email": email, "password": "no"})
    unknown = await house.client().post(
        "/sign-in", data={"email": email.replace("owner", "nobod"), "password": "no"}
    )
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text == unknown.text.replace("nobod", "owner")
    assert not wrong.headers.get_list("set-cookie")


async def test_locked_out_reads_the_same(another_house: Any) -> None:
    async with another_house(sign_in_limit=3, live=False) as house:
        team = await house.team()
        email = await _with_password(house, team)

        def client() -> httpx.AsyncClient:
            transport = httpx.ASGITransport(house.app, client=("203.0.113.7", 1))
            opened = httpx.AsyncClient(transport=transport, base_url=BASE)
            house.clients.append(opened)
            return opened

        wrong = {"email": email, "password": "not the one"}
        answers = [await client().post("/sign-in", data=wrong) for _ in range(5)]
        locked = await client().post("/sign-in", data={"email": email, "password": PASSWORD})
        assert {answer.status_code for answer in [*answers, locked]} == {401}
        assert len({answer.text for answer in [*answers, locked]}) == 1


@pytest.mark.parametrize(
    ("form", "errors"),
    [({}, 2), ({"email": "a@b.example"}, 1), ({"email": "nobody", "password": "x"}, 1)],
)
async def test_incomplete_forms(house: House, form: dict[str, str], errors: int) -> None:
    answer = await house.client().post("/sign-in", data=form)
    assert answer.status_code == 400
    assert answer.text.count('class="field-error"') == errors


HOSTILE_NEXT = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "\r\nset-cookie: a=b",
    "/\r\nx",
    "",
]


@pytest.mark.parametrize("target", HOSTILE_NEXT)
async def test_never_redirects_elsewhere(house: House, team: Team, target: str) -> None:
    assert local_path(target) == "/"
    email = await _with_password(house, team)
    form = {"email": email, "password": PASSWORD, "next": target}
    answer = await house.client().post("/sign-in", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    page = (await house.client().get("/sign-in", params={"next": target})).text
    assert '<input type="hidden" name="next" value="/">' in page


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_other_sites_cannot_sign_anybody_in(
    house: House, team: Team, headers: dict[str, str]
) -> None:
    email = await _with_password(house, team)
    client = house.client()
    form = {"email": email, "password": PASSWORD}
    answer = await client.post("/sign-in", data=form, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    token = await house.link(team.people["owner"])
    assert (await client.post(f"/sign-in/link/{token}", headers=headers)).status_code == 403
    own = {"origin": BASE, "sec-fetch-site": "same-origin"}
    assert (await client.post("/sign-in", data=form, headers=own)).status_code == 303
    behind_a_proxy = own | {"origin": "https://tidings.example"}
    assert (await client.post("/sign-in", data=form, headers=behind_a_proxy)).status_code == 303


@pytest.mark.parametrize(
    "path",
    ["/", "/meetings", "/meetings?q=two words&domain=a.example", "/kv?prefix=a%2Fb", "/runs/"],
)
async def test_back_to_where_one_wanted_to_go(house: House, path: str) -> None:
    answer = await house.client().get(path)
    if path == "/runs/":
        assert answer.status_code == 404
        return
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    assert parts.path == "/sign-in"
    target = parse_qs(parts.query).get("next", ["/"])[0]
    assert httpx.URL(target) == httpx.URL(path)


async def test_a_stale_cookie_is_removed(house: House) -> None:
    client = house.client()
    client.cookies.set(SESSION_COOKIE, "x" * 43)
    answer = await client.get("/companies")
    assert answer.headers["location"] == "/sign-in?next=/companies"
    assert "max-age=0" in _cookie(answer).lower()
    problem(
        await house.client(cookie=f"{SESSION_COOKIE}=short").get("/v1/kv"),
        401,
        "credential_invalid",
    )


async def test_pages_take_no_api_keys(house: House, team: Team) -> None:
    answer = await (await house.api(team)).get("/companies")
    assert answer.status_code == 303


async def test_writes_with_a_cookie_need_the_token(browser: Browser) -> None:
    body = {"value": 1}
    for headers in ({}, {"x-csrftoken": ""}, {"x-csrftoken": "x" * 43}, {"x-csrftoken": "é"}):
        sent = {name: value.encode() for name, value in headers.items()}
        answer = await browser.client.put("/v1/kv/a", json=body, headers=sent)
        problem(answer, 403, "csrf_invalid")
    headers = {"x-csrftoken": browser.csrf}
    assert (await browser.client.put("/v1/kv/a", json=body, headers=headers)).status_code == 200
    assert (await browser.client.get("/v1/kv/a")).status_code == 200
    problem(await browser.client.delete("/v1/kv/a"), 403, "csrf_invalid")
    form = {"website": "a.example"}
    assert (await browser.client.post("/companies", data=form)).status_code == 403
    assert (await browser.client.post("/companies", data=form, headers=headers)).status_code == 303
    assert (await browser.post("/companies", form)).status_code == 303


async def test_tokens_are_of_one_session(house: House, team: Team, browser: Browser) -> None:
    other = await house.browser(team)
    headers = {"x-csrftoken": other.csrf}
    answer = await browser.client.put("/v1/kv/a", json={"value": 1}, headers=headers)
    problem(answer, 403, "csrf_invalid")


async def test_keys_need_no_token(client: httpx.AsyncClient) -> None:
    assert (await client.put("/v1/kv/a", json={"value": 1})).status_code == 200


async def test_signing_out_ends_the_session(house: House, team: Team) -> None:
    for role in ("owner", "viewer"):
        browser = await house.browser(team, role)
        token = browser.client.cookies[SESSION_COOKIE]
        assert (await browser.client.post("/sign-out")).status_code == 403
        answer = await browser.post("/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "max-age=0" in _cookie(answer).lower()
        copied = house.client(cookie=f"{SESSION_COOKIE}={token}")
        problem(await copied.get("/v1/kv"), 401, "credential_invalid")


async def test_rotation_while_requests_are_under_way(
    house: House, team: Team, browser: Browser
) -> None:
    await house.sql(
        "UPDATE tidings.sessions SET rotated_at = rotated_at - interval '2 hours'"
        " WHERE organization_id = %s",
        team.organization_id,
    )
    token = browser.client.cookies[SESSION_COOKIE]
    parallel = [house.client(cookie=f"{SESSION_COOKIE}={token}") for _ in range(5)]
    answers = await asyncio.gather(*(client.get("/companies") for client in parallel))
    assert {answer.status_code for answer in answers} == {200}
    fresh = [a for a in answers if a.headers.get("set-cookie")]
    assert len(fresh) == 1
    new = _cookie(fresh[0]).split("=", 1)[1].split(";")[0]
    assert new != token
    assert "httponly" in _cookie(fresh[0]).lower()
    # The old one is good for those who still hold it, writes too; the new one goes on.
    old = house.client(cookie=f"{SESSION_COOKIE}={token}")
    written = await old.put("/v1/kv/a", json={"value": 1}, headers={"x-csrftoken": browser.csrf})
    assert written.status_code == 200
    client = house.client(cookie=f"{SESSION_COOKIE}={new}")
    assert (await client.get("/companies")).status_code == 200
    assert (await client.get("/companies")).headers.get("set-cookie") is None


async def test_revoked_and_expired_credentials(house: House, team: Team, client: Any) -> None:
    key = (await client.post("/v1/api-keys", json={"name": "x"})).json()
    temporary = house.client(key["key"])
    assert (await temporary.get("/v1/kv")).status_code == 200
    assert (await client.delete(f"/v1/api-keys/{key['id']}")).status_code == 204
    problem(await temporary.get("/v1/kv"), 401, "credential_invalid")
    expiring = house.client(await house.key(team))
    await house.sql(
        "UPDATE tidings.api_keys SET created_at = created_at - interval '2 days',"
        " expires_at = tidings.now() - interval '1 day'"
        " WHERE organization_id = %s AND id <> %s",
        team.organization_id,
        key["id"],
    )
    problem(await expiring.get("/v1/kv"), 401, "credential_invalid")


async def test_ones_own_password(house: House, team: Team) -> None:
    person = team.people["viewer"]
    client = house.client()
    await client.post(f"/sign-in/link/{await house.link(person)}")
    elsewhere = await house.browser(team, "viewer")
    csrf = await _csrf(client)

    async def choose(current: str, new: str, again: str | None = None) -> httpx.Response:
        form = {"current": current, "password": new, "again": new if again is None else again}
        return await client.post("/settings/password", data=form | {"_csrf_token": csrf})

    short = await choose("", "short")
    assert short.status_code == 400
    assert "shorter than 12 characters" in short.text
    assert "not the same" in (await choose("", PASSWORD, "something else")).text
    unused = await house.link(person)
    assert (await choose("", PASSWORD)).status_code == 303
    assert (await house.client().post(f"/sign-in/link/{unused}")).status_code == 401
    assert "Your password is set." in (await client.get("/settings/password")).text
    assert (await elsewhere.get("/")).status_code == 303
    form = {"email": person.email, "password": PASSWORD}
    signed_in = house.client()
    assert (await signed_in.post("/sign-in", data=form)).status_code == 303
    csrf, client = await _csrf(signed_in), signed_in
    wrong = await choose("not this one", "another good password")
    assert wrong.status_code == 403
    assert "The current password is not right, or" in wrong.text
    assert PASSWORD not in wrong.text
    assert (await choose("", "another good password")).status_code == 403
    assert (await choose(PASSWORD, "another good password")).status_code == 303


async def test_the_form_promises_no_mail(house: House) -> None:
    page = (await house.client().get("/sign-in")).text
    assert "tidings sign-in-link EMAIL" in page
    assert page.count("<form") == 1


def test_sessions_last_as_long_as_set() -> None:
    from tidings.base.settings import Settings
    from tidings.web.headers import session_cookie

    cookie = session_cookie(Settings(session_days=3, _env_file=None), "x")  # type: ignore[call-arg]
    assert cookie.max_age == timedelta(days=3).total_seconds()
