"""`tidings members`: the people of an organization."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from cyclopts import App, Parameter

from tidings.cli.output import Json, moment, print_json, print_table, say, to_json
from tidings.cli.session import Organization, Session, open_session
from tidings.tenancy.members import Member, add_member, change_role, remove_member
from tidings.tenancy.members import list_members as list_page
from tidings.tenancy.own_data import erase_member, find_member, own_data
from tidings.wiring import OWN

app = App(name="members", help="List, add, change, take along and remove people.")

_PAGE = 200

PersonRole = Literal["owner", "admin", "member", "viewer"]


class AddedMember(msgspec.Struct, frozen=True):
    """What `tidings members add --json` prints."""

    user_id: UUID
    email: str
    role: PersonRole


@app.command(name="list")
async def list_members(*, organization: Organization = None, json: Json = False) -> None:
    """List the members.

    Example: tidings members list
    """
    async with open_session(organization) as session:
        members = await all_members(session)
    if json:
        print_json(members)
        return
    print_table(
        ("Id", "E-mail", "Name", "Role", "Since"),
        ((str(m.user_id), m.email, m.name, m.role, moment(m.created_at)) for m in members),
    )


@app.command
async def add(
    email: Annotated[str, Parameter(help="Their e-mail address.")],
    /,
    *,
    role: Annotated[PersonRole, Parameter(help="What they may do.")] = "member",
    name: Annotated[str, Parameter(help="Their name.")] = "",
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Add a person, who signs in by a link (tidings sign-in-link) or a password set later.

    Example: tidings members add ana@acmecorp.com --role admin --name "Ana Ruiz"
    """
    async with open_session(organization) as session:
        user_id = await add_member(session.db, session.tenant, email, role, name=name)
    if json:
        print_json(AddedMember(user_id, email, role))
    else:
        say(f"{email} is a member now; `tidings sign-in-link {email}` makes a link to sign in.")


@app.command
async def role(
    email: Annotated[str, Parameter(help="Their e-mail address.")],
    role: Annotated[PersonRole, Parameter(help="What they may do from now on.")],
    /,
    *,
    organization: Organization = None,
) -> None:
    """Give a member another role; every session and key of theirs has it from the next request on.

    Example: tidings members role ana@acmecorp.com viewer
    """
    async with open_session(organization) as session:
        person = await find_member(session.db, session.tenant, email)
        await change_role(session.db, session.tenant, person.user_id, role)
    say(f"{email} is {role} now.")


@app.command
async def export(
    email: Annotated[str, Parameter(help="Their e-mail address.")],
    /,
    *,
    organization: Organization = None,
) -> None:
    """Print everything that is a member's own as JSON lines: {"kind", "row"}.

    Example: tidings members export ana@acmecorp.com > ana.jsonl
    """
    async with open_session(organization) as session:
        person = await find_member(session.db, session.tenant, email)
        async for one in own_data(session.db, person, OWN):
            print(to_json(one), flush=True)


@app.command
async def remove(
    email: Annotated[str, Parameter(help="Their e-mail address.")],
    /,
    *,
    erase: Annotated[
        bool, Parameter(help="Forget the person too: name, address, what the audit log says.")
    ] = False,
    organization: Organization = None,
) -> None:
    """Remove a member with their rules, digests, keys and sessions; brainstorms are handed over.

    Example: tidings members remove ana@acmecorp.com --erase
    """
    async with open_session(organization) as session:
        person = await find_member(session.db, session.tenant, email)
        if not erase:
            await remove_member(session.db, session.tenant, person.user_id)
            say(f"{email} is no longer a member.")
        elif await erase_member(session.db, session.tenant, person.user_id):
            say(f"{email} is forgotten.")
        else:
            say(f"{email} is no longer a member; another organization still knows them.")


async def all_members(session: Session) -> list[Member]:
    """Every member, in the order of their ids."""
    members: list[Member] = []
    while page := await list_page(
        session.db,
        session.tenant,
        after=members[-1].user_id if members else None,
        limit=_PAGE,
    ):
        members += page
    return members
