"""The one way out: claim, hand over, settle. No transaction is open while somebody is called."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog

from tidings.approvals.draft import send_job
from tidings.approvals.ways import Ways
from tidings.approvals.write_back import write_back
from tidings.base import clock
from tidings.base.errors import DatabaseBusy, DatabaseUnavailable, SecretUnreadable
from tidings.base.tenant import Tenant
from tidings.connectors.outgoing import Connector, Outcome, Outgoing
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Row
from tidings.queue.context import JobContext
from tidings.queue.enqueue import enqueue

sql = load_queries("tidings.approvals")
log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=120)
"""How long a claim belongs to its sender: twice as long as any connector tries."""

_TRIES = 3
_NO_WAY = "There is no way to send by {channel} yet: set {what}, then retry."


class Claim(msgspec.Struct, frozen=True):
    """What the database says to an attempt to send.

    `verdict`: claimed; wait (`why`, `until`); cancelled (`why`); gone, when it is not approved.
    The rest is what leaves, exactly as it was approved.
    """

    verdict: str
    why: str | None
    until: datetime | None
    type: str
    channel: str
    recipient: str
    subject: str
    content: str
    is_automatic: bool
    attempt: int
    idempotency_key: UUID
    in_reply_to: str | None
    in_references: str | None
    unsubscribe_token: str | None


class Sent(msgspec.Struct, frozen=True):
    """What became of an attempt: a verdict of the claim, or the status after it."""

    status: str
    why: str | None = None
    until: datetime | None = None


class Sender:
    """Sends approvals one at a time; many may run at once, in many processes."""

    def __init__(self, db: Database, ways: Ways, base_url: str) -> None:
        """`base_url` is where people reach Tidings, for links in mail."""
        self._db = db
        self._ways = ways
        self._base_url = base_url.rstrip("/")

    async def run(self, context: JobContext, args: dict[str, Any]) -> Sent:
        """The job `approvals.send`."""
        return await self.send(context.tenant, UUID(args["approval_id"]))

    async def send(self, tenant: Tenant, approval_id: UUID) -> Sent:
        """Send one approval if everything allows it, as a service of the tenant."""
        tenant = tenant.as_service()
        async with self._db.tenant_batch(tenant, repeatable=True) as batch:
            found = batch.add(sql.find_route, {"id": approval_id})
        route = found.optional()
        if route is None:
            return Sent("gone")
        connector, trouble = None, ""
        try:
            connector = await self._ways.find(tenant, route["channel"], route["url"])
        except SecretUnreadable as error:
            trouble = error.message  # it stands at the message, where who can mend it looks
        token = uuid4()
        claim = await self.claim(
            tenant, approval_id, token, repeatable=connector is not None and connector.is_repeatable
        )
        if claim.verdict != "claimed":
            return Sent(claim.verdict, claim.why, claim.until)
        outcome = await self._hand_over(connector, claim, trouble)
        address = None if connector is None else connector.address
        return await self.settle(
            tenant, approval_id, token, outcome, in_channel=route["is_in_channel"], address=address
        )

    async def claim(
        self, tenant: Tenant, approval_id: UUID, token: UUID, *, repeatable: bool
    ) -> Claim:
        """Check everything and take the lease, in one statement; wait for the time it names.

        A job for a time that is lost with its process is made again by the schedule.
        """
        params = {"id": approval_id, "token": token, "lease": LEASE, "repeatable": repeatable}
        async with self._db.tenant_batch(tenant) as batch:
            found = batch.add(sql.claim_approval, params, row=Claim)
        claim = found.one()
        if claim.verdict == "wait":
            await self._come_back(tenant, approval_id, claim.until)
        return claim

    async def settle(
        self,
        tenant: Tenant,
        approval_id: UUID,
        token: UUID,
        outcome: Outcome,
        *,
        in_channel: bool = False,
        address: str | None = None,
    ) -> Sent:
        """Note what came of a claim; a lost lease changes nothing.

        What was sent in a channel becomes a message of it, from `address` where it has one.
        """
        wait = outcome.retry_after
        params = {
            "id": approval_id,
            "token": token,
            "result": outcome.result,
            "detail": outcome.detail,
            "provider_id": outcome.provider_id,
            "not_before": None if wait is None else clock.now() + timedelta(seconds=wait),
        }
        if in_channel and outcome.result == "sent":
            row = await self._settle_in_channel(tenant, params, address)
        else:
            row = await self._settle(tenant, params)
        if row is None:
            return Sent("lease_lost")
        if row["next_attempt_at"] is not None:
            await self._come_back(tenant, approval_id, row["next_attempt_at"])
        return Sent(row["status"], outcome.result, row["next_attempt_at"])

    async def _settle(self, tenant: Tenant, params: dict[str, Any]) -> Row | None:
        async with self._db.tenant_batch(tenant, repeatable=True) as batch:
            found = batch.add(sql.settle_approval, params)
        return found.optional()

    async def _settle_in_channel(
        self, tenant: Tenant, params: dict[str, Any], address: str | None
    ) -> Row | None:
        for _ in range(_TRIES):
            try:
                async with self._db.tenant_transaction(tenant) as transaction:
                    row = await transaction.optional(sql.settle_approval, params)
                    await write_back(transaction, params["id"], address=address)
                return row
            except (DatabaseBusy, DatabaseUnavailable):
                continue
            except Exception:
                log.exception("reply not written back", approval_id=str(params["id"]))
                break
        # That it left is worth more than its copy.
        return await self._settle(tenant, params)

    async def _come_back(self, tenant: Tenant, approval_id: UUID, at: datetime | None) -> None:
        async with self._db.tenant_batch(tenant) as batch:
            enqueue(batch, send_job(approval_id, at))

    async def _hand_over(self, connector: Connector | None, claim: Claim, trouble: str) -> Outcome:
        if connector is None:
            what = "TIDINGS_SMTP_URL and _FROM" if claim.channel == "email" else "a gateway"
            no_way = _NO_WAY.format(channel=claim.channel, what=what)
            return Outcome("temporary", trouble or no_way)
        try:
            return await connector.send(self._outgoing(claim))
        except Exception as error:
            # Nobody knows how far a defect let it get.
            log.exception("connector failed", channel=claim.channel)
            return Outcome("unknown", f"Tidings itself failed: {type(error).__name__}")

    def _outgoing(self, claim: Claim) -> Outgoing:
        link = claim.unsubscribe_token
        return Outgoing(
            idempotency_key=claim.idempotency_key,
            type=claim.type,
            channel=claim.channel,
            recipient=claim.recipient,
            subject=claim.subject,
            content=claim.content,
            attempt=claim.attempt,
            is_automatic=claim.is_automatic,
            in_reply_to=claim.in_reply_to,
            in_references=claim.in_references,
            unsubscribe_url=link and f"{self._base_url}/unsubscribe/{link}",
        )
