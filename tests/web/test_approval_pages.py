"""The queue and the policy as pages: forms without JavaScript, and the link in mail."""

import re

import httpx
import pytest_asyncio

from tidings.approvals.draft import NewApproval, draft
from web.house import Browser, House, Team, problem
from web.test_approvals import propose

from factories.channels import make_channel


@pytest_asyncio.fixture
async def made(client: httpx.AsyncClient) -> dict[str, object]:
    return await propose(client)


async def test_the_queue_is_decided_on(
    house: House, team: Team, browser: Browser, client: httpx.AsyncClient, made: dict[str, object]
) -> None:
    assert "1 draft to approve</a>" in (await browser.get("/")).text
    page = (await browser.get("/approvals")).text
    assert "Hello Bo." in page
    assert f"{made['id']}:1" in page
    here = "/approvals?status=pending"
    decided = await browser.post(
        f"/approvals/{made['id']}/decide",
        {"decision": "approve", "version": "1", "next": here},
    )
    assert (decided.status_code, decided.headers["location"]) == (303, here)
    again = await browser.post(
        f"/approvals/{made['id']}/decide", {"decision": "reject", "reason": "no"}
    )
    said = (await browser.get(again.headers["location"])).text
    assert "The Owner approved it on" in said
    page = (await browser.get("/approvals?status=approved")).text
    assert "Approved by The Owner" in page
    owner = team.people["owner"].tenant.user_id
    await house.sql("UPDATE tidings.users SET name = '' WHERE id = %s", owner)
    assert "Approved by owner-" in (await browser.get("/approvals?status=approved")).text
    for action, status in (("cancel", "cancelled"), ("retry", "cancelled")):
        await browser.post(f"/approvals/{made['id']}/step", {"action": action})
        after = (await client.get(f"/v1/approvals/{made['id']}")).json()
        assert after["status"] == status
    wrong = await browser.post(f"/approvals/{made['id']}/step", {"action": "burn"})
    assert wrong.status_code == 400


async def test_what_is_edited_is_approved_anew(
    browser: Browser, client: httpx.AsyncClient, made: dict[str, object]
) -> None:
    path = f"/approvals/{made['id']}"
    assert "Does it ship?" in (await browser.get(path)).text
    typed = {"version": "1", "to": "bo", "subject": "Hello", "content": "Dear Bo."}
    refused = await browser.post(f"{path}/edit", typed)
    assert refused.status_code == 400
    assert "must be one e-mail address" in refused.text
    assert "Dear Bo." in refused.text
    typed |= {"to": "bo@elsewhere.example", "content": "Dear Bo,\r\nyes."}
    assert (await browser.post(f"{path}/edit", typed)).status_code == 303
    after = (await client.get(f"/v1{path}")).json()
    assert (after["to"], after["content"], after["version"]) == (
        "bo@elsewhere.example",
        "Dear Bo,\nyes.",
        2,
    )
    stale = await browser.post(f"{path}/edit", typed)
    assert "It changed since you read it" in (await browser.get(stale.headers["location"])).text


async def test_many_are_decided_on_at_once(
    house: House, team: Team, browser: Browser, client: httpx.AsyncClient
) -> None:
    ids = [(await propose(client))["id"] for _ in range(3)]
    empty = await browser.post("/approvals/batch", {"decision": "approve"})
    assert "Tick what to decide on" in (await browser.get(empty.headers["location"])).text
    await browser.post(f"/approvals/{ids[0]}/decide", {"decision": "approve"})
    answer = await browser.client.post(
        "/approvals/batch",
        data={
            "_csrf_token": browser.csrf,
            "decision": "reject",
            "reason": "Too many",
            "choice": [f"{one}:1" for one in ids],
        },
    )
    said = (await browser.get(answer.headers["location"])).text
    assert "2 rejected. 1 left: The Owner approved it" in said
    rejected = (await client.get("/v1/approvals?status=rejected")).json()["items"]
    assert {one["problem"] for one in rejected} == {"Too many"}
    answer = await browser.post("/approvals/batch", {"decision": "approve", "choice": "x:1"})
    assert answer.status_code == 400
    one = await propose(client)
    await browser.post("/approvals/batch", {"decision": "approve", "choice": f"{one['id']}:1"})
    assert (await client.get(f"/v1/approvals/{one['id']}")).json()["status"] == "approved"


