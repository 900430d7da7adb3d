"""Lists and checks are found by an index, however much there is beside them."""

import psycopg
import pytest

from tidings.db.queries import load_queries

sql = load_queries("tidings.approvals")
PAGE = {"status": None, "channel": None, "before": None, "limit": 26}
LIST = {"value": None, "before_at": None, "before_kind": None, "before_value": None, "limit": 26}
FILL = """
    INSERT INTO tidings.approvals (organization_id, id, type, channel, recipient, content, status)
    SELECT %s, tidings.uuid7(), 'message', CASE WHEN n %% 100 = 1 THEN 'sms' ELSE 'chat' END, 'bo',
        'Hello', CASE WHEN n %% 100 = 0 THEN 'pending' ELSE 'expired' END
    FROM generate_series(1, 5000) AS n"""
UNWANTED = """
    INSERT INTO tidings.do_not_contact (organization_id, kind, value)
    SELECT %s, 'handle', 'bo' || n FROM generate_series(1, 5000) AS n"""
ANSWERED = """
    SELECT FROM tidings.messages AS o WHERE o.organization_id = tidings.current_organization()
    AND o.channel_id = gen_random_uuid() AND o.direction = 'out' AND o.automatic IS NULL
    AND o.sent_at >= now()"""


@pytest.fixture
def plan_of(superuser_url, organization):
    """The plan of a statement for the organization's service, where nothing may be scanned."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "SELECT set_config('tidings.organization_id', %s, true), "
            "set_config('tidings.user_id', %s, true), set_config('tidings.role', 'service', true)",
            [str(organization.organization_id), str(organization.user_id)],
        )
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(FILL, [organization.organization_id])
        connection.execute(UNWANTED, [organization.organization_id])
        connection.execute("ANALYZE tidings.approvals, tidings.do_not_contact")
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")

        def plan_of(statement, params=None):
            rows = connection.execute(f"EXPLAIN {statement}", params).fetchall()
            return "\n".join(line for (line,) in rows)

        yield plan_of


def test_lists_use_their_indexes(plan_of):
    assert "approvals_pkey" in plan_of(sql.list_approvals.sql, PAGE)
    pending = plan_of(sql.list_approvals.sql, PAGE | {"status": "pending"})
    assert "approvals_by_status" in pending
    assert "approvals_by_way" in plan_of(sql.list_approvals.sql, PAGE | {"channel": "sms"})
    entries = plan_of(sql.list_do_not_contact.sql, LIST)
    assert "do_not_contact_by_time" in entries
    assert "Sort" not in entries
    assert "do_not_contact_pkey" in plan_of(sql.list_do_not_contact.sql, LIST | {"value": "bo"})
    assert "messages_of_people_out" in plan_of(ANSWERED)
