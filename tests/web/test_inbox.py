"""Channels and messages over HTTP, and the inbox."""

import base64
import json
from typing import Any

import httpx
import msgspec
import pytest
from standardwebhooks import Webhook

from tidings.base import clock
from tidings.meetings.testing import sign_webhook
from web.house import Browser, House, Team, problem

from factories.said import MONDAY, said

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()


async def make(client: httpx.AsyncClient, **more: Any) -> str:
    body = {"name": "Support", "kind": "chat", "timezone": "Europe/Berlin"} | more
    answer = await client.post("/v1/channels", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    made: str = answer.json()["id"]
    return made


async def test_a_channel_over_the_api(client: httpx.AsyncClient, team: Team) -> None:
    channel_id = await make(client)
    path = f"/v1/channels/{channel_id}"
    hours = [{"days": [1, 2], "start": "09:00", "end": "17:00"}]
    changed = await client.patch(path, json={"business_hours": hours}, headers={"if-match": '"1"'})
    assert changed.json()["business_hours"] == hours
    assert changed.headers["etag"] == '"2"'
    stale = await client.patch(path, json={"name": "x"}, headers={"if-match": '"1"'})
    problem(stale, 412, "version_stale")
    problem(
        await client.post("/v1/channels", json={"name": "x", "kind": "fax"}), 400, "input_invalid"
    )
    wrong = await client.post(
        "/v1/channels", json={"name": "x", "kind": "sms", "timezone": "Nowhere"}
    )
    assert problem(wrong, 400, "input_invalid")["errors"][0]["field"] == "timezone"
    assert (await client.get(path)).json()["name"] == "Support"
    assert [c["id"] for c in (await client.get("/v1/channels?mine=true")).json()["items"]] == [
        channel_id
    ]
    member = str(team.people["member"].tenant.user_id)
    added = await client.post(f"{path}/members", json={"user_id": member})
    assert added.status_code == 200
    assert added.json() == (await client.get(f"{path}/members")).json()
    assert len(added.json()) == 2
    assert (await client.delete(f"{path}/members/{member}")).status_code == 204
    assert (await client.delete(path)).status_code == 204
    problem(await client.get(path), 404, "not_found")


async def test_messages_go_in_and_out(client: httpx.AsyncClient) -> None:
    channel_id = await make(client)
    path = f"/v1/channels/{channel_id}/messages"
    items = [
        said(1, "The invoice is lost."),
        said(2, reply_to="m1"),
        said(3, body=None) | {"body": 5},
    ]
    first = (await client.post(path, json={"items": items})).json()
    assert (first["created"], first["duplicates"]) == (2, 0)
    assert [(e["index"], e["code"]) for e in first["errors"]] == [(2, "input_invalid")]
    again = (await client.post(path, json={"items": items})).json()
    assert (again["created"], again["duplicates"]) == (0, 2)
    listed = (await client.get(path, params={"order": "oldest", "limit": 1})).json()
    assert [m["external_id"] for m in listed["items"]] == ["m1"]
    (thread,) = (await client.get(f"/v1/channels/{channel_id}/threads")).json()["items"]
    assert thread["messages_count"] == 2
    got = (await client.get(f"/v1/threads/{thread['id']}")).json()
    assert got["external_id"] == "m1"
    of_thread = (await client.get(path, params={"thread": thread["id"]})).json()["items"]
    assert [m["external_id"] for m in of_thread] == ["m2", "m1"]
    one = (await client.get(f"/v1/messages/{of_thread[1]['id']}")).json()
    assert (one["position"], one["body"]) == (1, "The invoice is lost.")
    found = (await client.get("/v1/messages/search", params={"q": "lost invoices"})).json()
    assert [hit["message_id"] for hit in found["items"]] == [one["id"]]
    none = await client.get("/v1/messages/search", params={"q": "invoice", "channel": thread["id"]})
    assert none.json()["items"] == []
    read = await client.post(f"/v1/channels/{channel_id}/read", json={"position": 1})
    assert read.json() == {"read_position": 1, "unread": 1}
    too_many = await client.post(path, json={"items": [{}] * 1001})
    assert problem(too_many, 400, "input_invalid")["errors"][0]["field"] == "items"


@pytest.mark.parametrize("bad", ["\ud800", "a\u0000b"])
async def test_bad_text_costs_its_own_item_alone(client: httpx.AsyncClient, bad: str) -> None:
    path = f"/v1/channels/{await make(client)}/messages"
    items = [said(1), said(2, body=bad), said(3, sender={"id": bad}), said(4)]
    answer = await client.post(
        path, content=json.dumps({"items": items}), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["created"] == 2
    assert [error["index"] for error in answer.json()["errors"]] == [1, 2]
    for broken in ('{"items": "\\ud800"}', '{"items": [\\ud800]}', '{"items": ["\\ud800"'):
        refused = await client.post(
            path, content=broken, headers={"content-type": "application/json"}
        )
        problem(refused, 400, "input_invalid")


async def test_another_member_sees_nothing(house: House, team: Team) -> None:
    owner = await house.api(team)
    channel_id = await make(owner)
    await owner.post(
        f"/v1/channels/{channel_id}/messages", json={"items": [said(1), said(2, reply_to="m1")]}
    )
    listed = (await owner.get(f"/v1/channels/{channel_id}/messages")).json()["items"]
    one, thread = listed[0]["id"], listed[0]["thread_id"]
    paths = [
        f"/v1/channels/{channel_id}/messages",
        f"/v1/channels/{channel_id}/threads",
        f"/v1/messages/{one}",
        f"/v1/threads/{thread}",
        f"/inbox/{channel_id}?thread={thread}",
    ]
    member = await house.api(team, "member")
    admin = await house.api(team, "admin")
    for path in paths[:4]:
        for client in (member, admin):
            problem(await client.get(path), 404, "not_found")
    for path in (f"/v1/channels/{channel_id}", f"/v1/channels/{channel_id}/members"):
        problem(await member.get(path), 404, "not_found")
        assert (await admin.get(path)).status_code == 200
    posted = await member.post(f"/v1/channels/{channel_id}/messages", json={"items": [said(5)]})
    problem(posted, 404, "not_found")
    problem(await member.patch(f"/v1/channels/{channel_id}", json={"name": "x"}), 404, "not_found")
    problem(await member.delete(f"/v1/channels/{channel_id}"), 404, "not_found")
    heard = await member.head(f"/v1/realtime?topics=channel:{channel_id}")
    assert heard.status_code == 404
    browser = await house.browser(team, "member")
    assert (await browser.get(paths[4])).status_code == 404
    shown = await (await house.browser(team, "admin")).get(f"/inbox/{channel_id}")
    assert "You are not a member of this channel" in shown.text


async def test_a_webhook_posts_messages(house: House, client: httpx.AsyncClient) -> None:
    channel_id = await make(client)
    made = await client.post(f"/v1/channels/{channel_id}/hooks", json={"signing_secret": SECRET})
    path = made.json()["path"]
    body = json.dumps({"items": [said(1)]})
    now = clock.now()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body),
    }
    sender = house.client()
    taken = await sender.post(path, content=body, headers=headers)
    assert (taken.status_code, taken.json()["created"]) == (200, 1)
    problem(await sender.post(path, content=body + " ", headers=headers), 401, "signature_invalid")
    hooks = (await client.get(f"/v1/channels/{channel_id}/hooks")).json()
    gone = await client.delete(f"/v1/channels/{channel_id}/hooks/{hooks[0]['id']}")
    assert gone.status_code == 204
    problem(await sender.post(path, content=body, headers=headers), 404, "not_found")