async def test_evidence_of_any_shape_is_shown(browser: Browser, client: httpx.AsyncClient) -> None:
    evidence = ["Plain words", {"text": "Said so"}, {"count": 3}, 7]
    made = await propose(client, evidence=evidence)
    page = (await browser.get(f"/approvals/{made['id']}")).text
    for words in ("Plain words", "Said so", "{&#34;count&#34;:3}", "<li>7</li>"):
        assert words in page


async def test_the_policy_as_a_form(browser: Browser, client: httpx.AsyncClient) -> None:
    page = (await browser.get("/settings/sending")).text
    fields = dict(re.findall(r'<input[^>]* name="([a-z_.]+)"[^>]* value="([^"]*)"', page))
    fields |= {
        "version": "1",
        "automation": "guarded",
        "approval_required": "on",
        "replies_only": "on",
        "least_score": "90",
        "hours_end": "20:00",
        "slack.per_hour": "9",
    }
    for name in ("_csrf_token", "guarded"):
        fields.pop(name, None)
    assert (await browser.post("/settings/sending", fields)).status_code == 303
    after = (await client.get("/v1/send-policy")).json()
    assert (after["hours_end"], after["automation"]) == ("20:00", "guarded")
    assert after["guard"] == {"replies_only": True, "least_score": 90}
    assert after["limits"]["slack"] == {"per_hour": 9, "per_day": 999_999, "gap_seconds": 0}
    assert after["limits"]["email"]["gap_seconds"] == 30
    assert "999999" not in (await browser.get("/settings/sending")).text
    for version in ("²", "9" * 5000):
        made_up = await browser.post("/settings/sending", fields | {"version": version})
        assert made_up.status_code == 400
    stale = await browser.post("/settings/sending", fields)
    assert "It changed since" in (await browser.get(stale.headers["location"])).text
    fields["version"] = "2"
    for name, value in (("daily_cap", "many"), ("hours_end", "7"), ("automation", "wild")):
        refused = await browser.post("/settings/sending", fields | {name: value})
        assert refused.status_code == 400, name


async def test_the_form_keeps_the_channels_of_the_conditions(
    browser: Browser, client: httpx.AsyncClient
) -> None:
    guard = {"channels": ["slack", "sms"], "least_score": 80}
    before = (await client.put("/v1/send-policy", json={"guard": guard})).json()
    page = (await browser.get("/settings/sending")).text
    ticked = re.findall(r'name="guarded" value="([a-z]+)" checked', page)
    assert ticked == ["slack", "sms"]
    fields = {
        "version": str(before["version"]),
        "automation": "guarded",
        "hours_start": "08:00",
        "hours_end": "18:00",
        "daily_cap": "150",
        "least_score": "80",
        "guarded": ticked,
    }
    refused = await browser.post("/settings/sending", fields | {"daily_cap": "x"})
    assert re.findall(r'name="guarded" value="([a-z]+)" checked', refused.text) == ticked
    assert (await browser.post("/settings/sending", fields)).status_code == 303
    assert (await client.get("/v1/send-policy")).json()["guard"] == guard


async def test_gateways_as_a_page(
    house: House, team: Team, browser: Browser, client: httpx.AsyncClient
) -> None:
    assert "No gateways yet" in (await browser.get("/settings/gateways")).text
    wrong = await browser.post("/settings/gateways", {"channel": "sms", "url": "http://x.example"})
    assert (wrong.status_code, "must begin with https://" in wrong.text) == (400, True)
    given = {"channel": "sms", "url": "https://gateway.invalid/out"}
    made = await browser.post("/settings/gateways", given)
    secret = re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text)
    assert (made.status_code, made.headers["cache-control"], len(secret)) == (200, "no-store", 1)
    page = (await browser.get("/settings/gateways")).text
    assert "https://gateway.invalid/out" in page
    assert secret[0] not in page
    # Where it leads nowhere a test says so.
    answer = await browser.post("/settings/gateways/test", {"channel": "sms"})
    said = (await browser.get(answer.headers["location"])).text
    assert "The gateway did not take it now." in said
    assert (await browser.post("/settings/gateways/test", {"channel": "web"})).status_code == 404
    assert (await browser.post("/settings/gateways/test", {"channel": "x"})).status_code == 400
    await browser.post("/settings/gateways/delete", {"channel": "sms"})
    assert (await client.get("/v1/send-gateways")).json()["items"] == []
    secrets = await house.sql(
        "SELECT name FROM tidings.organization_secrets WHERE organization_id = %s",
        team.organization_id,
    )
    assert secrets == []
    member = await house.browser(team, "member")
    assert (await member.get("/settings/gateways")).status_code == 403


