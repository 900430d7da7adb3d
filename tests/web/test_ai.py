"""AI over HTTP: settings, budgets, usage, and what left."""

import html
import re

from web.house import House, problem
from web.reading import follow, read, words_of

from factories.spending import spend


async def test_settings_are_read_and_changed_by_admins(house: House) -> None:
    team = await house.team()
    api = await house.api(team)
    plain = {"ai_mode": "provider", "engine": None, "redaction": False}
    assert (await api.get("/v1/ai/settings")).json() == plain
    changed = await api.put("/v1/ai/settings", json={"ai_mode": "local", "engine": "local"})
    assert changed.json() == {"ai_mode": "local", "engine": "local", "redaction": False}
    changed = await api.put("/v1/ai/settings", json={"redaction": True, "engine": None})
    assert changed.json() == {"ai_mode": "local", "engine": None, "redaction": True}
    refused = await api.put("/v1/ai/settings", json={"engine": "nobody:x"})
    problem(refused, 400, "engine_unknown")
    problem(await api.put("/v1/ai/settings", json={"ai_mode": "on"}), 400, "input_invalid")
    member = await house.api(team, "member")
    problem(await member.put("/v1/ai/settings", json={"redaction": False}), 403, "role_forbidden")
    logged = await house.sql(
        "SELECT actor_kind, target FROM tidings.audit_log "
        "WHERE organization_id = %s AND action = %s",
        team.organization_id, "ai.settings.change",
    )  # fmt: skip
    assert logged == [("key", f"organization:{team.organization_id}")] * 2


async def test_budgets_are_money_with_6_places(house: House) -> None:
    team = await house.team()
    api = await house.api(team)
    day, month = (await api.get("/v1/ai/budgets")).json()["items"]
    assert (day["period"], day["amount"], day["settled"]) == ("day", None, "0.000000")
    set_to = await api.put("/v1/ai/budgets/month", json={"amount": "25.5"})
    month = set_to.json()["items"][1]
    assert (month["period"], month["amount"]) == ("month", "25.500000")
    await spend(house.system.db, team.people["owner"].tenant, "postgresql://", "0.25")
    viewer = await house.api(team, "viewer")
    month = (await viewer.get("/v1/ai/budgets")).json()["items"][1]
    assert (month["settled"], month["reserved"]) == ("0.250000", "0.000000")
    problem(await api.put("/v1/ai/budgets/month", json={"amount": "-1"}), 400, "input_invalid")
    assert (await api.put("/v1/ai/budgets/year", json={"amount": "1"})).status_code == 400
    removed = await api.put("/v1/ai/budgets/month", json={"amount": None})
    assert removed.json()["items"][1]["amount"] is None


async def test_usage_and_egress_come_in_pages_newest_first(house: House) -> None:
    team = await house.team()
    api = await house.api(team)
    uses = await spend(house.system.db, team.people["owner"].tenant, "postgresql://", "1", "2", "3")
    for path, newest in (("usage", {"cost": "3.000000"}), ("egress", {"redacted": {"email": 2}})):
        first = (await api.get(f"/v1/ai/{path}?limit=2")).json()
        assert [item["id"] for item in first["items"]] == [str(uses[2].id), str(uses[1].id)]
        assert newest.items() <= first["items"][0].items()
        second = (await api.get(f"/v1/ai/{path}?limit=2&cursor={first['next_cursor']}")).json()
        assert [item["id"] for item in second["items"]] == [str(uses[0].id)]
        assert second["next_cursor"] is None
        problem(await api.get(f"/v1/ai/{path}?cursor=forged"), 400, "cursor_invalid")


