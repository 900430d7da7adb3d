"""Which organization a command acts in."""

import re

from tidings.base.errors import RowMissing
from tidings.base.ids import uuid7
from tidings.db.transaction import Database
from tidings.tenancy.organizations import FoundOrganization, ensure_default_organization, sql

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


async def find_organization(db: Database, slug: str | None) -> FoundOrganization:
    """The organization with that slug, or the default one, which is made when it is missing.

    Raises `RowMissing` for a slug that no organization has.
    """
    if slug is None:
        return await ensure_default_organization(db)
    missing = RowMissing(
        f"There is no organization {slug!r}; `tidings organizations add` makes one."
    )
    if not _SLUG.fullmatch(slug):
        raise missing
    params = {
        "id": uuid7(),
        "name": slug,
        "slug": slug,
        "owner_id": uuid7(),
        "owner_email": f"nobody-{uuid7()}@localhost",
        "owner_name": "",
        "password_hash": None,
    }
    # The only question that crosses organizations here makes what it does not find: the error
    # takes that back.
    async with db.system_transaction() as transaction:
        found = await transaction.one(sql.create_organization, params, row=FoundOrganization)
        if found.created:
            raise missing
    return found
