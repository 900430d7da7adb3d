"""The organization, its members, sessions and audit log: over HTTP and on their pages."""

from typing import Any

import httpx

from tidings.tenancy.audit import seal_entries
from web.house import Browser, House, Team, problem


def _id(team: Team, role: str) -> str:
    return str(team.people[role].tenant.user_id)


async def test_members_are_added_changed_and_removed(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    asked = {"email": "ana@example.com", "role": "viewer", "name": "Ana"}
    added = await client.post("/v1/members", json=asked, headers={"idempotency-key": "once"})
    assert added.status_code == 201, added.text
    again = await client.post("/v1/members", json=asked, headers={"idempotency-key": "once"})
    assert again.json() == added.json()
    problem(await client.post("/v1/members", json=asked), 409, "state_conflict")
    wrong = problem(await client.post("/v1/members", json={"email": "x"}), 400, "input_invalid")
    assert [error["field"] for error in wrong["errors"]] == ["email"]

    at = f"/v1/members/{added.json()['user_id']}"
    changed = await client.patch(at, json={"role": "member"})
    assert changed.json() == {"user_id": added.json()["user_id"], "role": "member"}
    listed = (await client.get("/v1/members")).json()["items"]
    assert {m["email"]: m["role"] for m in listed}["ana@example.com"] == "member"
    assert (await client.delete(at)).status_code == 204
    problem(await client.delete(at), 404, "not_found")


async def test_who_may_do_what_to_whom(house: House, team: Team, client: httpx.AsyncClient) -> None:
    admin = await house.api(team, "admin")
    owner = f"/v1/members/{_id(team, 'owner')}"
    problem(await admin.patch(owner, json={"role": "member"}), 403, "role_forbidden")
    problem(await admin.delete(owner), 403, "role_forbidden")
    problem(await client.delete(owner), 409, "state_conflict")  # the last one
    problem(await client.patch(owner, json={"role": "admin"}), 409, "state_conflict")
    own = f"/v1/members/{_id(team, 'admin')}"
    problem(await admin.patch(own, json={"role": "owner"}), 403, "role_forbidden")


async def test_a_removed_member_is_out_at_once(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    theirs, browser = await house.api(team, "member"), await house.browser(team, "member")
    assert (await theirs.get("/v1/kv")).status_code == 200
    assert (await client.delete(f"/v1/members/{_id(team, 'member')}")).status_code == 204
    problem(await theirs.get("/v1/kv"), 401, "credential_invalid")
    assert (await browser.get("/")).headers["location"] == "/sign-in"


async def test_a_member_takes_their_data_along(house: House, team: Team) -> None:
    owner, admin = await house.api(team), await house.api(team, "admin")
    member, narrow = await house.api(team, "member"), await house.api(team, "member", "read")
    at = {role: f"/v1/members/{_id(team, role)}/export" for role in team.people}
    answer = await member.get(at["member"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    found = answer.json()
    assert found["user_id"] == _id(team, "member")
    assert found["items"][0]["kind"] == "person"
    assert found["items"][0]["row"]["email"] == team.people["member"].email
    assert {"api_key"} <= {item["kind"] for item in found["items"]}
    assert "key_hash" not in answer.text
    assert (await owner.get(at["owner"])).status_code == 200
    for client, whose in ((owner, "member"), (admin, "member"), (narrow, "member")):
        problem(await client.get(at[whose]), 403, "role_forbidden")
    about = {"target": f"user:{_id(team, 'member')}"}
    entries = (await owner.get("/v1/audit-log", params=about)).json()["items"]
    by = [(e["action"], e["actor_user_id"]) for e in entries if e["action"] == "member.exported"]
    assert by == [("member.exported", _id(team, "member"))]


async def test_more_than_one_page_of_data_is_one_document(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    await house.sql(
        "INSERT INTO tidings.brainstorm_sessions (organization_id, id, topic, framework, owner_id)"
        " SELECT %s, tidings.uuid7(), repeat('Trains ', 20), 'free_form', %s"
        " FROM generate_series(1, 501)",
        team.organization_id,
        team.people["owner"].tenant.user_id,
    )
    found = (await client.get(f"/v1/members/{_id(team, 'owner')}/export")).json()["items"]
    assert len({i["row"]["id"] for i in found if i["kind"] == "brainstorm"}) == 501


async def test_the_organizations_settings(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/organization")).json()
    assert found["time_zone"] == "UTC"
    changed = await client.patch("/v1/organization", json={"time_zone": "Europe/Oslo"})
    assert changed.json() == found | {"time_zone": "Europe/Oslo"}
    for body in ({"time_zone": "Mars/Base"}, {"name": ""}, {"slug": "x"}):
        problem(await client.patch("/v1/organization", json=body), 400, "input_invalid")


async def test_sessions_are_listed_and_ended(house: House, team: Team) -> None:
    browser, other = await house.browser(team), await house.browser(team)
    listed = (await browser.get("/v1/sessions")).json()["items"]
    assert len(listed) == 2
    assert not {"token_hash", "csrf"} & listed[0].keys()
    page = (await browser.get("/settings/password")).text
    assert page.count("this one") == 1
    (theirs,) = (s["id"] for s in listed if f"/settings/sessions/{s['id']}/end" in page)
    headers = {"x-csrftoken": browser.csrf}
    ended = await browser.client.delete(f"/v1/sessions/{theirs}", headers=headers)
    assert ended.status_code == 204
    assert (await other.get("/")).status_code == 303

    third = await house.browser(team)
    answer = await browser.post("/settings/sessions/end-others")
    assert answer.headers["location"] == "/settings/password"
    assert (await third.get("/")).status_code == 303
    assert (await browser.get("/")).status_code == 200


async def test_a_session_ends_from_the_page(house: House, team: Team) -> None:
    browser, other = await house.browser(team), await house.browser(team)
    page = (await browser.get("/settings/password")).text
    place = page.split('action="/settings/sessions/')[1].split("/end")[0]
    assert (await browser.post(f"/settings/sessions/{place}/end")).status_code == 303
    assert (await other.get("/")).status_code == 303


async def test_the_audit_log_is_read_and_verified(
    house: House, team: Team, client: httpx.AsyncClient, browser: Browser
) -> None:
    await client.post("/v1/secrets", json={"name": "openai_api_key", "value": "sk-very-secret"})
    about = {"target": "secret:openai_api_key"}
    (entry,) = (await client.get("/v1/audit-log", params=about)).json()["items"]
    assert (entry["action"], entry["actor_kind"]) == ("secret.set", "key")
    await seal_entries(house.system.db)
    report = (await client.get("/v1/audit-log/verification")).json()
    assert (report["intact"], report["unsealed"]) == (True, 0)
    assert len(report["head"]) == 64

    page = (await browser.get("/settings/audit-log?verify=1")).text
    assert "The chain is intact" in page
    assert report["head"] in page
    assert "Secret set" in page
    assert "sk-very-secret" not in page
    await house.sql("ALTER TABLE tidings.audit_log DISABLE TRIGGER USER")
    await house.sql(
        "UPDATE tidings.audit_log SET action = 'secret.sent' WHERE organization_id = %s",
        team.organization_id,
    )
    await house.sql("ALTER TABLE tidings.audit_log ENABLE TRIGGER USER")
    broken = (await client.get("/v1/audit-log/verification")).json()
    assert (broken["intact"], broken["broken_at"]) == (False, 1)
    assert (
        "The chain is broken at seal 1"
        in (await browser.get("/settings/audit-log?verify=1&target=secret:openai_api_key")).text
    )


async def test_secrets_are_removed(client: httpx.AsyncClient) -> None:
    await client.post("/v1/secrets", json={"name": "openai_api_key", "value": "sk-secret"})
    assert (await client.delete("/v1/secrets/openai_api_key")).status_code == 204
    problem(await client.delete("/v1/secrets/openai_api_key"), 404, "not_found")


async def _said(browser: Browser, path: str, fields: dict[str, Any]) -> str:
    answer = await browser.post(path, fields)
    assert answer.status_code == 303, answer.text
    return (await browser.get(answer.headers["location"])).text


async def test_the_members_page(house: House, team: Team, browser: Browser) -> None:
    here = "/settings/members"
    fields = {"email": "new@example.com", "name": "New <b>", "role": "viewer"}
    assert "tidings sign-in-link new@example.com" in await _said(browser, here, fields)
    for wrong, said in (
        (fields, "This person is a member already."),
        ({**fields, "email": "x"}, "field-error"),
    ):
        answer = await browser.post(here, wrong)
        assert answer.status_code == 400
        assert said in answer.text
        assert "New &lt;b&gt;" in answer.text
    assert (await browser.post(here, {**fields, "role": "king"})).status_code == 400

    page = (await browser.get(here)).text
    added = page.split('action="/settings/members/')[1].split("/role")[0]
    assert "The role is changed." in await _said(browser, f"{here}/{added}/role", {"role": "admin"})
    assert "no member any more" in await _said(browser, f"{here}/{added}/remove", {})
    last = f"{here}/{_id(team, 'owner')}"
    assert "owner" in await _said(browser, f"{last}/role", {"role": "member"})
    assert "owner" in await _said(browser, f"{last}/remove", {})

    assert page.count("/export") == 1
    assert f"/v1/members/{_id(team, 'owner')}/export" in page

    viewer = await house.browser(team, "viewer")
    assert (await viewer.get(here)).text.count("/export") == 1
    assert "<form" not in (await viewer.get(here)).text.split('id="main"')[1].split("</main>")[0]


async def test_the_organization_page(browser: Browser) -> None:
    here = "/settings/organization"
    said = await _said(browser, here, {"name": "Pine", "time_zone": "Europe/Oslo"})
    assert 'value="Europe/Oslo"' in said
    for wrong in ({"name": "", "time_zone": "UTC"}, {"name": "x", "time_zone": "Mars"}):
        answer = await browser.post(here, wrong)
        assert answer.status_code == 400
        assert answer.text.count('class="field-error"') == 1