async def test_usage_is_summed_up(house: House) -> None:
    team = await house.team()
    viewer = await house.api(team, "viewer")
    await spend(house.system.db, team.people["owner"].tenant, "postgresql://", "1", "0.000002")
    totals = (await viewer.get("/v1/ai/usage-totals")).json()
    assert totals["total"] == {
        "key": "",
        "calls": 2,
        "failed": 0,
        "prompt_tokens": 20,
        "completion_tokens": 2,
        "cached_tokens": 0,
        "cost": "1.000002",
    }
    assert [each["key"] for each in totals["by_operation"]] == ["meetings.read_goals"]
    assert [each["key"] for each in totals["by_engine"]] == ["openai:gpt-4o-mini"]
    assert [each["key"] for each in totals["by_day"]] == [totals["until"]]
    day = totals["until"]
    one = await viewer.get(f"/v1/ai/usage-totals?since={day}&until={day}")
    assert one.json()["total"] == totals["total"]
    for bad in ("since=2026-11-22&until=2026-11-21", "since=yesterday", "until=0001-01-01"):
        answer = await viewer.get(f"/v1/ai/usage-totals?{bad}")
        problem(answer, 400, "input_invalid")


async def test_the_page_shows_and_changes_what_ai_may_do(house: House) -> None:
    team = await house.team()
    admin = await house.browser(team, "admin")
    await spend(house.system.db, team.people["owner"].tenant, "postgresql://", *["0.5"] * 21)
    page = words_of(await admin.get("/settings/ai"))
    assert "21 calls in 30 days" in page
    assert "$10.50 in all, at most $10.50 a day" in page
    assert "meetings.read_goals $10.50" in page
    assert "127.0.0.1:1" in page
    assert "2 emails" in page
    saved = await admin.post(
        "/settings/ai", {"ai_mode": "local", "engine": "local", "redaction": "on"}
    )
    page = await follow(admin, saved)
    assert "It holds from the next call on." in page
    assert "checked" in page
    limited = await admin.post("/settings/ai/budget", {"period": "day", "amount": "21"})
    assert "The limit is 21 USD now." in await follow(admin, limited)
    assert "of $21" in words_of(await admin.get("/settings/ai"))
    next_page = re.search(r'href="(/settings/ai\?cursor=[^"]+)"', await read(admin, "/settings/ai"))
    assert next_page is not None
    assert "Back to the first" in await read(admin, html.unescape(next_page[1]))
    removed = await admin.post("/settings/ai/budget", {"period": "day", "amount": ""})
    assert "There is no limit now." in await follow(admin, removed)


async def test_the_page_says_what_is_wrong_and_is_for_admins(house: House) -> None:
    team = await house.team()
    admin = await house.browser(team, "admin")
    refused = await admin.post("/settings/ai", {"ai_mode": "provider", "engine": "nobody:x"})
    assert refused.status_code == 400
    assert 'value="nobody:x"' in refused.text
    assert "There is no engine of that name" in refused.text
    assert (await admin.post("/settings/ai", {"ai_mode": "on"})).status_code == 400
    for amount in ("much", "-1", "NaN"):
        refused = await admin.post("/settings/ai/budget", {"period": "day", "amount": amount})
        assert refused.status_code == 400
        assert "with at most 6 places" in refused.text
        assert f'value="{amount}"' in refused.text
    assert (await admin.post("/settings/ai/budget", {"period": "year"})).status_code == 400
    await admin.post("/settings/ai/budget", {"period": "month", "amount": "0"})
    assert "of $0" in words_of(await admin.get("/settings/ai"))
    member = await house.browser(team, "member")
    assert (await member.get("/settings/ai")).status_code == 403
    assert (await member.post("/settings/ai", {"ai_mode": "off"})).status_code == 403
    assert "/settings/ai" not in await read(member, "/")


async def test_metrics_tell_of_the_gateway(house: House) -> None:
    gateway, team = house.system.gateway, await house.team()
    gateway.breakers.of("openai")
    (use,) = await spend(house.system.db, team.people["owner"].tenant, "postgresql://", "0.5")
    await gateway.ledger.record(team.people["owner"].tenant, use)
    text = (await house.client().get("/metrics")).text
    assert 'tidings_ai_responses_total{outcome="hit"} 0.0' in text
    assert 'tidings_ai_calls_total{engine="openai:gpt-4o-mini",status="ok"} 1.0' in text
    assert 'tidings_ai_cost_usd_total{engine="openai:gpt-4o-mini"} 0.5' in text
    assert 'tidings_ai_breaker{provider="openai",state="closed"} 1.0' in text
    assert "tidings_ai_ledger_waiting 0.0" in text
