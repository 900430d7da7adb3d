"""The organization's own version of a summary: saved over what was seen, undone, bounded."""

import asyncio

import psycopg
import pytest

from tidings.base.errors import InputInvalid, RoleForbidden, VersionStale
from tidings.db.transaction import Database
from tidings.engagement.editions import (
    LONGEST_LINE,
    EditedLine,
    latest_edition,
    save_edition,
    undo_edition,
)

from factories.organizations import Organization

DOMAIN = "acme.example"


def edited(text: str) -> list[EditedLine]:
    return [EditedLine("goals", "Ship it", text)]


async def test_nothing_was_saved_yet(db: Database, organization: Organization) -> None:
    assert await latest_edition(db, organization.tenant, DOMAIN) is None
    with pytest.raises(VersionStale):
        await undo_edition(db, organization.tenant, DOMAIN, 1)


async def test_the_newest_version_is_the_one_that_counts(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    assert await save_edition(db, tenant, DOMAIN, 0, edited("one")) == 1
    assert await save_edition(db, tenant, DOMAIN, 1, edited("two")) == 2
    edition = await latest_edition(db, tenant, DOMAIN)
    assert edition is not None
    assert (edition.version, edition.saved_by) == (2, "The Owner")
    line = edition.of("goals", "Ship it")
    assert line is not None
    assert line.text == "two"
    assert edition.of("risks", "Ship it") is None
    assert edition.of("goals", "Ship") is None
    assert await latest_edition(db, tenant, "other.example") is None


async def test_lines_without_an_edit_are_not_kept(db: Database, organization: Organization) -> None:
    lines = [
        EditedLine("goals", "a"),
        EditedLine("goals", "b", hidden=True),
        EditedLine("risks", "c", ""),
    ]
    await save_edition(db, organization.tenant, DOMAIN, 0, lines)
    edition = await latest_edition(db, organization.tenant, DOMAIN)
    assert edition is not None
    assert edition.lines == lines[1:]


@pytest.mark.parametrize("seen", [0, 1, 3, -1, 999_999_999])
async def test_who_saw_an_older_version_is_told(
    db: Database, organization: Organization, seen: int
) -> None:
    tenant = organization.tenant
    await save_edition(db, tenant, DOMAIN, 0, edited("one"))
    await save_edition(db, tenant, DOMAIN, 1, edited("two"))
    for act in (
        save_edition(db, tenant, DOMAIN, seen, edited("three")),
        undo_edition(db, tenant, DOMAIN, seen),
    ):
        with pytest.raises(VersionStale):
            await act
    edition = await latest_edition(db, tenant, DOMAIN)
    assert edition is not None
    assert edition.lines == edited("two")
    await undo_edition(db, tenant, DOMAIN, 2)
    back = await latest_edition(db, tenant, DOMAIN)
    assert back is not None
    assert back.lines == edited("one")


async def test_of_many_at_once_one_is_saved(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    saves = await asyncio.gather(
        *(save_edition(db, tenant, DOMAIN, 0, edited(str(n))) for n in range(8)),
        return_exceptions=True,
    )
    assert saves.count(1) == 1
    assert {type(each) for each in saves} == {int, VersionStale}


async def test_undo_brings_back_what_stood_before(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    await save_edition(db, tenant, DOMAIN, 0, edited("one"))
    await save_edition(db, tenant, DOMAIN, 1, edited("two"))
    assert await undo_edition(db, tenant, DOMAIN, 2) == 3
    edition = await latest_edition(db, tenant, DOMAIN)
    assert edition is not None
    assert edition.lines == edited("one")
    # Undoing is a change like any other, and can be undone.
    assert await undo_edition(db, tenant, DOMAIN, 3) == 4
    edition = await latest_edition(db, tenant, DOMAIN)
    assert edition is not None
    assert edition.lines == edited("two")


async def test_undoing_the_first_leaves_the_record_as_it_is(
    db: Database, organization: Organization
) -> None:
    await save_edition(db, organization.tenant, DOMAIN, 0, edited("one"))
    assert await undo_edition(db, organization.tenant, DOMAIN, 1) == 2
    edition = await latest_edition(db, organization.tenant, DOMAIN)
    assert edition is not None
    assert edition.lines == []


async def test_fifty_versions_are_kept(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    for seen in range(55):
        await save_edition(db, organization.tenant, DOMAIN, seen, edited(str(seen)))
    await save_edition(db, organization.tenant, "other.example", 0, edited("kept"))
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        cursor = await connection.execute(
            "SELECT count(*), min(version), max(version) FROM tidings.engagement_editions "
            "WHERE domain = %s",
            [DOMAIN],
        )
        assert await cursor.fetchone() == (50, 6, 55)


@pytest.mark.parametrize(
    "line",
    [
        EditedLine("goals", "a", "x" * (LONGEST_LINE + 1)),
        EditedLine("goals", "a", "nul\0"),
        EditedLine("goals", "nul\0", "b"),
        EditedLine("goals\ud800", "a", "b"),
        EditedLine("goals", "x" * 200_000, "b"),
    ],
)
async def test_text_that_cannot_be_kept_is_refused(
    db: Database, organization: Organization, line: EditedLine
) -> None:
    with pytest.raises(InputInvalid):
        await save_edition(db, organization.tenant, DOMAIN, 0, [line])
    assert await latest_edition(db, organization.tenant, DOMAIN) is None


async def test_viewers_read_and_strangers_see_nothing(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    await save_edition(db, organization.tenant, DOMAIN, 0, edited("one"))
    viewer = organization.acting("viewer")
    assert await latest_edition(db, viewer, DOMAIN) is not None
    with pytest.raises(RoleForbidden):
        await save_edition(db, viewer, DOMAIN, 1, edited("two"))
    assert await latest_edition(db, other_organization.tenant, DOMAIN) is None
    assert await save_edition(db, other_organization.tenant, DOMAIN, 0, edited("own")) == 1
