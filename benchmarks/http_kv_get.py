"""KV get over HTTP at 16 connections, against a bare Litestar handler with the same pipelined read.

Ours is `tidings serve` as it is: the credential and the rate limit are looked up, the role and the
key's scopes held against the handler, requests counted, headers set. Needs `wrk`.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from pairs import Bar, compare, record, run
from place import Place, new_tenant, open_place
from tidings.base.tenant import Tenant
from tidings.kv.store import Kv
from tidings.realtime.subscribe import Hub
from tidings.tenancy.api_keys import issue_key

HERE = Path(__file__).parent
CONNECTIONS = 16
KEYS = 1000
RATE_LIMIT = 60_000_000  # a minute, so that none is refused
RATE = Bar("http_kv_get", "KV get over HTTP, 16 connections", "bare Litestar", "requests/s", 0.8)
TAIL = Bar("http_kv_get_p99", "KV get over HTTP, p99", "its own p50", "ms", 3.0, at_most=True)


async def main(options: argparse.Namespace) -> None:
    """Both servers run all the time; one of them is asked at a time."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    seconds = 1 if options.quick else 5
    async with open_place() as place, place.database() as database:
        tenant = await new_tenant(database)
        names = [f"k{n}" for n in range(KEYS)]
        await Kv(database, Hub(database, {})).mset(tenant, dict.fromkeys(names, "x" * 100))
        key = (await issue_key(database, tenant, "benchmark")).key
        async with tidings_server(place) as ours, bare_server(place, tenant) as theirs:
            tails: list[tuple[float, float]] = []

            async def our_rate() -> float:
                seen = await load(ours, seconds, key)
                tails.append((seen["p50"], seen["p99"]))
                return seen["rate"]

            async def their_rate() -> float:
                return (await load(theirs, seconds))["rate"]

            await our_rate()  # what is not prepared yet is not counted
            await their_rate()
            tails.clear()
            outcome = await compare(RATE, our_rate, their_rate, options.pairs)
    ratios = sorted(p99 / p50 for p50, p99 in tails)
    p50, p99 = (statistics.median(figures) for figures in zip(*tails, strict=True))
    ratio = statistics.median(ratios)
    record(
        TAIL.name,
        replace(
            outcome,
            title=TAIL.title,
            with_whom=TAIL.peer,
            unit=TAIL.unit,
            asked=f"at most {TAIL.asked:g}",
            ours=round(p99, 3),
            peer=round(p50, 3),
            ratio=round(ratio, 3),
            spread=[round(ratios[0], 3), round(ratios[-1], 3)],
            met=ratio <= TAIL.asked,
        ),
    )


@asynccontextmanager
async def tidings_server(place: Place) -> AsyncIterator[str]:
    """`tidings serve`."""
    port = free_port()
    async with server(["-m", "tidings", "serve"], environment_of(place, port), port) as url:
        yield url


def environment_of(place: Place, port: int) -> dict[str, str]:
    """How the product's programs are told of a place."""
    return {
        "TIDINGS_HOME": str(place.home),
        "TIDINGS_DATABASE_URL": place.url(),
        "TIDINGS_LISTEN_URL": place.url(),
        "TIDINGS_PORT": str(port),
        "TIDINGS_RATE_LIMIT": str(RATE_LIMIT),
        "TIDINGS_LOG_LEVEL": "warning",
    }


@asynccontextmanager
async def bare_server(place: Place, tenant: Tenant) -> AsyncIterator[str]:
    """bare_litestar.py under the same server."""
    port = free_port()
    environment = {
        "BENCH_URL": place.url(),
        "BENCH_TENANT": f"{tenant.organization_id} {tenant.user_id} {tenant.role}",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
    }
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--ws", "none"]
    command = ["-m", "uvicorn", "bare_litestar:app", "--port", str(port), *options]
    async with server([*command, "--log-level", "warning"], environment, port) as url:
        yield url


@asynccontextmanager
async def server(command: list[str], environment: dict[str, str], port: int) -> AsyncIterator[str]:
    """A Python program that serves on a port, once it answers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=os.environ | environment
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(30):
            while True:
                try:
                    await client.get("/")
                    break
                except httpx.TransportError:
                    assert process.returncode is None, command
                    await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def load(url: str, seconds: int, key: str | None = None) -> dict[str, float]:
    """Requests a second, and milliseconds at the median and for the slowest in a hundred."""
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "wrk_keys.lua")]
    process = await asyncio.create_subprocess_exec(
        *("wrk", *options, url, *(["--", key] if key else [])), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    figures: dict[str, float] = json.loads(said.splitlines()[-1])
    assert figures["errors"] == 0, said.decode()
    return figures


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    run(main)
