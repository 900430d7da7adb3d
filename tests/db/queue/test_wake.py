"""Hints over LISTEN, through lost connections."""

import asyncio
from contextlib import asynccontextmanager

import psycopg

from tidings.db.listen import Listener
from tidings.queue.wake import CHANNEL, WakeUp

PATIENCE = 20


@asynccontextmanager
async def listening(listener):
    task = asyncio.create_task(listener.run())
    try:
        await asyncio.wait_for(listener.connected.wait(), PATIENCE)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def notify(url, channel, payload):
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT pg_notify(%s, %s)", [channel, payload])


async def hears(queue):
    return await asyncio.wait_for(queue.get(), PATIENCE)


async def test_each_channel_has_its_callback(database_url):
    one, two = asyncio.Queue(), asyncio.Queue()
    listener = Listener(database_url, {"one": one.put_nowait, "Two": two.put_nowait})
    async with listening(listener):
        assert (await hears(one), await hears(two)) == ("", "")
        await notify(database_url, "one", "a")
        await notify(database_url, "Two", "b")
        assert (await hears(one), await hears(two)) == ("a", "b")
    assert not listener.connected.is_set()


async def test_a_lost_connection_comes_back_and_says_look_for_yourself(database_url, superuser_url):
    heard = asyncio.Queue()
    async with listening(Listener(database_url, {"one": heard.put_nowait})):
        assert await hears(heard) == ""
        async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
            ended = await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'tidings-listen' AND datname = current_database()"
            )
            assert await ended.fetchall() == [(True,)]
        assert await hears(heard) == ""
        await notify(database_url, "one", "again")
        assert await hears(heard) == "again"


async def test_it_keeps_trying_while_there_is_no_server(tmp_path):
    listener = Listener(f"postgresql://nobody@/none?host={tmp_path}", {"one": print})
    task = asyncio.create_task(listener.run())
    done, _ = await asyncio.wait({task}, timeout=0.5)
    assert done == set()
    assert not listener.connected.is_set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_hint_sets_what_it_is_about(database_url):
    wake = WakeUp(database_url)
    assert not wake.is_listening
    task = asyncio.create_task(wake.run())
    # After connecting, both: anything may have been missed.
    await asyncio.wait_for(asyncio.gather(wake.jobs.wait(), wake.cancels.wait()), PATIENCE)
    assert wake.is_listening
    wake.jobs.clear()
    wake.cancels.clear()
    await notify(database_url, CHANNEL, "enqueued")
    await asyncio.wait_for(wake.jobs.wait(), PATIENCE)
    assert not wake.cancels.is_set()
    wake.jobs.clear()
    await notify(database_url, CHANNEL, "cancel")
    await asyncio.wait_for(wake.cancels.wait(), PATIENCE)
    assert not wake.jobs.is_set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
