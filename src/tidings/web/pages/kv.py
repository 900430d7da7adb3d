"""The KV store's debug page, for admins."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromQuery

from tidings.base.errors import InputInvalid
from tidings.kv.entry import Entry
from tidings.kv.purge import delete_prefix
from tidings.kv.stats import KvStats, read_stats
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.kv_listing import list_entries
from tidings.web.pages.forms import whole_number
from tidings.web.pages.shell import Notice, go, page


@get("/kv", opt={"scope": "admin"})
async def browse(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    prefix: FromQuery[str] = "",
    key: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Counts by prefix, the keys of one, the value of a key."""
    stats = await read_stats(services.db, access.tenant)
    found = await list_entries(services.kv, access.tenant, prefix, cursor=cursor)
    selected = await services.kv.get(access.tenant, key) if key else None
    here = f"/kv?prefix={quote(prefix, safe='')}"
    context = {
        "stats": _stats(stats),
        "prefix": prefix,
        "entries": [_entry(entry) for entry in found.items],
        "next_url": found.next_cursor and f"{here}&cursor={found.next_cursor}",
        "first_url": here if cursor else None,
        "selected": selected
        and _entry(selected)
        | {"pretty": msgspec.json.format(msgspec.json.encode(selected.value), indent=2).decode()},
        "missing_key": key if key and selected is None else None,
    }
    return page(request, "kv/index.html", context, status=404 if context["missing_key"] else 200)


@post("/kv/delete", opt={"scope": "admin"}, status_code=303)
async def delete(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Delete a key that is still at the version shown."""
    form = await request.form()
    key, prefix = str(form.get("key", "")), str(form.get("prefix", ""))
    version = whole_number(form.get("version"), digits=18)
    await services.kv.delete(access.tenant, key, if_version=version)
    services.relay.nudge()
    return go(f"/kv?prefix={quote(prefix, safe='')}", Notice("ok", f"{key} is deleted."))


@post("/kv/delete-prefix", opt={"scope": "admin"}, status_code=303)
async def delete_all(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Delete every key under a prefix."""
    form = await request.form()
    prefix = str(form.get("prefix", ""))
    if not prefix:
        raise InputInvalid("Name a prefix; to delete everything use `tidings kv delete`.")
    deleted = await delete_prefix(services.db, access.tenant, prefix)
    services.relay.nudge()
    return go("/kv", Notice("ok", f"{deleted} keys under {prefix} are deleted."))


def _stats(stats: KvStats) -> dict[str, Any]:
    groups = sorted(stats.prefixes, key=lambda group: -group.keys)
    return {
        "keys": sum(group.keys for group in groups),
        "bytes": sum(group.bytes for group in groups),
        "expiring": sum(group.expiring for group in groups),
        "oldest_at": min((group.oldest for group in groups), default=None),
        "newest_at": max((group.newest for group in groups), default=None),
        "prefixes": [
            {
                "prefix": group.prefix,
                "keys": group.keys,
                "bytes": group.bytes,
                "expiring": group.expiring,
                "oldest_at": group.oldest,
                "newest_at": group.newest,
            }
            for group in groups
        ],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "version": entry.version,
        "bytes": len(msgspec.json.encode(entry.value)),
        "expires_at": entry.expires_at,
    }


def kv_pages() -> Router:
    """The debug page."""
    return Router("/", route_handlers=[browse, delete, delete_all])
