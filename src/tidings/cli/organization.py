"""Which organization a command acts in."""

from tidings.base.errors import RowMissing
from tidings.base.text import check_text
from tidings.db.transaction import Database
from tidings.tenancy import organizations
from tidings.tenancy.organizations import FoundOrganization, ensure_default_organization


async def find_organization(db: Database, slug: str | None) -> FoundOrganization:
    """The organization with that slug, or the default one, which is made when it is missing.

    Raises `RowMissing` for a slug that no organization has.
    """
    if slug is None:
        return await ensure_default_organization(db)
    try:
        return await organizations.find_organization(db, check_text("organization", slug))
    except RowMissing:
        raise RowMissing(
            f"There is no organization {slug!r}; `tidings organizations add` makes one."
        ) from None
