"""AI over HTTP: settings, budgets, usage, and what left."""

from web.house import House, problem

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


async def test_metrics_tell_of_the_gateway(house: House) -> None:
    house.system.gateway.breakers.of("openai")
    text = (await house.client().get("/metrics")).text
    assert 'tidings_ai_responses_total{outcome="hit"} 0.0' in text
    assert 'tidings_ai_breaker{provider="openai",state="closed"} 1.0' in text
    assert "tidings_ai_ledger_waiting 0.0" in text