async def test_the_inbox(browser: Browser, client: httpx.AsyncClient, team: Team) -> None:
    assert "No channels yet" in (await browser.get("/inbox")).text
    refused = await browser.post("/inbox/new", {"name": " ", "kind": "chat", "timezone": "UTC"})
    assert refused.status_code == 400
    refused = await browser.post("/inbox/new", {"name": "a", "kind": "fax", "timezone": "UTC"})
    assert "is none of those offered" in refused.text
    made = await browser.post("/inbox/new", {"name": "Team", "kind": "chat", "timezone": "UTC"})
    assert made.status_code == 303
    channel_id = made.headers["location"].split("/")[2]
    here = f"/inbox/{channel_id}"
    assert "No messages yet" in (await browser.get(here)).text
    items = [said(n, f"Line {n} <script>") for n in range(60)]
    items[2] |= {"reply_to": "m1", "direction": "out", "attachments": [{"name": "a.pdf"}]}
    items[59] |= {"headers": {"Auto-Submitted": "auto-replied"}}
    await client.post(f"/v1/channels/{channel_id}/messages", json={"items": items})
    page = await browser.get(here)
    assert "Line 59 &lt;script&gt;" in page.text
    assert "automatic reply" in page.text
    assert f'data-topics="channel:{channel_id}"' in page.text
    listed = (await client.get(f"/v1/channels/{channel_id}/messages?limit=60")).json()["items"]
    cursor = page.text.split("cursor=")[1].split('"')[0]
    older = await browser.get(f"{here}?view=messages&cursor={cursor}")
    assert "Line 0 " in older.text
    assert "data-channel=" not in older.text
    from_one = await browser.get(f"{here}?message={listed[5]['id']}")
    assert "Line 54 " in from_one.text
    assert "Line 55 " not in from_one.text
    threads = await browser.get(f"{here}?view=threads")
    assert "2 messages" in threads.text
    thread_id = listed[-2]["thread_id"]
    thread = await browser.get(f"{here}?thread={thread_id}")
    assert thread.text.index("Line 1 ") < thread.text.index("Line 2 ")
    assert (await browser.get(f"{here}?q=line")).text.count("<mark>") == 50
    found = await browser.get("/inbox?q=line")
    assert f"?thread={thread_id}" not in found.text  # on a later page
    assert f"{here}?message=" in found.text
    assert (await browser.get("/inbox?q=" + "x" * 1001)).status_code == 400
    assert "No message that you see" in (await browser.get("/inbox?q=hyperloop")).text
    assert ">60</span>" in (await browser.get("/inbox")).text
    assert (await browser.post(f"{here}/read", {"position": "x"})).status_code == 400
    assert (await browser.post(f"{here}/read", {"position": "60"})).status_code == 303
    assert ">60</span>" not in (await browser.get("/inbox")).text
    for other in (f"{here}?thread={channel_id}", f"{here}?message={channel_id}"):
        assert (await browser.get(other)).status_code == 404
    second = await make(client, kind="email")
    for way in (f"thread={thread_id}", f"message={listed[0]['id']}"):
        assert (await browser.get(f"/inbox/{second}?{way}")).status_code == 404
    assert "No messages yet" in (await browser.get(f"/inbox/{second}")).text
    assert str(MONDAY.year) in page.text


