"""`tidings organizations`: another tenant in the same database."""

from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import App, Parameter

from tidings.base.errors import StateConflict
from tidings.cli.output import Json, print_json, say
from tidings.cli.session import open_session
from tidings.tenancy.organizations import create_organization

app = App(name="organizations", help="Make organizations beside the default one.")


class AddedOrganization(msgspec.Struct, frozen=True):
    """What `tidings organizations add --json` prints."""

    organization_id: UUID
    slug: str
    owner_id: UUID


@app.command
async def add(
    slug: Annotated[str, Parameter(help="Small letters, digits and hyphens.")],
    /,
    *,
    owner: Annotated[str, Parameter(help="E-mail address of its first owner.")],
    name: Annotated[str | None, Parameter(help="Its name; unset: the slug.")] = None,
    json: Json = False,
) -> None:
    """Make an organization; its slug is what --organization takes.

    Example: tidings organizations add north --owner ana@acmecorp.com --name "North team"
    """
    async with open_session() as session:
        made = await create_organization(session.db, name or slug, owner, slug=slug)
    if not made.created:
        raise StateConflict(f"There is an organization {slug} already.")
    if json:
        print_json(AddedOrganization(made.organization_id, slug, made.user_id))
    else:
        say(f"Made {slug}; `tidings sign-in-link --organization {slug}` lets its owner in.")
