"""A process that dies between reserve and settle, by SIGKILL."""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tidings.ai.budget import list_budgets, set_budget
from tidings.ai.ledger import list_usage
from tidings.ai.sweep import settle_orphans

from factories.spending import expire_leases

SCRIPT = Path(__file__).with_name("caller_of_test_ai.py")
PATIENCE = 60


@pytest.mark.parametrize(
    ("sends", "settled"), [(True, Decimal("0.25")), (False, Decimal(0))], ids=["sent", "not sent"]
)
async def test_what_may_have_left_is_settled_in_full_and_the_rest_released(
    db, organization, database_url, superuser_url, sends, settled
):
    await set_budget(db, organization.tenant, "day", Decimal("0.25"))
    args = {
        "url": database_url,
        "organization": organization.organization_id,
        "user": organization.user_id,
        "sends": sends,
    }
    caller = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        msgspec.json.encode(args).decode(),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert await asyncio.wait_for(caller.stdout.readline(), PATIENCE) == b"reached\n"
    finally:
        caller.kill()
        await caller.wait()
    (day, _) = await list_budgets(db, organization.tenant)
    assert (day.settled, day.reserved) == (0, Decimal("0.25"))
    expire_leases(superuser_url)
    assert await settle_orphans(db) == 1
    (day, _) = await list_budgets(db, organization.tenant)
    assert (day.settled, day.reserved) == (settled, 0)
    recorded = await list_usage(db, organization.tenant, after=None, limit=10)
    assert [use.cost for use in recorded] == ([settled] if sends else [])
