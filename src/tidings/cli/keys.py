"""`tidings keys`: API keys."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter
from cyclopts.validators import Number

from tidings.base import clock
from tidings.base.errors import InputInvalid
from tidings.base.tenant import Role
from tidings.cli.output import Json, moment, print_json, print_table, say
from tidings.cli.session import Organization, open_session
from tidings.tenancy.api_keys import SCOPES, ApiKey, issue_key, revoke_key
from tidings.tenancy.api_keys import list_keys as list_page

app = App(name="keys", help="Make, list and revoke API keys.")

LONGEST_DAYS = 3650
_PAGE = 200


@app.command
async def create(
    name: Annotated[str, Parameter(help="What people know it by.")],
    /,
    *,
    role: Annotated[
        Role, Parameter(help="At most this role: viewer, member, admin or owner.")
    ] = "member",
    scope: Annotated[
        list[str] | None,
        Parameter(
            help=f"What it may do, repeatable: {', '.join(SCOPES)}; unset: everything.",
            negative="",
        ),
    ] = None,
    days: Annotated[
        int | None,
        Parameter(
            help="Days until it expires; unset: never.", validator=Number(gte=1, lte=LONGEST_DAYS)
        ),
    ] = None,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Make an API key and print it, this once.

    Example: tidings keys create deploy --scope engagement --days 90
    """
    if "admin" in (scope or []) and role not in ("owner", "admin"):
        raise InputInvalid.of("role", "must be admin or owner for the scope admin; name it")
    expires_at = None if days is None else clock.now() + timedelta(days=days)
    async with open_session(organization) as session:
        issued = await issue_key(
            session.db, session.tenant, name, role=role, scopes=scope or [], expires_at=expires_at
        )
    if json:
        print_json(issued)
        return
    say("Keep this key: it is shown only now.")
    print(issued.key, flush=True)


@app.command(name="list")
async def list_keys(*, organization: Organization = None, json: Json = False) -> None:
    """List API keys, the newest first, revoked ones too.

    Example: tidings keys list --json
    """
    keys: list[ApiKey] = []
    async with open_session(organization) as session:
        while page := await list_page(
            session.db, session.tenant, after=keys[-1].id if keys else None, limit=_PAGE
        ):
            keys += page
    if json:
        print_json(keys)
        return
    print_table(
        ("Id", "Name", "Key", "Role", "Scopes", "Last used", "State"),
        (
            (
                str(key.id),
                key.name,
                f"{key.prefix}…",
                key.role,
                " ".join(key.scopes) or "all",
                moment(key.last_used_at) or "never",
                _state(key),
            )
            for key in keys
        ),
    )


@app.command
async def revoke(
    key_id: Annotated[UUID, Parameter(help="Its id, as `tidings keys list` shows it.")],
    /,
    *,
    organization: Organization = None,
) -> None:
    """End an API key from the next request on.

    Example: tidings keys revoke 01934f7e-8f6a-7c3b-9d2e-5b1f0a6c4d21
    """
    async with open_session(organization) as session:
        await revoke_key(session.db, session.tenant, key_id)
    say(f"{key_id} is revoked.")


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {moment(key.revoked_at)}"
    if key.expires_at is None:
        return "active"
    ended = key.expires_at <= clock.now()
    return f"{'expired' if ended else 'expires'} {moment(key.expires_at)}"
