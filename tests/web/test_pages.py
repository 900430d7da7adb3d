"""The pages as people use them: every state, forms without JavaScript, hostile text."""

import html
import re
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tidings.base import clock
from tidings.tenancy.api_keys import issue_key
from web.house import Browser, House, Team, meeting
from web.reading import HOSTILE, SAID, field_of, follow, read, summarised, words_of

from factories.channels import add_messages, make_channel


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "No meetings here yet"),
        ("/companies", "compan"),
        ("/companies/a.example", "Never summarised"),
        ("/meetings", "meeting"),
        ("/meetings?q=nothing", "nothing"),
        ("/meetings?domain=a.example", "a.example"),
        ("/meetings/upload", "64"),
        ("/kv", "The store is empty."),
        ("/kv?prefix=a", "No key begins with"),
        ("/settings/api-keys", "No keys yet."),
        ("/settings/members", "The Viewer"),
        ("/settings/ai", "Nothing has left for a provider."),
        ("/settings/password", "New password again"),
    ],
)
async def test_empty_organization(browser: Browser, path: str, words: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert words in words_of(answer)


async def test_the_shell_says_who_one_is(house: House, team: Team) -> None:
    page = await read(await house.browser(team, "member"), "/")
    assert "The Member" in page
    assert "Harbour &amp; Pine" in page
    assert 'href="/settings/password"' in page
    assert 'href="/kv"' not in page
    assert 'href="/kv"' in await read(await house.browser(team, "admin"), "/")


@pytest.mark.parametrize(
    ("theme", "shown"), [("dark", 'data-theme="dark"'), ("auto", None), ("evil", None)]
)
async def test_the_palette(browser: Browser, theme: str, shown: str | None) -> None:
    browser.client.cookies.set("tidings_theme", theme)
    page = await read(browser, "/")
    assert (shown in page) if shown else ('<html lang="en">' in page)


async def test_asking_for_nonsense(browser: Browser) -> None:
    answer = await browser.post("/companies", {"website": HOSTILE})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert HOSTILE not in answer.text
    assert html.escape(HOSTILE, quote=False)[:20] in answer.text


async def test_home_says_how_things_stand(house: House, team: Team, browser: Browser) -> None:
    await summarised(house, team)
    await (await house.api(team)).post("/v1/meetings", json={"items": [meeting(2, "b.example")]})
    owner = team.people["owner"].tenant
    for said in (["Hello", "Bo?"], ["Hi"]):
        channel_id = await make_channel(house.system.db, owner)
        messages = [("Ana", text) for text in said]
        await add_messages(house.system.db, owner, channel_id, messages, start=clock.now())
    words = words_of(await browser.get("/"))
    assert "Waiting for you: 3 unread messages ." in words
    states = re.findall(r"(\w\.example) 1 .*? (complete|not yet) ", words)
    assert dict(states) == {"a.example": "complete", "b.example": "not yet"}
    await house.sql("UPDATE tidings.channels SET archived_at = now() WHERE id = %s", channel_id)
    assert "2 unread messages" in words_of(await browser.get("/"))
    member = words_of(await (await house.browser(team, "member")).get("/"))
    assert "unread" not in member


async def test_other_spellings_lead_to_one_address(browser: Browser) -> None:
    answer = await browser.get("/companies/WWW.A.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/companies/a.example")
    assert (await browser.get("/companies/not%20one")).status_code == 400


@pytest.mark.parametrize("version", ["", "²", "-1", "1.5", "9" * 30])
async def test_versions_that_are_no_numbers(browser: Browser, version: str) -> None:
    for path in ("/companies/a.example/edition/undo", "/kv/delete"):
        assert (await browser.post(path, {"version": version, "key": "a"})).status_code == 400


async def test_a_meeting_and_its_search(house: House, team: Team, browser: Browser) -> None:
    api = await house.api(team)
    items = [
        meeting(1, "a.example", *SAID, title=HOSTILE, share_url="https://fathom.video/share/x"),
        meeting(2, "b.example", HOSTILE),
    ]
    await api.post("/v1/meetings", json={"items": items})
    page = await read(browser, "/meetings?q=booking")
    assert "<mark>booking</mark>" in page
    assert HOSTILE not in page
    found = re.search(r'href="(/meetings/[0-9a-f-]{36})', page)
    assert found is not None
    page = await read(browser, f"{found[1]}?q=booking+goal")
    assert page.count("<mark>") >= 2
    assert "https://fathom.video/share/x?timestamp=11" in html.unescape(page)
    assert HOSTILE not in page
    assert HOSTILE not in await read(browser, "/companies/b.example")
    assert "b.example" not in re.sub(
        r"<option.*?</option>", "", await read(browser, "/meetings?domain=a.example")
    )
    for bad in ("/meetings?domain=not%20one", "/meetings?q=" + "x" * 1001):
        await read(browser, bad, 400)
    answer = await browser.get("/meetings?cursor=forged")
    assert answer.status_code == 400
    assert "That request cannot be read" in answer.text


async def test_pages_of_lists(house: House, team: Team, browser: Browser) -> None:
    api = await house.api(team)
    items = [meeting(n, f"c{n:03}.example") for n in range(60)]
    await api.post("/v1/meetings", json={"items": items})
    for n in range(60):
        await api.put(f"/v1/kv/k{n:03}", json={"value": n})
    for path, last in (("/companies", "c"), ("/meetings", "Meeting"), ("/kv", "k059")):
        page = await read(browser, path)
        following = re.search(r'<a href="([^"]*)" rel="next"', page)
        assert following is not None, path
        page = await read(browser, html.unescape(following[1]))
        assert last in page
        assert 'rel="next"' not in page
        assert "Back to the first" in page


TRANSCRIPTS = {
    "call.vtt": "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n<v Ada>We want to open in May.\n",
    "talk.txt": "Ada: Our goal is to open in May.\nBen: The risk is the data.\n",
}


async def _upload(browser: Browser, files: dict[str, bytes], **fields: str) -> httpx.Response:
    return await browser.client.post(
        "/meetings/upload",
        data={"_csrf_token": browser.csrf, **fields},
        files=[("files", (name, content, "text/plain")) for name, content in files.items()],
    )


async def test_uploads_keep_what_is_good(browser: Browser) -> None:
    files = {name: text.encode() for name, text in TRANSCRIPTS.items()}
    files |= {"bad.json": b'{"items": [', "nul.txt": b"Ada: a\x00b\n", "x.exe": b"MZ\xff\xfe"}
    answer = await _upload(browser, files)
    assert answer.status_code == 200
    text = words_of(answer)
    for name in files:
        assert name in text
    listed = await read(browser, "/meetings")
    assert listed.count('href="/meetings/0') >= 2
    again = words_of(await _upload(browser, {"talk.txt": files["talk.txt"]}))
    assert "1 updated" in again or "1 already here" in again
    assert (await read(browser, "/meetings")).count('href="/meetings/0') == listed.count(
        'href="/meetings/0'
    )


async def test_an_uploaded_transcript_is_found_by_its_company(
    house: House, team: Team, browser: Browser
) -> None:
    """A transcript names no address: without a company no summary would ever read it."""
    files = {"talk.txt": TRANSCRIPTS["talk.txt"].encode()}
    assert "1 meeting names no company" in words_of(await _upload(browser, files))
    wrong = await _upload(browser, files, company="not a domain", date="soon")
    assert wrong.status_code == 400
    assert "The domain may hold" in wrong.text
    assert "Send a day such as" in wrong.text
    fields = {"company": "https://www.Acme.example/", "date": "2026-03-04"}
    again = words_of(await _upload(browser, files, **fields))
    assert "names no company" not in again
    api = await house.api(team)
    (found,) = (await api.get("/v1/meetings", params={"domain": "acme.example"})).json()["items"]
    assert found["started_at"] == "2026-03-04T00:00:00Z"


async def test_an_upload_of_nothing(browser: Browser) -> None:
    answer = await browser.post("/meetings/upload")
    assert answer.status_code == 400
    assert "Choose at least one file." in answer.text
    answer = await browser.client.post(
        "/meetings/upload", files=[("files", ("a.txt", b"Ada: hello there", "text/plain"))]
    )
    assert answer.status_code == 403


async def test_the_kv_page(house: House, team: Team, browser: Browser) -> None:
    api = await house.api(team)
    key = f"a:{HOSTILE}/?&="
    await api.post(
        "/v1/kv-batch",
        json={
            "operations": [
                {"op": "set", "key": key, "value": {"text": HOSTILE}, "ttl_seconds": 60},
                {"op": "set", "key": "a:2", "value": [1, 2]},
                {"op": "set", "key": "b", "value": None},
            ]
        },
    )
    page = await read(browser, "/kv?prefix=a%3A")
    assert HOSTILE not in page
    assert "a:2" in page
    assert "never" in page
    shown = await read(browser, f"/kv?prefix=a%3A&key={quote(key, safe='')}")
    assert HOSTILE not in shown
    assert "&#34;text&#34;" in shown or "&quot;text&quot;" in shown
    fields = {name: field_of(shown, name) for name in ("key", "version")}
    assert fields["key"] == key
    stale = await browser.post("/kv/delete", fields | {"version": "1", "prefix": "a:"})
    assert stale.status_code == 412
    page = await follow(browser, await browser.post("/kv/delete", fields | {"prefix": "a:"}))
    assert "is deleted." in page
    missing = await read(browser, f"/kv?key={quote(key, safe='')}", 404)
    assert "There is no key" in missing
    assert (await browser.post("/kv/delete-prefix", {"prefix": ""})).status_code == 400
    page = await follow(browser, await browser.post("/kv/delete-prefix", {"prefix": "a:"}))
    assert "1 keys under a: are deleted." in _text_of(page)
    assert (await api.get("/v1/kv")).json()["items"][0]["key"] == "b"


def _text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


async def test_a_key_is_shown_once(house: House, team: Team, browser: Browser) -> None:
    made = await browser.post(
        "/settings/api-keys", {"name": HOSTILE, "role": "member", "days": "30"}
    )
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    assert HOSTILE not in made.text
    key = re.search(r'value="(tk_[^"]+)"', made.text)
    assert key is not None
    assert (await house.client(key[1]).get("/v1/kv")).status_code == 200
    page = await read(browser, "/settings/api-keys")
    assert key[1] not in page
    action = re.search(r'action="(/settings/api-keys/[^"]+/revoke)"', page)
    assert action is not None
    assert "The key is revoked." in await follow(browser, await browser.post(action[1]))
    assert (await house.client(key[1]).get("/v1/kv")).status_code == 401


async def test_the_role_of_a_key_is_chosen(browser: Browser) -> None:
    page = await read(browser, "/settings/api-keys")
    (choices,) = re.findall(r'<select id="role".*?</select>', page, re.DOTALL)
    assert re.findall(r'<option value="(\w*)"( selected)?', choices) == [
        ("", " selected"),
        ("viewer", ""),
        ("member", ""),
        ("admin", ""),
        ("owner", ""),
    ]
    refused = await browser.post("/settings/api-keys", {"name": "x", "role": "", "days": "30"})
    assert refused.status_code == 400
    assert "Choose the least role" in refused.text
    assert "tk_" not in refused.text


async def test_more_keys_than_a_page_shows(house: House, team: Team, browser: Browser) -> None:
    await house.sql(
        "INSERT INTO tidings.api_keys (organization_id, id, user_id, name, prefix, key_hash, role)"
        " SELECT %s, tidings.uuid7(), %s, 'Key ' || n, 'tk_12345',"
        " sha256(convert_to(%s::text || n, 'UTF8')), 'viewer' FROM generate_series(1, 51) AS n",
        team.organization_id,
        team.people["owner"].tenant.user_id,
        str(team.organization_id),
    )
    first = await read(browser, "/settings/api-keys")
    more = re.search(r'href="(/settings/api-keys\?cursor=[^"]+)"', first)
    assert more is not None
    second = await read(browser, more[1])
    shown = [re.findall(r"Key \d+<", page) for page in (first, second)]
    assert [len(page) for page in shown] == [50, 1]
    assert len({*shown[0], *shown[1]}) == 51
    assert 'href="/settings/api-keys"' in second
    assert (await browser.get("/settings/api-keys?cursor=x")).status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "role": "member", "days": ""},
        {"name": "x" * 201, "role": "member", "days": ""},
        {"name": "x", "role": "king", "days": ""},
        {"name": "x", "role": "member", "days": "7"},
        {},
    ],
)
async def test_key_forms_that_are_refused(browser: Browser, form: dict[str, str]) -> None:
    answer = await browser.post("/settings/api-keys", form)
    assert answer.status_code == 400
    assert 'class="field-error"' in answer.text


