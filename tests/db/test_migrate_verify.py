"""`verify`: nothing to say of a fresh schema, and every change to it named."""

from collections.abc import Iterator

import psycopg
import pytest

from conftest import TestCluster
from tidings.db.verify import (
    Difference,
    compare,
    expected_catalog,
    read_catalog,
    render_catalog,
    verify,
)


def test_a_fresh_schema_is_what_the_revisions_make(superuser_url: str) -> None:
    assert verify(superuser_url) == []


@pytest.mark.parametrize("role", ["database_url", "owner_url"])
def test_any_role_may_ask(request: pytest.FixtureRequest, role: str) -> None:
    assert verify(request.getfixturevalue(role)) == []


CHANGES = {
    "ALTER TABLE tidings.meetings DISABLE ROW LEVEL SECURITY": "table meetings",
    "ALTER TABLE tidings.meetings ADD extra text": "column meetings.extra",
    "ALTER TABLE tidings.meetings ALTER title TYPE varchar(9)": "column meetings.title",
    "ALTER TABLE tidings.meetings ALTER title DROP NOT NULL": "column meetings.title",
    "ALTER TABLE tidings.meetings ALTER language SET DEFAULT 'de'": "column meetings.language",
    "ALTER TABLE tidings.meetings DROP CONSTRAINT meetings_source_check":
        "constraint meetings.meetings_source_check",
    "DROP INDEX tidings.meetings_by_time": "index meetings_by_time",
    "CREATE INDEX more ON tidings.meetings (title)": "index more",
    "CREATE OR REPLACE FUNCTION tidings.is_service() RETURNS boolean LANGUAGE sql RETURN true":
        "function is_service()",
    "ALTER FUNCTION tidings.may_write() VOLATILE": "function may_write()",
    "ALTER TABLE tidings.kv_store DISABLE TRIGGER kv_stamp": "trigger kv_store.kv_stamp",
    "ALTER POLICY tenant_select ON tidings.meetings USING (true)": "policy meetings.tenant_select",
    "GRANT UPDATE ON tidings.jobs TO tidings_app": "grant table jobs to tidings_app",
    "GRANT SELECT ON tidings.jobs TO PUBLIC": "grant table jobs to PUBLIC",
    "GRANT EXECUTE ON FUNCTION tidings.protect(regclass) TO PUBLIC":
        "grant function protect(target regclass) to PUBLIC",
    "COMMENT ON TABLE tidings.meetings IS 'Other.'": "comment table tidings.meetings",
    "COMMENT ON FUNCTION tidings.now() IS NULL": "comment function tidings.now()",
    "CREATE TYPE tidings.mood AS ENUM ('good', 'bad')": "type mood",
    "CREATE VIEW tidings.seen AS SELECT 1 AS one": "view seen",
    "CREATE SEQUENCE tidings.more": "sequence more",
}  # fmt: skip


@pytest.fixture(scope="module")
def shared_url(cluster: TestCluster) -> Iterator[str]:
    """One database for all the changes, each of which is rolled back."""
    name = cluster.clone()
    yield cluster.url("postgres", name)
    cluster.drop(name)


@pytest.mark.parametrize(("change", "name"), CHANGES.items(), ids=CHANGES.values())
def test_each_change_is_named(shared_url: str, change: str, name: str) -> None:
    with psycopg.connect(shared_url) as connection:
        connection.execute(change.encode())
        found = list(compare(expected_catalog(), read_catalog(connection)))
        connection.rollback()
    assert name in [difference.name for difference in found]


def test_what_is_not_of_tidings_is_not_looked_at(superuser_url: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.theirs (id int)")
        connection.execute("COMMENT ON TABLE public.theirs IS 'Of somebody else.'")
    assert verify(superuser_url) == []


def test_a_difference_is_a_sentence() -> None:
    expected, found = {"a": "1", "b": "2"}, {"b": "3", "c": "4"}
    assert [difference.sentence for difference in compare(expected, found)] == [
        "a is missing; it should be: 1",
        "b was changed; it should be: 2; it is: 3",
        "c is not of any revision: 4",
    ]
    assert list(compare(expected, expected)) == []
    assert Difference("a", "1", None) in list(compare(expected, found))


def test_the_committed_catalog_reads_as_it_is_written() -> None:
    assert "role tidings_app" in expected_catalog()
    lines = render_catalog(expected_catalog()).splitlines()
    assert len(lines) == len(expected_catalog())
    assert lines == sorted(lines, key=lambda line: line.split(": ", 1)[0])
