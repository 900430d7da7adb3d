"""Sums of what AI used: they add up, by the organization's own days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tidings.ai.usage import MOST_DAYS, UsageSum, UsageTotals, read_usage_totals, sql
from tidings.base import clock
from tidings.base.errors import InputInvalid
from tidings.db.transaction import Database

from factories.organizations import Organization

CALL = """INSERT INTO tidings.token_usage (organization_id, id, operation, engine, provider, model,
    prompt_version, prompt_tokens, completion_tokens, cached_tokens, estimated, cost, latency_ms,
    status, error, created_at)
VALUES (%s, gen_random_uuid(), %s, %s || ':x', %s, 'x', '0123456789ab', 100, 10, 5, false, %s, 1,
    %s, %s, %s)"""


@pytest.fixture
def use(superuser_url: str):
    def one(
        house: Organization,
        at: datetime,
        cost: str,
        operation: str = "a.b",
        provider: str = "openai",
        error: str | None = None,
    ) -> None:
        given = [house.organization_id, operation, provider, provider, cost]
        status = "ok" if error is None else "error"
        with psycopg.connect(superuser_url) as connection:
            connection.execute(CALL, [*given, status, error, at])

    return one


def figures(sums: list[UsageSum]) -> list[tuple[str, int, str]]:
    return [(each.key, each.calls, str(each.cost)) for each in sums]


async def test_sums_by_day_operation_and_engine_add_up(
    db: Database, organization: Organization, other_organization: Organization, use
) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    use(organization, noon, "0.000001")
    use(organization, noon, "0.5", "a.c", "anthropic", "no answer in time")
    use(organization, noon + timedelta(days=1), "0.25", "a.c")
    use(organization, noon + timedelta(days=2), "9")
    use(other_organization, noon, "7")
    totals = await read_usage_totals(
        db, organization.tenant, since=date(2026, 11, 20), until=date(2026, 11, 21)
    )
    assert figures(totals.by_day) == [("2026-11-20", 2, "0.500001"), ("2026-11-21", 1, "0.250000")]
    assert figures(totals.by_operation) == [("a.c", 2, "0.750000"), ("a.b", 1, "0.000001")]
    assert figures(totals.by_engine) == [
        ("anthropic:x", 1, "0.500000"),
        ("openai:x", 2, "0.250001"),
    ]
    assert totals.total == UsageSum("", 3, 1, 300, 30, 15, Decimal("0.750001"))


async def test_days_are_the_organizations_own(
    db: Database, organization: Organization, superuser_url: str, use
) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE tidings.organizations SET time_zone = 'Asia/Kathmandu'")
    use(organization, datetime(2026, 11, 20, 18, 14, tzinfo=UTC), "1")
    use(organization, datetime(2026, 11, 20, 18, 15, tzinfo=UTC), "2")
    day = date(2026, 11, 21)
    totals = await read_usage_totals(db, organization.tenant, since=day, until=day)
    assert figures(totals.by_day) == [("2026-11-21", 1, "2.000000")]


async def test_without_a_span_it_is_30_days_and_an_empty_one_sums_to_zero(
    db: Database, organization: Organization
) -> None:
    totals = await read_usage_totals(db, organization.tenant)
    assert (totals.until - totals.since).days == 29
    assert abs((totals.until - clock.now().date()).days) <= 1
    zero = UsageSum("", 0, 0, 0, 0, 0, Decimal("0.000000"))
    assert totals == UsageTotals(totals.since, totals.until, zero, [], [], [])


@pytest.mark.parametrize("days", [-1, MOST_DAYS])
async def test_a_span_that_cannot_be_is_refused(
    db: Database, organization: Organization, days: int
) -> None:
    until = date(2026, 11, 21)
    with pytest.raises(InputInvalid, match="less than 400 days"):
        await read_usage_totals(
            db, organization.tenant, since=until - timedelta(days=days), until=until
        )


@pytest.mark.new_database
async def test_a_span_is_read_by_index(
    organization: Organization, superuser_url: str, database_url: str
) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            CALL.split("VALUES")[0]
            + "SELECT %s, gen_random_uuid(), 'a.b', 'openai:x', 'openai', 'x', '0123456789ab', "
            "1, 1, 0, false, 1, 1, 'ok', NULL, now() - n * interval '1 hour' "
            "FROM generate_series(1, 20000) AS n",
            [organization.organization_id],
        )
        connection.execute("ANALYZE tidings.token_usage")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "SELECT set_config('tidings.organization_id', %s, true), "
            "set_config('tidings.role', 'owner', true)",
            [str(organization.organization_id)],
        )
        statement = sql.usage_totals.sql
        plan = str(connection.execute(f"EXPLAIN {statement}", {
            "since": None, "until": None, "days": 30, "most": MOST_DAYS,
        }).fetchall())  # fmt: skip
    assert "token_usage_by_time" in plan
    assert "Seq Scan on token_usage" not in plan


@pytest.mark.parametrize("year", [1, 1969, 3000, 9999])
async def test_a_day_that_no_calendar_span_holds_is_refused(
    db: Database, organization: Organization, year: int
) -> None:
    for span in ({"since": date(year, 1, 1)}, {"until": date(year, 12, 31)}):
        with pytest.raises(InputInvalid, match="1970 to 2999"):
            await read_usage_totals(db, organization.tenant, **span)