async def test_what_must_not_leave_is_not_said_to_be_yours(
    browser: Browser, client: httpx.AsyncClient
) -> None:
    given = {"type": "message", "channel": "linkedin"}
    here = {"action": "open", "next": "/approvals?status=all"}
    made = [await propose(client, to="in/bo", **given), await propose(client, to="in/eve", **given)]
    await client.put("/v1/send-policy", json={"hours_start": "00:00", "hours_end": "24:00"})
    for one in made:
        await client.post(f"/v1/approvals/{one['id']}/approve")
    answer = await browser.post(f"/approvals/{made[0]['id']}/step", here)
    assert "It is yours to send." in (await browser.get(answer.headers["location"])).text
    await client.post("/v1/do-not-contact", json={"kind": "handle", "value": "in/bo"})
    after = (await client.get(f"/v1/approvals/{made[0]['id']}")).json()
    assert (after["status"], after["outcome"]) == ("cancelled", "do_not_contact")
    third = await propose(client, to="in/bo", **given)
    await client.post(f"/v1/approvals/{third['id']}/approve")
    answer = await browser.post(f"/approvals/{third['id']}/step", here)
    said = (await browser.get(answer.headers["location"])).text
    assert "It is cancelled instead. The recipient is on do-not-contact." in said


async def test_do_not_contact_as_a_form(browser: Browser, client: httpx.AsyncClient) -> None:
    entry = {"kind": "email", "value": "Bo@Example.com", "reason": "Asked."}
    await browser.post("/settings/do-not-contact", entry)
    assert "bo@example.com" in (await browser.get("/settings/sending")).text
    again = await browser.post("/settings/do-not-contact", entry)
    assert "It was on the list already" in (await browser.get(again.headers["location"])).text
    refused = await browser.post("/settings/do-not-contact", entry | {"value": "bo"})
    assert refused.status_code == 400
    assert "must be an e-mail address" in refused.text
    gone = {"kind": "email", "value": "bo@example.com"}
    await browser.post("/settings/do-not-contact/remove", gone)
    assert (await client.get("/v1/do-not-contact")).json()["items"] == []


async def test_the_link_in_mail_needs_no_one_signed_in(house: House, team: Team) -> None:
    tenant = team.people["owner"].tenant.as_service()
    (token,) = await _link(house, team)
    anyone = house.client()
    page = await anyone.get(f"/unsubscribe/{token}")
    assert (page.status_code, "bo@example.com" in page.text) == (200, True)
    assert "You are unsubscribed" not in page.text
    async with house.system.db.tenant_transaction(tenant) as transaction:
        new = NewApproval(type="email", channel="email", to="bo@example.com", content="Again.")
        draft(transaction, new)
    done = await anyone.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
    assert (done.status_code, "You are unsubscribed" in done.text) == (200, True)
    assert "You are unsubscribed" in (await anyone.get(f"/unsubscribe/{token}")).text
    states = await house.sql(
        "SELECT status, outcome FROM tidings.approvals WHERE organization_id = %s",
        team.organization_id,
    )
    assert states == [("cancelled", "do_not_contact")]
    audited = await house.sql(
        "SELECT actor_kind FROM tidings.audit_log WHERE organization_id = %s AND action = "
        "'do_not_contact.added'",
        team.organization_id,
    )
    assert audited == [("service",)]
    assert (await anyone.get("/unsubscribe/other")).status_code == 404
    assert (await anyone.post("/unsubscribe/other")).status_code == 404


async def _link(house: House, team: Team) -> list[str]:
    rows = await house.sql(
        "INSERT INTO tidings.unsubscribe_links (organization_id, contact) "
        "VALUES (%s, 'bo@example.com') RETURNING token",
        team.organization_id,
    )
    return [token for (token,) in rows]


async def test_a_member_of_the_organization_but_not_of_the_channel_sees_nothing(
    house: House, team: Team
) -> None:
    tenant = team.people["owner"].tenant
    channel_id = str(await make_channel(house.system.db, tenant))
    owner, member = await house.api(team), await house.api(team, "member")
    said = {"type": "message", "channel": "chat", "to": "bo", "content": "x", "subject": ""}
    made = await propose(owner, **said, channel_id=channel_id)
    problem(await member.get(f"/v1/approvals/{made['id']}"), 404, "not_found")
    problem(await member.post(f"/v1/approvals/{made['id']}/approve"), 404, "not_found")
    assert (await member.get("/v1/approvals")).json()["items"] == []
    forbidden = await member.post("/v1/approvals", json=said | {"channel_id": channel_id})
    problem(forbidden, 403, "role_forbidden")
