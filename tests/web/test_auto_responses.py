"""Auto-responses over HTTP and as pages."""

import re
from typing import Any
from uuid import UUID

import pytest

from tidings.base import clock
from tidings.base.ids import uuid7
from tidings.queue.enqueue import NewJob, enqueue
from tidings.replies.consider import KIND, Args
from tidings.replies.sample import load_replies_sample
from tidings.wiring import build_worker
from web.house import Browser, House, Team, problem

from factories.channels import add_messages, make_channel

RULE = {
    "name": "Invoices",
    "trigger_conditions": {"keywords": ["invoice"]},
    "response_template": "Thank you, {sender_name}.",
}
FORM = {
    "name": "Invoices",
    "rule_type": "rule_based",
    "enabled": "on",
    "response_template": "Thank you, {sender_name}.",
    "action": "draft",
    "cooldown": "3600",
    "priority": "5",
    "timezone": "Europe/Oslo",
    "keywords": "invoice, paid\r\npast due",
    "keyword_mode": "words",
    "senders": "@a.example, b@c.example",
    "start": "18:00",
    "end": "08:00",
    "days": ["1", "2"],
    "business_hours": "inside",
    "holidays": "dates",
    "holiday_dates": "2026-12-24",
    "sentiment": ["negative", "neutral"],
    "language": "EN, de",
}


async def said(house: House, team: Team, *messages: tuple[str, str]) -> tuple[UUID, list[UUID]]:
    """A channel of the owner with messages that came in now."""
    owner = team.people["owner"].tenant
    channel_id = await make_channel(house.system.db, owner)
    ids = await add_messages(house.system.db, owner, channel_id, messages, start=clock.now())
    return channel_id, ids


async def consider(house: House, team: Team, channel_id: UUID, position: int) -> None:
    async with house.system.db.tenant_batch(team.people["owner"].tenant) as batch:
        enqueue(batch, NewJob(kind=KIND, args=Args(channel_id, position)))
    await build_worker(house.system, house.services.relay).run_until_empty()


async def test_a_rules_life(house: House, team: Team, client: Any) -> None:
    answer = await client.post("/v1/auto-responses", json=RULE | {"priority": 3})
    assert answer.status_code == 201
    made = answer.json()
    assert made["trigger_conditions"] == {"keywords": ["invoice"]}
    assert (made["action"], made["cooldown"], made["version"]) == ("draft", 3600, 1)
    address = f"/v1/auto-responses/{made['id']}"
    read = await client.get(address)
    assert read.json() == made
    assert read.headers["etag"] == '"1"'
    changed = RULE | {"name": "Bills", "rule_type": "out_of_office", "until": "2026-12-31"}
    stale = {"if-match": '"9"'}
    problem(await client.put(address, json=changed, headers=stale), 412, "version_stale")
    answer = await client.put(address, json=changed, headers={"if-match": '"1"'})
    assert (answer.json()["until"], answer.headers["etag"]) == ("2026-12-31", '"2"')
    problem(await client.delete(address, headers={"if-match": '"1"'}), 412, "version_stale")
    assert (await client.delete(address, headers={"if-match": '"2"'})).status_code == 204
    problem(await client.get(address), 404, "not_found")
    problem(await client.put(address, json=changed), 404, "not_found")


async def test_what_is_refused(client: Any) -> None:
    same = {"timeRange": {"start": "09:00", "end": "09:00"}}
    for change, field in (
        ({"trigger_conditions": same}, "trigger_conditions.timeRange.end"),
        ({"trigger_conditions": {"color": "red"}}, "trigger_conditions.color"),
        ({"response_template": "Hi {nobody}"}, "response_template"),
        ({"id": "x"}, "id"),
    ):
        body = problem(
            await client.post("/v1/auto-responses", json=RULE | change), 400, "input_invalid"
        )
        assert [each["field"] for each in body["errors"]] == [field]


