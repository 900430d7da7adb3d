"""`tidings organizations`: another tenant in the same database."""

from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import App, CycloptsError, Parameter

from tidings.base.errors import StateConflict
from tidings.cli.output import Json, moment, print_json, print_table, say
from tidings.cli.session import Organization, open_session
from tidings.tenancy.organizations import (
    OrganizationChange,
    create_organization,
    read_organization,
    update_organization,
)

app = App(
    name="organizations",
    help="Make organizations beside the default one, and change their settings.",
)


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


@app.command
async def show(*, organization: Organization = None, json: Json = False) -> None:
    """Print an organization's name, slug and time zone.

    Example: tidings organizations show --organization north
    """
    async with open_session(organization) as session:
        found = await read_organization(session.db, session.tenant)
    if json:
        print_json(found)
        return
    print_table(
        ("Name", "Slug", "Time zone", "Since"),
        [(found.name, found.slug or "", found.time_zone, moment(found.created_at))],
    )


@app.command
async def change(
    *,
    name: Annotated[str | None, Parameter(help="Its name; unset: as it is.")] = None,
    time_zone: Annotated[
        str | None, Parameter(help="IANA time zone that days are counted in; unset: as it is.")
    ] = None,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Change an organization's name or time zone.

    Example: tidings organizations change --time-zone Europe/Berlin
    """
    asked = {"name": name, "time_zone": time_zone}
    given = {field: value for field, value in asked.items() if value is not None}
    if not given:
        raise CycloptsError(msg="Give --name or --time-zone.")
    async with open_session(organization) as session:
        changed = await update_organization(session.db, session.tenant, OrganizationChange(**given))
    if json:
        print_json(changed)
    else:
        say(f"{changed.name}: days are those of {changed.time_zone}.")