async def test_viewers(house: House, team: Team) -> None:
    await summarised(house, team)
    viewer = await house.browser(team, "viewer")
    assert "booking system" in await read(viewer, "/companies/a.example")
    for path, fields in (
        ("/companies", {"website": "b.example"}),
        ("/companies/a.example/runs", {}),
        ("/meetings/upload", {}),
    ):
        answer = await viewer.post(path, fields)
        assert answer.status_code == 403
        assert "You may not see this" in answer.text
        assert "Your role may read here, not change anything." in answer.text
    for path in ("/", "/companies", "/companies/a.example?edit=1", "/meetings"):
        shown = await read(viewer, path)
        for asks_to_write in ('action="/companies', "/meetings/upload", '?edit=1"', 'id="edition"'):
            assert asks_to_write not in shown, (path, asks_to_write)
    made = await viewer.post("/settings/api-keys", {"name": "mine", "role": "viewer", "days": ""})
    assert "tk_" in made.text
    assert 'value="admin"' not in made.text


async def test_members_keys_are_their_own(house: House, team: Team) -> None:
    issued = await issue_key(house.system.db, team.people["owner"].tenant, "of the owner")
    member = await house.browser(team, "member")
    assert "of the owner" not in await read(member, "/settings/api-keys")
    answer = await member.post(f"/settings/api-keys/{issued.id}/revoke")
    assert answer.status_code == 404


