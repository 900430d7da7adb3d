"""Signing in: by e-mail address and password, or by a one-time link.

Attempts count before the password is checked, per account and per network, so that many made at
once are limited too. Every refusal is the same sentence after the same work.
"""

import hashlib
import ipaddress
from datetime import timedelta
from uuid import UUID

import msgspec

from tidings.base.errors import CredentialInvalid
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy.passwords import verify_password
from tidings.tenancy.people import check_email
from tidings.tenancy.tokens import TOKEN_LENGTH, hash_token, new_token

sql = load_queries("tidings.tenancy")

LINK_LIFETIME = timedelta(minutes=15)

REFUSAL = (
    "The e-mail address or the password is not right, or there were too many tries; "
    "check both, or wait 15 minutes."
)
LINK_REFUSAL = "This sign-in link was used already or has expired; ask for a new one."


class Client(msgspec.Struct, frozen=True):
    """Where a person signs in from, as the web server saw it."""

    address: str = ""
    user_agent: str = ""


class SignedIn(msgspec.Struct, frozen=True):
    """A new session. `token` goes into the cookie and is stored nowhere."""

    organization_id: UUID
    user_id: UUID
    session_id: UUID
    token: str
    csrf: str


class _Candidate(msgspec.Struct, frozen=True):
    user_id: UUID | None
    password_hash: str | None


class _Opened(msgspec.Struct, frozen=True):
    organization_id: UUID
    user_id: UUID


class _NewSession:
    """The secrets of a session that is about to be made, and its query parameters."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self.id = uuid7()
        self.token = new_token()
        self.csrf = new_token()
        self.params = {
            "id": self.id,
            "token_hash": hash_token(self.token),
            "csrf": self.csrf,
            "lifetime": timedelta(days=settings.session_days),
            "user_agent": _printable(client.user_agent)[:400],
            "address": _printable(client.address)[:100],
        }

    def signed_in(self, opened: _Opened) -> SignedIn:
        return SignedIn(opened.organization_id, opened.user_id, self.id, self.token, self.csrf)


async def sign_in_by_password(
    db: Database,
    settings: Settings,
    email: str,
    password: str,
    client: Client,
    *,
    organization_id: UUID | None = None,
) -> SignedIn:
    """Open a session in `organization_id`, or in the person's first organization.

    Raises `CredentialInvalid`, always the same, for an unknown account, a wrong password, a locked
    account or network, and no membership.
    """
    email = check_email(email)
    account, address = account_bucket(email), address_bucket(client.address)
    attempt = {
        "email": email,
        "account": account,
        "address": address,
        "limit": settings.sign_in_limit,
    }
    async with db.system_batch() as batch:
        begun = batch.add(sql.begin_sign_in, attempt, row=_Candidate)
    candidate = begun.one()
    check = await verify_password(candidate.password_hash, password)
    if not check.is_right:
        raise CredentialInvalid(REFUSAL)
    session = _NewSession(settings, client)
    params = {
        **session.params,
        "user_id": candidate.user_id,
        "checked_hash": candidate.password_hash,
        "better_hash": check.better_hash,
        "organization_id": organization_id,
        "account": account,
        "address_bucket": address,
    }
    async with db.system_batch() as batch:
        opened = batch.add(sql.sign_in_by_password, params, row=_Opened)
    row = opened.optional()
    if row is None:
        raise CredentialInvalid(REFUSAL)
    return session.signed_in(row)


async def sign_in_by_link(db: Database, settings: Settings, token: str, client: Client) -> SignedIn:
    """Use a one-time link; of two uses at once one gets a session.

    Raises `CredentialInvalid` when it is unknown, used or expired.
    """
    if len(token) != TOKEN_LENGTH or not token.isascii():
        raise CredentialInvalid(LINK_REFUSAL)
    session = _NewSession(settings, client)
    params = {**session.params, "link_hash": hash_token(token)}
    async with db.system_batch() as batch:
        opened = batch.add(sql.sign_in_by_link, params, row=_Opened)
    row = opened.optional()
    if row is None:
        raise CredentialInvalid(LINK_REFUSAL)
    return session.signed_in(row)


async def issue_link(
    db: Database, email: str, *, organization_id: UUID | None = None
) -> str | None:
    """A one-time token for 15 minutes, or None when nobody active has this address.

    For the operator's command line and for mail to that very address: whoever holds it signs in
    as that person, so no member may be given another's.
    """
    token = new_token()
    params = {
        "email": check_email(email),
        "organization_id": organization_id,
        "link_hash": hash_token(token),
        "lifetime": LINK_LIFETIME,
    }
    async with db.system_batch() as batch:
        issued = batch.add(sql.issue_sign_in_link, params, row=_Opened)
    return token if issued.rows else None


def account_bucket(email: str) -> bytes:
    """What attempts at one account count under; equal for an account that does not exist."""
    # One character for one, as PostgreSQL's lower() finds the account: Python's own makes two of a
    # dotted capital I, and each way to spell an address would have tries of its own.
    folded = "".join(character.lower()[0] for character in email.strip())
    return hashlib.sha256(b"account:" + folded.encode()).digest()


def address_bucket(address: str) -> bytes:
    """What attempts from one network count under: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        network = address
    else:
        mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        parsed = mapped or parsed
        bits = 64 if parsed.version == 6 else 32
        network = str(ipaddress.ip_network((parsed, bits), strict=False))
    return hashlib.sha256(b"address:" + network.encode("utf-8", "replace")).digest()


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())
