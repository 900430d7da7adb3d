"""A person's own data over HTTP, to take along."""

from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec
from litestar import get
from litestar.openapi import ResponseSpec
from litestar.params import FromPath
from litestar.response import Stream

from tidings.base.errors import RoleForbidden
from tidings.tenancy import audit
from tidings.tenancy.access import Access
from tidings.tenancy.members import read_member
from tidings.tenancy.own_data import OwnRow, own_data
from tidings.web.documented import documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.services import Services
from tidings.web.stream import begun

_CHUNK = 64 * 1024


class MemberExport(msgspec.Struct, frozen=True):
    """Everything that is a member's own here; a document that breaks off is not whole."""

    user_id: UUID
    items: list[OwnRow]


@get(
    "/members/{user_id:uuid}/export",
    opt={"scope": "admin", "own": True},
    responses={
        200: ResponseSpec(MemberExport, description="The document.", generate_examples=False)
    }
    | documented(403, 404),
    operation_id="exportMember",
)
async def export_member(
    access: GivenAccess, services: GivenServices, user_id: FromPath[UUID]
) -> Stream:
    """All that is your own, as you may see it; each export is in the audit log."""
    if user_id != access.tenant.user_id:
        await read_member(services.db, access.tenant, user_id)  # 404 for one of elsewhere
        raise RoleForbidden(
            "Only the member takes what is theirs, such as their digests; "
            "whoever runs Tidings can: `tidings members export`."
        )
    document = await begun(_document(services, access))
    headers = {
        "content-disposition": f'attachment; filename="member-{user_id}.json"',
        "cache-control": "no-store",
    }
    return Stream(document, media_type="application/json", headers=headers)


async def _document(services: Services, access: Access) -> AsyncGenerator[bytes, None]:
    """The document in pieces; in the log before anything of it is read."""
    async with services.db.tenant_batch(access.tenant) as batch:
        audit.record(batch, "member.exported", f"user:{access.tenant.user_id}", kind=access.kind)
    piece = b'{"user_id":"%s","items":[\n' % str(access.tenant.user_id).encode()
    between = b""
    async for row in own_data(services.db, access.tenant, services.own):
        piece += between + msgspec.json.encode(row)
        between = b",\n"
        if len(piece) >= _CHUNK:
            yield piece
            piece = b""
    yield piece + b"\n]}\n"
