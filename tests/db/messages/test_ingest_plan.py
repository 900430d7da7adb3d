"""What is known of a batch is looked up by index, also in the first minute of a table."""

import psycopg
import pytest

from tidings.messages.ingest import sql

from factories.channels import add_messages, make_channel


@pytest.mark.new_database  # in a used one the server may gather statistics at any time
async def test_without_statistics_no_batch_reads_the_whole_channel(db, organization, database_url):
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    await add_messages(db, tenant, channel_id, [("Ana", "Hello")] * 3000)
    names = [f"new-{n}" for n in range(1000)]
    params = {"channel_id": channel_id, "messages": names, "threads": names}
    who = {"organization_id": tenant.organization_id, "user_id": tenant.user_id, "role": "owner"}
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for name, value in who.items():
            await connection.execute(
                "SELECT set_config(%s, %s, true)", [f"tidings.{name}", str(value)]
            )
        found = await connection.execute("EXPLAIN (COSTS OFF) " + sql.known_messages.sql, params)
        plan = "\n".join(line for (line,) in await found.fetchall())
    for table in ("messages", "threads"):
        assert f"{table}_organization_id_external_id_channel_id_key" in plan, plan
        assert f"Seq Scan on {table}" not in plan, plan