async def test_settings_of_a_channel(browser: Browser, house: House, team: Team) -> None:
    made = await browser.post("/inbox/new", {"name": "Desk", "kind": "email", "timezone": "UTC"})
    here = made.headers["location"]
    base = here.removesuffix("/settings")
    form = {
        "name": "Help desk",
        "kind": "email",
        "timezone": "Europe/Oslo",
        "days": ["1", "2"],
        "start": "09:00",
        "end": "17:00",
        "holidays": "2026-12-25\n2026-05-17",
        "version": "1",
    }
    assert (await browser.post(here, form)).status_code == 303
    page = (await browser.get(here)).text
    assert "2026-05-17\n2026-12-25" in page
    assert 'value="Europe/Oslo"' in page
    await browser.post(here, form | {"name": "Lost"})
    assert "Somebody else changed it" in (await browser.get(here)).text
    for wrong in ({"start": "x"}, {"holidays": "soon"}, {"timezone": "Nowhere"}, {"kind": "fax"}):
        answer = await browser.post(here, form | {"version": "2"} | wrong)
        assert answer.status_code == 400, wrong
        assert "field-error" in answer.text
    member = str(team.people["member"].tenant.user_id)
    assert (await browser.post(f"{base}/members", {"user_id": "x"})).status_code == 400
    assert (await browser.post(f"{base}/members", {"user_id": member})).status_code == 303
    theirs = await house.browser(team, "member")
    assert "Help desk" in (await theirs.get("/inbox")).text
    left = await theirs.post(f"{base}/members/{member}/remove")
    assert left.headers["location"] == "/inbox"
    await browser.post(f"{base}/archive", {"archived": "1"})
    assert "it takes no messages" in (await browser.get(here)).text
    await browser.post(f"{base}/archive", {"archived": "0"})
    assert "Archive it" in (await browser.get(here)).text
    assert (await browser.post(f"{base}/delete")).headers["location"] == "/inbox"
    assert (await browser.get(here)).status_code == 404


async def test_hours_beyond_the_form_stay(browser: Browser, client: httpx.AsyncClient) -> None:
    hours = [{"days": [day], "start": "09:00", "end": "17:00"} for day in (1, 2)]
    channel_id = await make(client, business_hours=hours)
    here = f"/inbox/{channel_id}/settings"
    assert "keeps_hours" in (await browser.get(here)).text
    form = {"name": "x", "kind": "chat", "timezone": "UTC", "keeps_hours": "1", "version": ""}
    assert (await browser.post(here, form)).status_code == 303
    assert (await client.get(f"/v1/channels/{channel_id}")).json()["business_hours"] == hours