async def test_channels_out_of_sight_are_refused_by_name(
    house: House, team: Team, other: Team, client: Any
) -> None:
    db, owner = house.system.db, team.people["owner"].tenant
    mine, theirs = await make_channel(db, owner), (await said(house, other))[0]

    def body(*channels: UUID) -> dict[str, Any]:
        return RULE | {"trigger_conditions": {"channels": [str(each) for each in channels]}}

    answer = await client.post("/v1/auto-responses", json=body(mine))
    assert answer.status_code == 201
    made = answer.json()["id"]
    for unseen in (theirs, uuid7()):
        for refused in (
            await client.post("/v1/auto-responses", json=body(mine, unseen)),
            await client.put(f"/v1/auto-responses/{made}", json=body(unseen)),
        ):
            (error,) = problem(refused, 400, "input_invalid")["errors"]
            assert error["field"] == "trigger_conditions.channels"
            assert str(unseen) in error["message"]
            assert "leave it out" in error["message"]
    ((stored, version),) = await house.sql(
        "SELECT trigger_conditions -> 'channels', version FROM tidings.message_auto_responses"
        " WHERE organization_id = %s",
        team.organization_id,
    )
    assert (stored, version) == ([str(mine)], 1)
    browser = await house.browser(team)
    shown = await browser.post("/rules", FORM | {"channels": [str(theirs)]})
    assert shown.status_code == 400
    assert f"It names {theirs}, which is no channel that you see" in shown.text
    # One that it named already stays, so that nobody has to take it out of a rule to save it.
    await house.sql("DELETE FROM tidings.channels WHERE id = %s", mine)
    kept = await client.put(f"/v1/auto-responses/{made}", json=body(mine))
    assert kept.status_code == 200, kept.text


async def test_a_cursor_of_the_log_is_for_what_was_asked(
    house: House, team: Team, client: Any
) -> None:
    await client.post("/v1/auto-responses", json=RULE)
    channel_id, _ = await said(house, team, ("Bo", "invoice"), ("Ana", "invoice"))
    await consider(house, team, channel_id, 2)
    path = "/v1/auto-responses/log?limit=1"
    cursor = (await client.get(f"{path}&outcome=drafted")).json()["next_cursor"]
    again = await client.get(f"{path}&outcome=drafted&cursor={cursor}")
    assert len(again.json()["items"]) == 1
    for changed in ("", "&outcome=sent"):
        problem(await client.get(f"{path}{changed}&cursor={cursor}"), 400, "cursor_invalid")


async def test_order_and_filter(house: House, team: Team, client: Any) -> None:
    channel_id, _ = await said(house, team)
    conditions = {"channels": [str(channel_id)]}
    first = (await client.post("/v1/auto-responses", json=RULE)).json()["id"]
    second = (
        await client.post("/v1/auto-responses", json=RULE | {"trigger_conditions": conditions})
    ).json()["id"]

    async def listed(query: str = "") -> list[str]:
        items = (await client.get(f"/v1/auto-responses{query}")).json()["items"]
        return [item["id"] for item in items]

    assert await listed() == [first, second]
    assert await listed(f"?channel_id={channel_id}") == [second]
    ordered = await client.post("/v1/auto-responses/reorder", json={"ids": [second, first]})
    assert [item["id"] for item in ordered.json()["items"]] == [second, first]
    assert await listed() == [second, first]
    for ids in ([second], [second, first, first], [second, str(channel_id)]):
        answer = await client.post("/v1/auto-responses/reorder", json={"ids": ids})
        problem(answer, 412, "version_stale")
    assert await listed() == [second, first]


async def test_a_hundred_rules_and_no_more(house: House, team: Team, client: Any) -> None:
    owner = team.people["owner"].tenant
    await house.sql(
        "INSERT INTO tidings.message_auto_responses (organization_id, id, user_id, name, rule_type,"
        " response_template) SELECT %s, gen_random_uuid(), %s, 'x', 'template', 'x'"
        " FROM generate_series(1, 100)",
        owner.organization_id,
        owner.user_id,
    )
    problem(await client.post("/v1/auto-responses", json=RULE), 409, "state_conflict")
    browser = await house.browser(team)
    answer = await browser.post("/rules", FORM)
    assert answer.status_code == 409
    assert "You have 100 rules already" in answer.text


