"""A database that goes away under a running web process, and comes back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import TestCluster
from tidings.db.embedded import EmbeddedServer
from tidings.kv.watch import Watch
from web.house import House, Team, open_house, settings_for

WRITERS = 4
PATIENCE = 60
RECOVERY = 20
"""Seconds from the server's return to the first answers, on a busy machine: a second on others."""


class Writer:
    """Writes two keys in one batch, over and over, and keeps what it was answered."""

    def __init__(self, client: httpx.AsyncClient, name: str, moved: asyncio.Event) -> None:
        self.client, self.name, self.moved = client, name, moved
        self.tried = 0
        self.acknowledged: list[int] = [0]
        self.refused: list[httpx.Response] = []

    async def run(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            self.tried += 1
            operations = [{"op": "set", "key": key, "value": self.tried} for key in self.keys]
            answer = await self.client.post("/v1/kv-batch", json={"operations": operations})
            if answer.status_code == 200:
                self.acknowledged.append(self.tried)
            else:
                self.refused.append(answer)
            self.moved.set()

    @property
    def keys(self) -> list[str]:
        return [f"{self.name}:one", f"{self.name}:two"]


@asynccontextmanager
async def own_server(home: Path) -> AsyncIterator[tuple[EmbeddedServer, TestCluster]]:
    """A server that keeps what it promised, as the one of a deployment does."""
    server = EmbeddedServer(home)
    cluster = TestCluster(await server.start(), "restart")
    await asyncio.to_thread(cluster.prepare)
    try:
        yield server, cluster
    finally:
        await server.destroy()


async def stop(server: EmbeddedServer) -> None:
    await server.stop(force=True)


async def crash(server: EmbeddedServer) -> None:
    status = await server.status()
    assert status.pid is not None
    ended = asyncio.Event()
    process = os.pidfd_open(status.pid)
    asyncio.get_running_loop().add_reader(process, ended.set)
    os.kill(status.pid, signal.SIGQUIT)  # at once, without a checkpoint
    await ended.wait()
    asyncio.get_running_loop().remove_reader(process)
    os.close(process)


@pytest.mark.parametrize("end", [stop, crash])
async def test_a_restart_costs_503s_and_nothing_else(
    tmp_path: Path, end: Callable[[EmbeddedServer], Any]
) -> None:
    async with own_server(tmp_path / "home") as (server, cluster):
        url = cluster.url("tidings_app", cluster.template)
        settings = settings_for(
            url, pool_primary_min=2, pool_primary_max=5, pool_timeout=0.5, rate_limit=1_000_000
        )
        superuser = cluster.url("postgres", cluster.template)
        async with open_house(settings, url, superuser) as house:
            await survive(house, await house.team(), server, end)


async def survive(
    house: House, team: Team, server: EmbeddedServer, end: Callable[[EmbeddedServer], Any]
) -> None:
    client = await house.api(team)
    tenant = team.people["owner"].tenant
    moved, ended = asyncio.Event(), asyncio.Event()
    writers = [Writer(client, f"w{n}", moved) for n in range(WRITERS)]

    async def until(holds: Callable[[Writer], bool]) -> None:
        while not all(holds(writer) for writer in writers):
            moved.clear()
            await moved.wait()

    async with house.services.kv.watch(tenant, "w0:one") as watch, asyncio.timeout(PATIENCE):
        watching = asyncio.create_task(values_until(watch, "the end"))
        async with asyncio.TaskGroup() as tasks:
            for writer in writers:
                tasks.create_task(writer.run(ended))
            await until(lambda writer: len(writer.acknowledged) > 20)
            await end(server)
            await until(lambda writer: bool(writer.refused))
            await server.start()
            back = time.monotonic()
            before = {writer.name: len(writer.acknowledged) for writer in writers}
            await until(lambda writer: len(writer.acknowledged) > before[writer.name])
            assert time.monotonic() - back < RECOVERY
            ended.set()
        await house.services.kv.set(tenant, "w0:one:end", "the end")
        assert set(writers[0].acknowledged[1:]) <= await watching
    for writer in writers:
        pair = await house.services.kv.mget(tenant, writer.keys)
        one, two = (entry.value for entry in pair if entry is not None)
        assert one == two
        assert writer.acknowledged[-1] <= one <= writer.tried
        assert all(is_a_pause(answer) for answer in writer.refused)
    assert (await house.client().get("/readyz")).status_code == 200


async def values_until(watch: Watch, last: object) -> set[object]:
    """Everything that the watch shows up to a value."""
    seen: set[object] = set()
    while last not in seen:
        seen.add((await anext(watch)).value)
    return seen


def is_a_pause(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 503
        and answer.json()["code"] in {"database_unavailable", "database_busy"}
        and int(answer.headers["retry-after"]) >= 1
    )
