"""A process to kill between reserve and settle: `python caller_of_test_ai.py JSON`."""

import asyncio
import sys
from decimal import Decimal
from uuid import UUID

import msgspec

from tidings.ai.engine_name import EngineName
from tidings.ai.spending import Call, Spending
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import load_secret_keys


class Args(msgspec.Struct):
    url: str
    organization: UUID
    user: UUID
    sends: bool


async def main(args: Args) -> None:
    settings = Settings(
        database_url=args.url, openai_api_key="sk-none", secret_key="a" * 43 + "=", _env_file=None
    )
    db = Database(primary_pool(settings, args.url))
    await db.open()
    spending = Spending(db, load_secret_keys(settings), settings)
    call = Call(
        id=uuid7(),
        tenant=Tenant(args.organization, args.user, "owner"),
        run_id=None,
        operation="meetings.read_goals",
        engine=EngineName("openai", "gpt-4o-mini"),
        prompt_version="0123456789ab",
        amount=Decimal("0.25"),
    )
    await spending.reserve(call)
    if args.sends:
        await spending.send(call, "127.0.0.1:1", "told", {})
    sys.stdout.write("reached\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Args)))