async def test_explaining(house: House, team: Team, client: Any) -> None:
    _, (asked, other) = await said(house, team, ("Bo", "My invoice?"), ("Ana", "Hello"))
    made = (await client.post("/v1/auto-responses", json=RULE)).json()["id"]
    await client.post(
        "/v1/auto-responses",
        json={"name": "All", "rule_type": "smart_reply", "priority": -1},
    )

    async def explain(**body: Any) -> dict[str, Any]:
        answer = await client.post("/v1/auto-responses/test", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    found = await explain(message_id=str(asked))
    assert (found["winner"], found["winner_name"]) == (made, "Invoices")
    assert (found["reply"], found["stopped"]) == ("Thank you, Bo.", None)
    assert [(rule["name"], rule["matches"]) for rule in found["rules"]] == [
        ("Invoices", True),
        ("All", True),
    ]
    assert found["rules"][0]["conditions"] == [
        {"kind": "keywords", "holds": True, "why": "“invoice” is in it"}
    ]
    assert len((await explain(message_id=str(other)))["proposals"]) >= 2
    inline = {"body": "invoice", "automatic": "list"}
    assert (await explain(message=inline))["stopped"]["guard"] == "automatic"
    tried = await explain(message={"body": "x"}, rule=RULE, at="2026-03-02T12:00:00Z")
    assert (tried["winner"], tried["reply"], tried["at"]) == (None, None, "2026-03-02T12:00:00Z")
    assert (await client.get("/v1/auto-responses/log")).json()["items"] == []


async def test_what_cannot_be_explained(house: House, team: Team, other: Team, client: Any) -> None:
    channel_id, (message_id,) = await said(house, other, ("Bo", "Hello"))
    for body in (
        {"message_id": str(message_id)},
        {"message": {"body": "x", "channel_id": str(channel_id)}},
    ):
        problem(await client.post("/v1/auto-responses/test", json=body), 404, "not_found")
    for body in (
        {},
        {"message_id": str(message_id), "message": {"body": "x"}},
        {"message": {"body": "x"}, "at": "2026-03-02T12:00:00"},
        {"message": {"body": "x"}, "at": "0001-01-01T00:00:00Z"},
        {"message": {"body": "x"}, "at": "9999-12-31T23:59:59Z"},
        {"message": {"body": "x" * 20_001}},
        {"message": {"body": "x"}, "rule": {"name": ""}},
    ):
        problem(await client.post("/v1/auto-responses/test", json=body), 400, "input_invalid")
    colleague = await house.api(team, "member")
    _, (mine,) = await said(house, team, ("Bo", "Hello"))
    for path in (f"/v1/messages/{mine}/smart-replies", f"/v1/messages/{message_id}/smart-replies"):
        problem(await colleague.post(path), 404, "not_found")


async def test_smart_replies(house: House, team: Team, client: Any) -> None:
    _, (_, message_id) = await said(house, team, ("Ana", "Hi"), ("Bo", "What does it cost?"))
    answer = (await client.post(f"/v1/messages/{message_id}/smart-replies")).json()
    assert (answer["message_id"], answer["engine"]) == (str(message_id), "local")
    assert 2 <= len(answer["answers"]) <= 3


async def test_log_and_analytics(house: House, team: Team, client: Any, browser: Browser) -> None:
    await client.post("/v1/auto-responses", json=RULE | {"action": "send", "ai_customize": True})
    messages = [("Bo", "invoice"), ("Bo", "invoice again"), ("Ana", "no"), ("Kim", "invoice")]
    channel_id, _ = await said(house, team, *messages)
    await consider(house, team, channel_id, 4)
    first = (await client.get("/v1/auto-responses/log?limit=2")).json()
    rest = (
        await client.get(f"/v1/auto-responses/log?limit=2&cursor={first['next_cursor']}")
    ).json()
    entries = first["items"] + rest["items"]
    assert rest["next_cursor"] is None
    assert sorted((e["sender_id"], e["outcome"], e["guard"]) for e in entries) == [
        ("Bo", "sent", None),
        ("Bo", "stopped", "covered"),
        ("Kim", "sent", None),
    ]
    sent = [entry for entry in entries if entry["outcome"] == "sent"]
    assert {entry["approval_status"] for entry in sent} <= {"approved", "pending", "cancelled"}
    stopped = (await client.get("/v1/auto-responses/log?outcome=stopped")).json()["items"]
    assert len(stopped) == 1
    of_rule = await client.get(f"/v1/auto-responses/log?rule_id={entries[0]['rule_id']}")
    assert len(of_rule.json()["items"]) == 3
    found = (await client.get("/v1/auto-responses/analytics?days=7")).json()
    assert found["totals"] == {
        "matched": 3, "drafted": 0, "sent": 2, "proposed": 0, "stopped": 1, "ai_customized": 0,
    }  # fmt: skip
    assert (found["ai_rate"], found["by_guard"], len(found["by_day"])) == (0, {"covered": 1}, 7)
    # Since they were sent, another day may have begun.
    assert sum(day["sent"] for day in found["by_day"][-2:]) == found["by_rule"][0]["sent"] == 2
    colleague = await house.api(team, "admin")
    assert (await colleague.get("/v1/auto-responses/log")).json()["items"] == []
    for page in ("/rules/log", "/rules/log?outcome=sent", "/rules/analytics?days=7", "/rules"):
        answer = await browser.get(page)
        assert answer.status_code == 200
        assert "Invoices" in answer.text
    assert "One reply answers several" in (await browser.get("/rules/log")).text


async def test_the_pages_of_a_rule(house: House, team: Team, browser: Browser) -> None:
    channel_id, _ = await said(house, team, ("Bo", "My invoice?"))
    assert "No rules yet" in (await browser.get("/rules")).text
    saved = await browser.post("/rules", FORM | {"channels": [str(channel_id)]})
    assert saved.headers["location"] == "/rules"
    ((rule_id, conditions),) = await house.sql(
        "SELECT id, trigger_conditions FROM tidings.message_auto_responses"
        " WHERE organization_id = %s",
        team.organization_id,
    )
    assert conditions == {
        "keywords": ["invoice, paid", "past due"],
        "senders": ["@a.example", "b@c.example"],
        "channels": [str(channel_id)],
        "timeRange": {"start": "18:00", "end": "08:00", "timezone": None, "days": [1, 2]},
        "business_hours": "inside",
        "holidays": ["2026-12-24"],
        "sentiment": ["neutral", "negative"],
        "language": ["en", "de"],
    }
    page = await browser.get(f"/rules/{rule_id}")
    assert "invoice, paid\npast due" in page.text
    listed = (await browser.get("/rules")).text
    assert (
        "“invoice, paid” or “past due” in it; from @a.example or b@c.example; in Support" in listed
    )
    assert "18:00–08:00 Europe/Oslo Mon, Tue; inside business hours; on 24 Dec 2026" in listed
    stale = await browser.post(f"/rules/{rule_id}", FORM | {"version": "9"})
    assert stale.status_code == 412
    assert "changed in another place" in stale.text
    wrong = await browser.post(f"/rules/{rule_id}", FORM | {"version": "1", "end": "18:00"})
    assert wrong.status_code == 400
    assert "It must differ from start." in wrong.text
    better = FORM | {"version": "1", "name": "Bills", "holidays": "on", "start": "", "end": ""}
    assert (await browser.post(f"/rules/{rule_id}", better)).status_code == 303
    await browser.post(f"/rules/{rule_id}/switch", {"enabled": ""})
    assert "Turn on Bills" in (await browser.get("/rules")).text
    assert (await browser.post(f"/rules/{rule_id}/delete")).status_code == 303
    assert "No rules yet" in (await browser.get("/rules")).text


async def test_a_rule_for_a_channel_out_of_sight_is_not_saved_as_one_for_all(
    house: House, team: Team, browser: Browser
) -> None:
    channel_id, _ = await said(house, team, ("Bo", "My invoice?"))
    await browser.post("/rules", FORM | {"channels": [str(channel_id)]})
    await house.sql("UPDATE tidings.channels SET archived_at = now() WHERE id = %s", channel_id)
    of_team = "WHERE organization_id = %s"
    ((rule_id,),) = await house.sql(
        f"SELECT id FROM tidings.message_auto_responses {of_team}", team.organization_id
    )
    shown = (await browser.get(f"/rules/{rule_id}")).text
    assert f'name="channels" value="{channel_id}" checked' in shown
    assert "a channel out of sight" in shown
    assert "in a channel out of sight" in (await browser.get("/rules")).text


@pytest.mark.parametrize(
    "change",
    [
        {"rule_type": "magic"},
        {"priority": "high"},
        {"from": "tomorrow", "rule_type": "out_of_office"},
        {"channels": "here"},
        {"holidays": "dates", "holiday_dates": "soon"},
        {"name": ""},
    ],
)
async def test_a_form_that_makes_no_rule(browser: Browser, change: dict[str, str]) -> None:
    answer = await browser.post("/rules", FORM | change)
    assert answer.status_code == 400
    assert answer.text.count('class="field-error"') == 1


async def test_what_is_rarely_needed_is_folded_away_where_it_is_empty(browser: Browser) -> None:
    def folds(page: str) -> list[bool]:
        return ["open" in each for each in re.findall('<details class="more"([^>]*)>', page)]

    plain = {name: FORM[name] for name in ("name", "rule_type", "action", "cooldown")}
    plain |= {"keyword_mode": "words", "response_template": "Hi!", "timezone": "UTC"}
    assert folds((await browser.get("/rules/new")).text) == [False] * 3
    for field, text, opened in (
        ("end", "08:00", [True, False, False]),
        ("timezone", "Europe/Oslo", [True, False, False]),
        ("sentiment", "negative", [False, True, False]),
        ("priority", "high", [False, False, True]),
        ("priority", "0", [False, False, False]),
    ):
        answer = await browser.post("/rules", plain | {"name": "", field: text})
        assert answer.status_code == 400
        assert folds(answer.text) == opened, field
    kept = (await browser.post("/rules", FORM | {"name": ""})).text
    assert folds(kept) == [True] * 3
    assert 'value="18:00"' in kept


async def test_moving(house: House, team: Team, browser: Browser) -> None:
    await load_replies_sample(house.system.db, team.people["owner"].tenant)
    await load_replies_sample(house.system.db, team.people["owner"].tenant)

    async def ids() -> list[str]:
        rows = await house.sql(
            "SELECT id FROM tidings.message_auto_responses WHERE organization_id = %s"
            " ORDER BY priority DESC, created_at, id",
            team.organization_id,
        )
        return [str(each) for (each,) in rows]

    a, b, c, d = await ids()
    listed = (await browser.get("/rules")).text
    assert "every message" in listed
    assert "away " in listed
    moved = await browser.post(f"/rules/{b}/move", {"to": "up"})
    assert await ids() == [b, a, c, d]
    assert moved.headers["location"] == f"/rules#down-{b}"  # it cannot go up any more
    await browser.post(f"/rules/{b}/move", {"to": "up"})
    await browser.post(f"/rules/{b}/move", {"to": "down"})
    assert await ids() == [a, b, c, d]
    await browser.post("/rules/order", {"ids": f"{d},{c},{b},{a}"})
    assert await ids() == [d, c, b, a]
    assert (await browser.post("/rules/order", {"ids": f"{a},{b}"})).status_code == 303
    assert "made or removed meanwhile" in (await browser.get("/rules")).text
    assert await ids() == [d, c, b, a]
    assert (await browser.post("/rules/order", {"ids": "x"})).status_code == 400
    assert (await browser.get("/rules/new")).status_code == 200


async def test_trying_a_rule(house: House, team: Team, browser: Browser) -> None:
    empty = await browser.post("/rules/try", FORM)
    assert "Nothing came into your channels yet." in empty.text
    await said(house, team, ("Bo", "My invoice?"), ("list", "My invoice?"), ("Ana", "Hello"))
    await house.sql("UPDATE tidings.messages SET automatic = 'list' WHERE sender_id = 'list'")
    plain = {name: FORM[name] for name in ("name", "rule_type", "action", "cooldown")}
    form = plain | {"keyword_mode": "words", "keywords": "invoice", "response_template": "Hi!"}
    page = await browser.post("/rules/try", form)
    assert page.status_code == 200
    assert "<h1>New rule</h1>" in page.text
    for word in ("would answer", "stopped", "does not match", "Hi!"):
        assert word in page.text
    live = {"hx-request": "true", "x-csrftoken": browser.csrf}
    fragment = await browser.client.post("/rules/try", data=form, headers=live)
    assert "<h1>" not in fragment.text
    assert "would answer" in fragment.text
    wrong = await browser.client.post("/rules/try", data=form | {"name": ""}, headers=live)
    assert "It is empty." in wrong.text
    assert (await browser.post("/rules/try", form | {"name": ""})).status_code == 400
    assert (await browser.post("/rules/try", form | {"rule_id": "x"})).status_code == 400
    nothing = await house.sql(
        "SELECT 1 FROM tidings.message_auto_responses WHERE organization_id = %s",
        team.organization_id,
    )
    assert nothing == []
