"""Idempotency-Key: the first answer to a request is kept and given again for 24 hours.

`access.Requests` claims the key before the handler runs. The handler's answer is saved in the
transaction of its effect, so that there is never one without the other; an attempt that lost its
claim fails to commit. A handler that failed releases the claim.
"""

import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

import msgspec

from tidings.base.errors import InputInvalid
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Statements

sql = load_queries("tidings.tenancy")

# Draft-ietf-httpapi-idempotency-key-header leaves the form open; this is what a header may carry.
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Claim(msgspec.Struct, frozen=True):
    """One attempt at answering a request that carries an Idempotency-Key."""

    key: str
    request_hash: bytes
    id: UUID


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer as it was first given."""

    status: int
    headers: dict[str, str]
    body: bytes


def make_claim(key: str, method: str, path: str, query: str, body: bytes) -> Claim:
    """A claim on `key` for this very request.

    `path` and `query` are as on the wire. Raises `InputInvalid` unless the key is 1 to 255
    printable ASCII characters without spaces.
    """
    if not _KEY.fullmatch(key):
        problem = "must be 1 to 255 printable ASCII characters without spaces"
        raise InputInvalid.of("Idempotency-Key", problem)
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), query.encode(), body):
        # Lengths first: no two requests make the same text by moving a boundary.
        digest.update(len(part).to_bytes(8) + part)
    return Claim(key, digest.digest(), uuid7())


def save_answer(
    statements: Statements, claim: Claim, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Queue the answer into the transaction of its effect.

    That transaction fails with `IdempotencyBusy` when another attempt took the claim over.
    """
    statements.queue(
        sql.save_idempotent,
        {
            "key": claim.key,
            "claim": claim.id,
            "status": status,
            "headers": msgspec.json.encode(dict(headers)).decode(),
            "body": body,
        },
    )


async def release_claim(db: Database, tenant: Tenant, claim: Claim) -> None:
    """Give the claim back after the handler failed; nothing happens once an answer is saved."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        batch.queue(sql.release_idempotent, {"key": claim.key, "claim": claim.id})