async def test_mail_that_nobody_answered_is_a_conversation(
    browser: Browser, client: httpx.AsyncClient
) -> None:
    channel_id = await make(client, kind="email")
    here = f"/inbox/{channel_id}"
    items = [
        said(1, subject="Alone", body="Yes.\n\nOn Monday Bo wrote:\n> Is it?"),
        said(2, subject="Together"),
        said(3, reply_to="m2"),
    ]
    await client.post(f"/v1/channels/{channel_id}/messages", json={"items": items})
    shown = (await browser.get(here)).text
    assert shown.index("Together") < shown.index("Alone")
    assert "2 messages" in shown
    alone = shown.split("?alone=")[1].split('"')[0]
    page = (await browser.get(f"{here}?alone={alone}")).text
    assert "<h1>Alone</h1>" in page
    assert "Together" not in page
    assert "Quoted text</summary>" in page
    other = await make(client, kind="email")
    assert (await browser.get(f"/inbox/{other}?alone={alone}")).status_code == 404
    answer = said(4, reply_to="m1")
    await client.post(f"/v1/channels/{channel_id}/messages", json={"items": [answer]})
    moved = await browser.get(f"{here}?alone={alone}")
    assert "?thread=" in moved.headers["location"]


async def test_how_messages_come_in(
    browser: Browser, client: httpx.AsyncClient, house: House, team: Team
) -> None:
    channel_id = await make(client, kind="email")
    here = f"/inbox/{channel_id}/incoming"
    mailbox = f"/v1/channels/{channel_id}/mailbox"
    assert (await client.get(mailbox)).status_code == 404
    form = {"host": "imap.acme.example", "user": "us@acme.example", "tls": "implicit"}
    for wrong in ({"port": "x"}, {"tls": "x"}, {"host": "10.0.0.1"}, {"own_addresses": "x"}):
        answer = await browser.post(f"{here}/mailbox", form | {"password": "s3cret-word"} | wrong)
        assert answer.status_code == 400, wrong
        assert "field-error" in answer.text
        assert "s3cret-word" not in answer.text
    begun = form | {"password": "s3cret-word", "begin": "new", "own_addresses": "a@b.c, d@e.f"}
    assert (await browser.post(f"{here}/mailbox", begun)).status_code == 303
    found = (await client.get(mailbox)).json()
    assert (found["port"], found["folder"]) == (993, "INBOX")
    assert (found["own_addresses"], found["last_error"]) == (["a@b.c", "d@e.f"], None)
    assert (await browser.post(f"{here}/mailbox", form | {"begin": "kept"})).status_code == 303
    assert (await client.get(mailbox)).json()["since"] == found["since"] is not None
    page = (await browser.get(here)).text
    assert "It was not checked yet" in page
    assert "s3cret-word" not in page
    run = (await client.post(f"{mailbox}/check")).json()
    assert (await browser.post(f"{here}/check")).status_code == 303
    assert (await client.get(f"/v1/runs/{run['run_id']}")).json()["kind"] == "mailbox.check"
    assert run["created"] is False  # the one that setting it began
    answer = await client.put(mailbox, json={"host": "imap.acme.example", "user": "x"})
    problem(answer, 400, "input_invalid")
    chat = await make(client, kind="chat")
    wanted = {"host": "imap.acme.example", "user": "x", "password": "x"}
    answer = await client.put(f"/v1/channels/{chat}/mailbox", json=wanted)
    problem(answer, 409, "state_conflict")
    assert (await browser.post(f"{here}/mailbox/delete")).status_code == 303
    assert (await client.delete(mailbox)).status_code == 404
    assert "stays on the server" in (await browser.get(here)).text


async def test_a_webhook_address_is_shown_once(
    browser: Browser, client: httpx.AsyncClient, house: House
) -> None:
    channel_id = await make(client)
    here = f"/inbox/{channel_id}/incoming"
    made = (await browser.post(f"{here}/hooks")).text
    url = made.split('id="hook-url"')[1].split('value="')[1].split('"')[0]
    secret = made.split('id="hook-secret"')[1].split('value="')[1].split('"')[0]
    assert secret not in (await browser.get(here)).text
    body = msgspec.json.encode({"items": [said(1)]})
    headers = sign_webhook(secret, "msg_1", clock.now(), body)
    path = "/v1/hooks/messages/" + url.rpartition("/")[2]
    assert (await house.client().post(path, content=body, headers=headers)).json()["created"] == 1
    (hook,) = (await client.get(f"/v1/channels/{channel_id}/hooks")).json()
    assert (await browser.post(f"{here}/hooks/{hook['id']}/revoke")).status_code == 303
    assert "There is none" in (await browser.get(here)).text
    assert (await house.client().post(path, content=body, headers=headers)).status_code == 404
    key = {"idempotency-key": "once"}
    first = await client.post(f"/v1/channels/{channel_id}/hooks", json={}, headers=key)
    assert first.json()["signing_secret"].startswith("whsec_")
    again = await client.post(f"/v1/channels/{channel_id}/hooks", json={}, headers=key)
    assert (again.json()["path"], again.json()["signing_secret"]) == (None, None)
