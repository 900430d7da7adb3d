"""What every request needs before its handler, in one round trip: who asks, how often, again?"""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from tidings.base.errors import (
    CredentialInvalid,
    IdempotencyBusy,
    IdempotencyMismatch,
    RateExceeded,
    RoleForbidden,
)
from tidings.base.tenant import Role, Tenant
from tidings.db.gather import Gathering
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy.api_keys import Area, scopes_allow
from tidings.tenancy.audit import ActorKind
from tidings.tenancy.idempotency import Answer, Claim
from tidings.tenancy.rate_leases import Rate, RateLeases
from tidings.tenancy.tokens import KEY_PREFIX, TOKEN_LENGTH, hash_token

sql = load_queries("tidings.tenancy")


class Credential(msgspec.Struct, frozen=True):
    """What a request carried, already hashed."""

    kind: Literal["key", "session"]
    digest: bytes


class Access(msgspec.Struct, frozen=True):
    """Who asks, and what the request may do."""

    tenant: Tenant
    scopes: list[str]
    key_id: UUID | None
    session_id: UUID | None
    csrf: str | None
    email: str
    user_name: str
    organization_name: str
    rotation_due: bool
    rate: Rate
    claim: Claim | None
    replay: Answer | None

    @property
    def kind(self) -> ActorKind:
        """How the audit log names who acts."""
        return "person" if self.key_id is None else "key"

    def require(self, area: Area, *, write: bool = False) -> None:
        """Raise `RoleForbidden` unless role and scopes allow reading (or changing) an area."""
        if write:
            self.require_writer()
        if area == "admin" and not self.tenant.is_admin:
            raise RoleForbidden("This takes an admin or owner.")
        self.require_scope(area, write=write)

    def require_writer(self) -> None:
        """Raise `RoleForbidden` for a role that may only read."""
        if not self.tenant.may_write:
            raise RoleForbidden("Your role may read here, not change anything.")

    def require_scope(self, area: Area, *, write: bool = False) -> None:
        """Raise `RoleForbidden` unless the key's scopes allow it, whatever the role.

        For what members do to things of their own, such as ending their API keys.
        """
        if not scopes_allow(self.scopes, area, write=write):
            raise RoleForbidden("This key's scopes do not allow this.")


class _OpenedRequest(msgspec.Struct, frozen=True):
    organization_id: UUID
    user_id: UUID
    role: Role
    scopes: list[str]
    key_id: UUID | None
    session_id: UUID | None
    csrf: str | None
    email: str
    user_name: str
    organization_name: str
    rotation_due: bool
    granted: int
    used: int
    per_minute_limit: int
    reset_seconds: int
    idempotency: Literal["none", "claimed", "replay", "mismatch", "busy"]
    status: int | None
    headers: dict[str, str] | None
    body: bytes | None


_Found = tuple[_OpenedRequest | None, Rate | None]


def key_credential(key: str) -> Credential:
    """The credential of an API key. Raises `CredentialInvalid` when it cannot be one."""
    if not key.startswith(KEY_PREFIX) or len(key) != len(KEY_PREFIX) + TOKEN_LENGTH:
        raise CredentialInvalid
    return _credential("key", key)


def session_credential(token: str) -> Credential:
    """The credential of a session cookie. Raises `CredentialInvalid` when it cannot be one."""
    if len(token) != TOKEN_LENGTH:
        raise CredentialInvalid
    return _credential("session", token)


def _credential(kind: Literal["key", "session"], token: str) -> Credential:
    if not token.isascii():
        raise CredentialInvalid
    return Credential(kind, hash_token(token))


class Requests:
    """Opens the requests that come to this process."""

    def __init__(self, db: Database, leases: RateLeases) -> None:
        """`leases` are this process's, and its alone."""
        self._db = db
        self.leases = leases
        self._look_ups = Gathering(self._look_up_once)

    async def open(self, credential: Credential, claim: Claim | None = None) -> Access:
        """Resolve the credential, count the request and claim its Idempotency-Key.

        One round trip, which requests of one credential that come at once share; each is answered
        by what was committed when it came. Raises `CredentialInvalid`, `RateExceeded`,
        `IdempotencyMismatch` or `IdempotencyBusy`. With a `replay` in the answer the handler must
        not run; without, it saves its answer under `claim`.
        """
        refused = self.leases.refusal(credential.digest)
        if refused is not None:
            raise RateExceeded(retry_after=refused.reset)
        rate = self.leases.spend(credential.digest)
        if claim is None:
            row, given = await self._look_ups.ask(credential, rate is None)
        else:
            [(row, given)] = await self._look_up(credential, [rate is None], claim)
        rate = rate or given
        if row is None:
            raise CredentialInvalid
        if rate is None:
            raise RateExceeded(retry_after=row.reset_seconds)
        if row.idempotency == "mismatch":
            raise IdempotencyMismatch
        if row.idempotency == "busy":
            raise IdempotencyBusy(retry_after=1)
        return _access(row, rate, claim)

    async def _look_up_once(self, credential: Credential, asked: Sequence[bool]) -> list[_Found]:
        return await self._look_up(credential, asked, None)

    async def _look_up(
        self, credential: Credential, asked: Sequence[bool], claim: Claim | None
    ) -> list[_Found]:
        """One look-up for several requests; those that asked for it spend of a new share."""
        take = max(self.leases.share, sum(asked)) if any(asked) else 0
        params = {
            "key_hash": credential.digest if credential.kind == "key" else None,
            "session_hash": credential.digest if credential.kind == "session" else None,
            "take": take,
            "per_minute": self.leases.limit,
            "idempotency_key": claim.key if claim else None,
            "request_hash": claim.request_hash if claim else None,
            "claim": claim.id if claim else None,
        }
        # Sent again after a lost connection, it finds its own claim.
        async with self._db.system_batch(repeatable=True) as batch:
            opened = batch.add(sql.open_request, params, row=_OpenedRequest)
        row = opened.optional()
        if row is None:
            return [(None, None) for _ in asked]
        digest = credential.digest
        if take:
            self.leases.receive(digest, row.granted, row.used, row.reset_seconds)
        return [(row, self.leases.spend(digest) if needs else None) for needs in asked]


def _access(row: _OpenedRequest, rate: Rate, claim: Claim | None) -> Access:
    replay = None
    if row.status is not None:
        replay = Answer(row.status, row.headers or {}, row.body or b"")
    return Access(
        tenant=Tenant(row.organization_id, row.user_id, row.role),
        scopes=row.scopes,
        key_id=row.key_id,
        session_id=row.session_id,
        csrf=row.csrf,
        email=row.email,
        user_name=row.user_name,
        organization_name=row.organization_name,
        rotation_due=row.rotation_due,
        rate=rate,
        claim=claim if replay is None else None,
        replay=replay,
    )


class _Renewed(msgspec.Struct, frozen=True):
    role: Role
    scopes: list[str]


async def renew_access(db: Database, access: Access) -> Access:
    """The same access as it is now, for connections that stay open: one round trip, not counted.

    Raises `CredentialInvalid` once key, session or membership has ended.
    """
    params = {"key_id": access.key_id, "session_id": access.session_id}
    async with db.tenant_batch(access.tenant, repeatable=True) as batch:
        renewed = batch.add(sql.renew_access, params, row=_Renewed)
    row = renewed.optional()
    if row is None:
        raise CredentialInvalid
    tenant = msgspec.structs.replace(access.tenant, role=row.role)
    return msgspec.structs.replace(access, tenant=tenant, scopes=row.scopes)
