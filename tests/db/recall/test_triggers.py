"""Whatever changes a table that is remembered says so in the outbox, in the same transaction."""

import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import tuple_row

from tidings.base.ids import uuid7
from tidings.db.queries import Query

ADD_COMPANY = Query(
    "add_company",
    "Adds a company.",
    "INSERT INTO tidings.companies (organization_id, domain, last_meeting_at) "
    "VALUES (tidings.current_organization(), 'acme.example', tidings.now())",
)

HEAD = (
    "INSERT INTO tidings.meetings (organization_id, id, source, external_id, title, started_at, "
    "content_hash, item_hash) "
)


@pytest_asyncio.fixture
async def writer(superuser_url, organization, other_organization):
    """A connection that changes tables by hand; `drops` reads what was said of it."""
    connection = await psycopg.AsyncConnection.connect(
        superuser_url, autocommit=True, row_factory=tuple_row
    )
    yield connection
    await connection.close()


async def drops(connection):
    """The tags that were dropped since the last look, by organization."""
    read = await connection.execute(
        "WITH gone AS (DELETE FROM tidings.outbox WHERE topic = 'recall' AND event = 'drop' "
        "RETURNING serial, organization_id, payload) "
        "SELECT organization_id, payload FROM gone ORDER BY serial"
    )
    return [(organization, sorted(tags)) for organization, tags in await read.fetchall()]


async def add_meetings(connection, organization, count=1):
    ids = [uuid7() for _ in range(count)]
    await connection.execute(
        HEAD
        + "SELECT %s, id, 'api', id::text, 'Call', now(), '', '' FROM unnest(%s::uuid[]) AS id",
        [organization.organization_id, ids],
    )
    return ids


async def test_each_kind_of_change_names_the_row(writer, organization):
    (one,) = await add_meetings(writer, organization)
    said = [(organization.organization_id, [f"meeting:{one}"])]
    assert await drops(writer) == said
    await writer.execute("UPDATE tidings.meetings SET title = 'Other'")
    assert await drops(writer) == said
    await writer.execute("DELETE FROM tidings.meetings")
    assert await drops(writer) == said
    await writer.execute("UPDATE tidings.meetings SET title = 'Nobody'")
    assert await drops(writer) == []


async def test_a_changed_key_names_the_old_and_the_new(writer, organization):
    (one,) = await add_meetings(writer, organization)
    other = uuid7()
    await drops(writer)
    await writer.execute("UPDATE tidings.meetings SET id = %s", [other])
    assert await drops(writer) == [
        (organization.organization_id, sorted([f"meeting:{one}", f"meeting:{other}"]))
    ]


async def test_a_part_names_the_whole_that_it_belongs_to(writer, organization):
    (one,) = await add_meetings(writer, organization)
    await drops(writer)
    said = [(organization.organization_id, [f"meeting:{one}"])]
    await writer.execute(
        "INSERT INTO tidings.meeting_segments (organization_id, meeting_id, id, position, text, "
        "search) SELECT organization_id, id, tidings.uuid7(), n, 'said', '' "
        "FROM tidings.meetings, generate_series(1, 50) AS n"
    )
    assert await drops(writer) == said
    await writer.execute(
        "INSERT INTO tidings.meeting_invitees (organization_id, meeting_id, position) "
        "SELECT organization_id, id, 1 FROM tidings.meetings"
    )
    assert await drops(writer) == said
    await writer.execute("DELETE FROM tidings.meetings")
    assert await drops(writer) == said * 3  # the meeting, its invitees, its segments


async def test_many_at_once_are_their_family(writer, organization):
    await add_meetings(writer, organization, 200)
    assert len((await drops(writer))[0][1]) == 200
    await add_meetings(writer, organization, 201)
    assert await drops(writer) == [(organization.organization_id, ["meeting"])]


async def test_a_table_without_a_key_is_one_tag(writer, organization):
    await writer.execute(
        "INSERT INTO tidings.companies (organization_id, domain, last_meeting_at) "
        "SELECT %s, n || '.example', now() FROM generate_series(1, 3) AS n",
        [organization.organization_id],
    )
    assert await drops(writer) == [(organization.organization_id, ["companies"])]


async def test_each_organization_is_told_of_its_own(writer, organization, other_organization):
    mine = await add_meetings(writer, organization)
    theirs = await add_meetings(writer, other_organization)
    await drops(writer)
    await writer.execute("UPDATE tidings.meetings SET title = 'Both'")
    assert sorted(await drops(writer)) == sorted(
        [
            (organization.organization_id, [f"meeting:{mine[0]}"]),
            (other_organization.organization_id, [f"meeting:{theirs[0]}"]),
        ]
    )


async def test_what_goes_with_its_organization_needs_no_word(writer, organization):
    await add_meetings(writer, organization)
    await writer.execute("DELETE FROM tidings.outbox")
    await writer.execute(
        "DELETE FROM tidings.organizations WHERE id = %s", [organization.organization_id]
    )
    assert await drops(writer) == []


async def test_an_emptied_table_is_told_to_all(writer, organization, other_organization):
    await writer.execute("TRUNCATE tidings.companies")
    assert sorted(await drops(writer)) == sorted(
        (house.organization_id, ["companies"]) for house in (organization, other_organization)
    )


async def test_what_is_rolled_back_is_not_told(writer, organization):
    async with writer.transaction(force_rollback=True):
        await add_meetings(writer, organization)
    assert await drops(writer) == []


@pytest.mark.parametrize("role", ["member", "service"])
async def test_the_service_may_write_what_is_remembered(db, organization, writer, role):
    async with db.tenant_transaction(organization.acting(role)) as transaction:
        await transaction.execute(ADD_COMPANY)
    assert await drops(writer) == [(organization.organization_id, ["companies"])]
