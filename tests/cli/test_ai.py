"""`tidings ai` against a real database."""

import asyncio

import psycopg

from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database

from factories.spending import spend


def spend_as_owner(database_url: str, superuser_url: str, *costs: str) -> None:
    with psycopg.connect(superuser_url) as connection:
        found = connection.execute(
            "SELECT m.organization_id, m.user_id FROM tidings.organization_members AS m "
            "JOIN tidings.organizations AS o ON o.id = m.organization_id AND o.slug = 'default'"
        ).fetchone()
    assert found is not None

    async def calls() -> None:
        settings = Settings(database_url=database_url, pool_primary_min=1, _env_file=None)
        db = Database(primary_pool(settings, database_url))
        await db.open()
        await spend(db, Tenant(*found, "owner"), database_url, *costs)
        await db.close()

    asyncio.run(calls())


def test_the_switch(cli) -> None:
    assert cli("ai", "show", "--json").json == {
        "ai_mode": "provider", "engine": None, "redaction": False,
    }  # fmt: skip
    done = cli("ai", "switch", "local", "--redaction")
    assert done.code == 0
    assert "AI: local" in done.err
    assert "masked" in done.err
    assert cli("ai", "show", "--json").json["redaction"] is True
    assert cli("ai", "switch", "off", "--json").json["ai_mode"] == "off"
    chosen = cli("ai", "switch", "provider", "--engine", "Google:gemini-2.5-flash", "--json")
    assert chosen.json["engine"] == "google:gemini-2.5-flash"
    assert cli("ai", "switch", "provider", "--json").json["engine"] == "google:gemini-2.5-flash"
    assert cli("ai", "switch", "provider", "--engine", "none", "--json").json["engine"] is None
    assert cli("ai", "switch", "provider", "--engine", "nobody:x").code == 1
    assert cli("ai", "switch", "on").code == 2


def test_budgets(cli) -> None:
    assert cli("ai", "budget", "day", "5").code == 0
    day, month = cli("ai", "budget", "--json").json
    assert (day["amount"], month["amount"]) == ("5.000000", None)
    assert "5.000000" in cli("ai", "budget").out
    assert cli("ai", "budget", "day", "none", "--json").json[0]["amount"] is None
    for amount in ("five", "-1", "0.0000001"):
        assert cli("ai", "budget", "day", amount).code in (1, 2)


def test_usage_and_egress(cli, database_url: str, superuser_url: str) -> None:
    cli("ai", "show")  # makes the default organization
    spend_as_owner(database_url, superuser_url, "0.1", "0.2")
    assert [use["cost"] for use in cli("ai", "usage", "--json").json] == ["0.200000", "0.100000"]
    assert "0.200000" in cli("ai", "usage", "--limit", "1").out
    (left,) = cli("ai", "egress", "--limit", "1", "--json").json
    assert (left["destination"], left["redacted"]) == ("127.0.0.1:1", {"email": 2})
    assert "2 email" in cli("ai", "egress").out


def test_usage_is_summed_up(cli, database_url: str, superuser_url: str) -> None:
    cli("ai", "show")  # makes the default organization
    spend_as_owner(database_url, superuser_url, "0.1", "0.000002")
    totals = cli("ai", "usage", "--by", "day", "--json").json
    assert totals["total"]["cost"] == "0.100002"
    assert [each["cost"] for each in totals["by_day"]] == ["0.100002"]
    table = cli("ai", "usage", "--by", "operation").out
    assert "meetings.read_goals" in table
    assert "total" in table
    spanned = cli("ai", "usage", "--by", "engine", "--until", "2020-01-01", "--json").json
    assert (spanned["since"], spanned["by_engine"]) == ("2019-12-03", [])
    assert cli("ai", "usage", "--by", "week").code == 2
