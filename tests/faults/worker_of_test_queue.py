"""A worker process to kill: `python worker_of_test_queue.py URL NAME HOW LEASE`.

`HOW` is `hang` (says so once in the middle of a job, then waits for ever), `finish` (in the job's
own transaction), `return` (leaves the end to the worker) or `die` (so, and by SIGKILL after some).
"""

import asyncio
import os
import signal
import sys

import msgspec
import structlog

from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.queue.claim import ClaimConfig
from tidings.queue.heartbeat import HeartbeatConfig
from tidings.queue.rescue import RescueConfig
from tidings.queue.wake import WakeUp
from tidings.queue.worker import JobContext, Worker, WorkerConfig

EFFECT = Query("effect", "Leaves a trace.", "INSERT INTO public.effects VALUES (%(by)s, %(job)s)")


class Args(msgspec.Struct):
    url: str
    name: str
    how: str
    lease: str


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(args: Args) -> None:
    settings = Settings(database_url=args.url, pool_primary_min=1, _env_file=None)
    db = Database(primary_pool(settings, args.url))
    await db.open()

    done = 0

    async def handler(context: JobContext, _: object) -> None:
        nonlocal done
        if args.how in ("return", "die"):
            async with db.tenant_batch(context.tenant) as batch:
                batch.queue(EFFECT, {"by": args.name, "job": context.job_id})
            done += 1
            if args.how == "die" and done == 100:
                os.kill(os.getpid(), signal.SIGKILL)
            return
        async with db.tenant_transaction(context.tenant) as transaction:
            if args.how == "hang":
                # The effect is written and its transaction open: nothing of it may stay.
                await transaction.execute(EFFECT, {"by": args.name, "job": context.job_id})
                say("reached")
                await asyncio.Event().wait()
            context.finish(transaction, {"by": args.name})
            transaction.queue(EFFECT, {"by": args.name, "job": context.job_id})

    slots, lease = 2 if args.how in ("hang", "finish") else 20, float(args.lease)
    config = WorkerConfig(
        name=args.name,
        claim=ClaimConfig(slots=slots, lease=lease, ahead=1.0),
        heartbeat=HeartbeatConfig(interval=0.3, lease=lease),
        rescue=RescueConfig(interval=0.5),
        grace=0.5,
    )
    worker = Worker(db, {"work": handler}, config, WakeUp(args.url))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    say("started")
    await worker.run()
    await db.close()


structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main(Args(*sys.argv[1:])))
