"""`tidings sign-in-link`: lets a person in without a password."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from tidings.base.errors import RowMissing
from tidings.base.settings import Settings
from tidings.cli.output import Json, print_json, say
from tidings.cli.session import Organization, open_session
from tidings.tenancy.members import read_member
from tidings.tenancy.sign_in import LINK_LIFETIME, issue_link


class SignInLink(msgspec.Struct, frozen=True):
    """What `tidings sign-in-link --json` prints."""

    email: str
    sign_in_url: str


async def sign_in_link(
    email: Annotated[str | None, Parameter(help="A member's e-mail address.")] = None,
    /,
    *,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Print a link that signs a member in once; without an address the owner.

    Example: tidings sign-in-link ana@acmecorp.com
    """
    async with open_session(organization) as session:
        tenant = session.tenant
        if email is None:
            email = (await read_member(session.db, tenant, tenant.user_id)).email
        token = await issue_link(session.db, email, organization_id=tenant.organization_id)
        url = f"{web_address(session.system.settings)}/sign-in/link/{token}"
    if token is None:
        raise RowMissing(f"Nobody active here has the address {email}.")
    if json:
        print_json(SignInLink(email, url))
        return
    say(f"For {email}; it works once, for {LINK_LIFETIME.seconds // 60} minutes.")
    print(url, flush=True)


def web_address(settings: Settings) -> str:
    """Where the pages are, as far as the settings tell."""
    if settings.base_url:
        return settings.base_url.rstrip("/")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
