"""Approvals over HTTP: the queue, decisions, the policy, do-not-contact, gateways."""

from typing import Any

import httpx
import msgspec
import pytest

from tidings.approvals.live import approval_topics
from tidings.base.ids import uuid7
from tidings.connectors.testing import FakeGateway, FakeSmtp
from tidings.wiring import build_worker
from web.house import House, Team, problem

from factories.channels import make_channel

MAIL = {
    "type": "email",
    "channel": "email",
    "to": "bo@example.com",
    "subject": "Hello",
    "content": "Hello Bo.",
    "reason": "Bo asked.",
    "evidence": [{"quote": "Does it ship?"}],
}


async def propose(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/approvals", json=MAIL | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_draft_is_approved_once(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    made = await propose(client)
    assert (made["status"], made["version"], made["evidence"]) == ("pending", 1, MAIL["evidence"])
    member = await house.api(team, "member")
    path = f"/v1/approvals/{made['id']}"
    approved = await member.post(f"{path}/approve", headers={"if-match": '"1"'})
    assert approved.json()["status"] == "approved"
    assert approved.headers["etag"] == '"2"'
    assert approved.json()["reviewed_by_name"] == "The Member"
    second = await client.post(f"{path}/reject", json={"reason": "no"})
    said = problem(second, 409, "state_conflict")
    assert said["detail"].startswith("The Member approved it on ")
    jobs = await house.sql(
        "SELECT kind FROM tidings.jobs WHERE organization_id = %s", team.organization_id
    )
    assert jobs == [("approvals.send",)]
    cancelled = await client.post(f"{path}/cancel")
    assert (cancelled.json()["status"], cancelled.json()["outcome"]) == ("cancelled", "person")
    third = problem(await client.post(f"{path}/approve"), 409, "state_conflict")
    assert third["detail"].endswith("Now it is cancelled.")
    problem(await client.post(f"{path}/retry"), 409, "state_conflict")
    problem(await client.post(f"/v1/approvals/{uuid7()}/cancel"), 404, "not_found")


async def test_an_edit_asks_for_approval_again(client: httpx.AsyncClient) -> None:
    made = await propose(client)
    path = f"/v1/approvals/{made['id']}"
    await client.post(f"{path}/approve")
    problem(
        await client.patch(path, json={"content": "x"}, headers={"if-match": '"1"'}),
        412,
        "version_stale",
    )
    edited = await client.patch(path, json={"content": "Dear Bo."}, headers={"if-match": '"2"'})
    after = edited.json()
    assert (after["status"], after["content"], after["version"]) == ("pending", "Dear Bo.", 3)
    assert after["reviewed_at"] is None
    assert after["digest"] != made["digest"]
    problem(await client.patch(path, json={"to": "nobody"}), 400, "input_invalid")
    problem(await client.post(f"{path}/approve", headers={"if-match": '"1"'}), 412, "version_stale")
    rejected = await client.post(f"{path}/reject", json={"reason": "Too long."})
    assert (rejected.json()["status"], rejected.json()["problem"]) == ("rejected", "Too long.")
    problem(await client.patch(path, json={"content": "x"}), 409, "state_conflict")


async def test_who_has_no_name_has_not_left(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    made = await propose(client)
    owner = team.people["owner"]
    await house.sql(
        "UPDATE tidings.users SET name = '' WHERE id = %s RETURNING id", owner.tenant.user_id
    )
    await client.post(f"/v1/approvals/{made['id']}/reject", json={"reason": "No."})
    found = (await client.get(f"/v1/approvals/{made['id']}")).json()
    assert found["reviewed_by_name"] == owner.email
    page = await (await house.browser(team)).get(f"/approvals/{made['id']}")
    assert f"Rejected by {owner.email}" in page.text


async def test_an_answer_is_to_a_message_that_is_there(client: httpx.AsyncClient) -> None:
    missing = await client.post("/v1/approvals", json=MAIL | {"message_id": str(uuid7())})
    problem(missing, 404, "not_found")


async def test_a_batch_decides_on_each_by_itself(client: httpx.AsyncClient) -> None:
    first, second = await propose(client), await propose(client)
    await client.post(f"/v1/approvals/{first['id']}/reject", json={})
    ids = [first["id"], second["id"], str(uuid7())]
    answer = await client.post("/v1/approvals/batch", json={"decision": "approve", "ids": ids})
    items = answer.json()["items"]
    assert [item["code"] for item in items] == ["state_conflict", None, "not_found"]
    assert items[1]["status"] == "approved"
    third = await propose(client)
    fourth = await propose(client)
    ids = [third["id"], fourth["id"]]
    answer = await client.post("/v1/approvals/batch", json={"decision": "reject", "ids": ids})
    assert [item["status"] for item in answer.json()["items"]] == ["rejected", "rejected"]
    problem(
        await client.post("/v1/approvals/batch", json={"decision": "approve", "ids": []}),
        400,
        "input_invalid",
    )


async def test_the_list_by_status_and_channel(client: httpx.AsyncClient) -> None:
    made = [(await propose(client))["id"] for _ in range(3)]
    chat = await propose(client, type="message", channel="chat", to="bo")
    await client.post(f"/v1/approvals/{made[0]}/reject", json={})
    page = (await client.get("/v1/approvals?status=pending&limit=2")).json()
    assert [item["id"] for item in page["items"]] == [chat["id"], made[2]]
    rest = await client.get(f"/v1/approvals?status=pending&limit=2&cursor={page['next_cursor']}")
    assert [item["id"] for item in rest.json()["items"]] == [made[1]]
    assert rest.json()["next_cursor"] is None
    found = (await client.get("/v1/approvals?channel=chat")).json()["items"]
    assert [item["id"] for item in found] == [chat["id"]]
    one = await client.get(f"/v1/approvals/{chat['id']}")
    assert (one.json(), one.headers["etag"]) == (found[0], '"1"')


async def test_what_a_person_sends_by_hand(house: House, client: httpx.AsyncClient) -> None:
    await client.put("/v1/send-policy", json={"hours_start": "00:00", "hours_end": "24:00"})
    first = await propose(client, type="message", channel="linkedin", to="in/bo")
    second = await propose(client, type="message", channel="linkedin", to="in/bo")
    mail = await propose(client)
    for one in (first, second, mail):
        await client.post(f"/v1/approvals/{one['id']}/approve")
    problem(await client.post(f"/v1/approvals/{mail['id']}/open"), 409, "state_conflict")
    opened = await client.post(f"/v1/approvals/{first['id']}/open")
    assert opened.json()["status"] == "opened"
    problem(await client.post(f"/v1/approvals/{first['id']}/open"), 409, "state_conflict")
    said = problem(await client.post(f"/v1/approvals/{second['id']}/open"), 409, "state_conflict")
    assert "gap" in said["detail"]
    sent = await client.post(f"/v1/approvals/{first['id']}/sent")
    assert sent.json()["status"] == "sent_manual"
    problem(await client.post(f"/v1/approvals/{first['id']}/sent"), 409, "state_conflict")


async def test_the_policy_is_changed_by_admins_and_audited(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    before = (await client.get("/v1/send-policy")).json()
    assert (before["daily_cap"], before["hours_start"], before["hours_end"]) == (
        150,
        "08:00",
        "18:00",
    )
    assert before["limits"]["email"] == {"per_hour": 50, "per_day": 500, "gap_seconds": 30}
    assert (before["automation"], before["approval_required"]) == ("assisted", True)
    change = {"automation": "guarded", "guard": {"least_score": 90}, "hours_end": "24:00"}
    after = await client.put("/v1/send-policy", json=change, headers={"if-match": '"1"'})
    assert (after.json()["version"], after.json()["hours_end"]) == (2, "24:00")
    problem(
        await client.put("/v1/send-policy", json=change, headers={"if-match": '"1"'}),
        412,
        "version_stale",
    )
    problem(
        await (await house.api(team, "member")).put("/v1/send-policy", json=change),
        403,
        "role_forbidden",
    )
    (row,) = await house.sql(
        "SELECT payload FROM tidings.audit_log WHERE organization_id = %s AND action = "
        "'send_policy.changed'",
        team.organization_id,
    )
    assert row[0]["automation"] == ["assisted", "guarded"]
    assert row[0]["hours_end"] == ["18:00", "24:00"]


@pytest.mark.parametrize(
    "change",
    [
        {"daily_cap": -1},
        {"hours_start": "8"},
        {"hours_start": "19:00"},
        {"limits": {"pigeon": {"per_hour": 1, "per_day": 1, "gap_seconds": 1}}},
        {"limits": {"email": {"per_hour": -1, "per_day": 1, "gap_seconds": 1}}},
        {"limits": {"email": {"per_hour": 1}}},
        {"guard": {"least_score": 101}},
        {"guard": {"channels": ["pigeon"]}},
        {"automation": "wild"},
    ],
)
async def test_a_policy_that_cannot_be(client: httpx.AsyncClient, change: dict[str, Any]) -> None:
    problem(await client.put("/v1/send-policy", json=change), 400, "input_invalid")


async def test_do_not_contact(house: House, team: Team, client: httpx.AsyncClient) -> None:
    made = await propose(client)
    entry = {"kind": "email", "value": " Bo@Example.com ", "reason": "Asked."}
    added = await client.post("/v1/do-not-contact", json=entry)
    assert (added.status_code, added.json()["value"]) == (201, "bo@example.com")
    again = await client.post("/v1/do-not-contact", json=entry | {"reason": "Twice."})
    assert again.json() == added.json()
    after = (await client.get(f"/v1/approvals/{made['id']}")).json()
    assert (after["status"], after["outcome"]) == ("cancelled", "do_not_contact")
    assert (await propose(client))["is_do_not_contact"] is True
    await client.post("/v1/do-not-contact", json={"kind": "phone", "value": "0049 30 123456"})
    await client.post("/v1/do-not-contact", json={"kind": "handle", "value": "U123"})
    page = (await client.get("/v1/do-not-contact?limit=2")).json()
    assert [one["value"] for one in page["items"]] == ["u123", "+4930123456"]
    rest = await client.get(f"/v1/do-not-contact?cursor={page['next_cursor']}")
    assert [one["value"] for one in rest.json()["items"]] == ["bo@example.com"]
    found = (await client.get("/v1/do-not-contact?value=BO@example.com")).json()
    assert len(found["items"]) == 1
    for kind, value in (("email", "bo"), ("phone", "123"), ("domain", "x"), ("handle", " ")):
        entry = {"kind": kind, "value": value}
        answer = await client.post("/v1/do-not-contact", json=entry)
        assert answer.status_code == 400, entry
    member = await house.api(team, "member")
    removal = "/v1/do-not-contact/email?value=Bo@example.com"
    problem(await member.delete(removal), 403, "role_forbidden")
    assert (await client.delete(removal)).status_code == 204
    problem(await client.delete(removal), 404, "not_found")


async def test_gateways_show_their_secret_once(client: httpx.AsyncClient) -> None:
    made = await client.put("/v1/send-gateways/slack", json={"url": "https://gateway.example/x"})
    assert made.json()["secret"].startswith("whsec_")
    again = await client.put("/v1/send-gateways/slack", json={"url": "https://gateway.example/y"})
    assert again.json()["secret"] != made.json()["secret"]
    (listed,) = (await client.get("/v1/send-gateways")).json()["items"]
    assert (listed["channel"], listed["url"]) == ("slack", "https://gateway.example/y")
    assert "secret" not in listed
    for url in ("http://gateway.example", "https://127.0.0.1/x"):
        problem(await client.put("/v1/send-gateways/sms", json={"url": url}), 400, "input_invalid")
    assert (await client.delete("/v1/send-gateways/slack")).status_code == 204
    problem(await client.delete("/v1/send-gateways/slack"), 404, "not_found")


async def test_a_gateway_is_tried_before_anything_leaves(another_house: Any) -> None:
    async with (
        another_house(gateway_private=True) as house,
        FakeGateway("whsec_unused") as gateway,
    ):
        team = await house.team()
        client = await house.api(team)
        made = await client.put("/v1/send-gateways/slack", json={"url": gateway.url})
        gateway._secret = made.json()["secret"]
        tried = await client.post("/v1/send-gateways/slack/test")
        assert tried.json()["result"] == "sent"
        (post,) = gateway.posts
        assert msgspec.json.decode(post.body)["type"] == "gateway.test"
        gateway._secret = "whsec_" + "A" * 44
        tried = await client.post("/v1/send-gateways/slack/test")
        assert (tried.status_code, tried.json()["result"]) == (200, "refused")
        assert tried.json()["detail"].startswith("401")
        missing = await client.post("/v1/send-gateways/sms/test")
        problem(missing, 404, "not_found")
        slots = await house.sql(
            "SELECT channel FROM tidings.send_slots WHERE organization_id = %s",
            team.organization_id,
        )
    assert slots == []


async def test_who_hears_of_moves(house: House, team: Team) -> None:
    tenant = team.people["owner"].tenant
    channel_id = str(await make_channel(house.system.db, tenant))
    check = approval_topics(house.system.db)["approvals"]
    member = team.people["member"].tenant
    assert await check(member, "")
    assert await check(tenant, channel_id)
    assert not await check(member, channel_id)
    assert not await check(tenant, "nothing")


async def test_what_is_approved_is_sent_by_a_worker(another_house: Any) -> None:
    async with FakeSmtp() as server:
        sending = {"smtp_url": server.url, "smtp_from": "us@house.example"}
        async with another_house(**sending) as house:
            client = await house.api(await house.team())
            await client.put("/v1/send-policy", json={"hours_start": "00:00", "hours_end": "24:00"})
            made = await propose(client, to="worked@example.com")
            await client.post(f"/v1/approvals/{made['id']}/approve")
            await build_worker(house.system, house.services.relay).run_until_empty()
            after = (await client.get(f"/v1/approvals/{made['id']}")).json()
    assert (after["status"], after["attempt_log"][0]["outcome"]) == ("sent", "sent")
    # Other tests of this database left approved ones; each leaves once, too.
    assert [mail.recipients for mail in server.mails].count(["worked@example.com"]) == 1