async def test_what_is_not_there_is_a_page(house: House, browser: Browser) -> None:
    headers = {"accept": "text/html,application/xhtml+xml"}
    for client in (house.client(), browser.client):
        for path in ("/nothing/here", "/meetings/not-an-id", "/static/none.css"):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 404, path
            assert "There is nothing here" in words_of(answer)
    wrong = await browser.client.put("/meetings", headers=headers)
    assert wrong.status_code == 405
    assert "This cannot be done here" in wrong.text
    api = await house.client().get("/v1/nothing", headers=headers)
    assert api.headers["content-type"] == "application/problem+json"
    missing = await browser.get(f"/meetings/{uuid4()}")
    assert missing.status_code == 404
    assert "The Owner" in missing.text


async def test_a_defect_is_a_page(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from tidings.web.pages import home

    def broken(*_: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(home, "add_stored", broken)
    answer = await browser.get("/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "hunter2" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert any("hunter2" in str(record.exc_info) for record in caplog.records)


@pytest.mark.parametrize("notice", ["", "x", "e30", "eyJraW5kIjogMX0=", "é", "A" * 5000])
async def test_forged_notices(browser: Browser, notice: str) -> None:
    answer = await browser.client.get(
        "/", headers={"cookie": f"tidings_notice={notice}; {_cookies(browser)}".encode()}
    )
    assert answer.status_code == 200


def _cookies(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())


@pytest.mark.parametrize("path", ["/kv?prefix=%00", "/meetings?q=%ed%a0%80", "/companies/%ff"])
async def test_bad_text_in_addresses(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 400
    assert "That request cannot be read" in answer.text


@pytest.mark.parametrize("bad", ["\x00", "\ud800"])
async def test_bad_text_in_forms(browser: Browser, bad: str) -> None:
    body = f"_csrf_token={browser.csrf}&name={quote(bad, errors='surrogatepass')}&role=member"
    fields = {"name": "website", "prefix": "prefix", "key": "key"}
    for path, name in (
        ("/companies", "website"),
        ("/kv/delete-prefix", "prefix"),
        ("/settings/api-keys", "name"),
        ("/kv/delete", "key"),
    ):
        text = body.replace("name=", f"{fields.get(name, 'name')}=") + "&days=&version=1"
        answer = await browser.client.post(
            path,
            content=text.encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        # Of a form that is not UTF-8, what cannot be read is replaced.
        allowed = {400, 412} if bad == "\x00" else {200, 303, 400, 412}
        assert answer.status_code in allowed, (path, answer.status_code)


async def test_static_files(house: House, browser: Browser) -> None:
    page = await read(browser, "/companies/a.example")
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    kinds = {"css": "text/css", "js": "javascript", "svg": "image/svg+xml"}
    assert len(addresses) > 8
    nobody = house.client()
    for address in addresses:
        path = html.unescape(address)
        answer = await nobody.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        kind = kinds[path.split("?")[0].rsplit(".", 1)[1]]
        assert kind in answer.headers["content-type"], path
        assert answer.headers["x-content-type-options"] == "nosniff"
        for other in (path.split("?")[0], path.split("?")[0] + "?v=old"):
            assert (await nobody.get(other)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%00",
        "/static/",
    ],
)
async def test_static_files_are_those_alone(house: House, path: str) -> None:
    answer = await house.client().get(path)
    assert answer.status_code in {400, 404}
    assert "import" not in answer.text
