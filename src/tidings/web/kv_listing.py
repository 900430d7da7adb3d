"""Pages of keys, for the API and the debug page, with cursors that cannot be made up."""

import msgspec

from tidings.base.cursor import decode_cursor, encode_cursor, listing
from tidings.base.tenant import Tenant
from tidings.kv.entry import Page
from tidings.kv.store import Kv


async def list_entries(
    kv: Kv, tenant: Tenant, prefix: str, *, limit: int = 50, cursor: str | None = None
) -> Page:
    """As `Kv.list`, whose own cursor is a key in plain base64: any key would pass for one."""
    of = listing("kv", prefix=prefix)
    found = await kv.list(tenant, prefix, limit=limit, cursor=decode_cursor(of, cursor, str))
    if found.next_cursor is None:
        return found
    return msgspec.structs.replace(found, next_cursor=encode_cursor(of, found.next_cursor))
