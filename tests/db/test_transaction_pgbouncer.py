"""The doors through PgBouncer in transaction mode, where nothing of a session stays.

Five clients take turns on one server: whoever leaves something open there stops all of them.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from conftest import PASSWORD, TestCluster
from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.queries import Query
from tidings.db.transaction import Database

from factories.organizations import Organization

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="pgbouncer is not installed: apt-get install pgbouncer"
)

WHO = Query(
    "who", "Who.", "SELECT current_setting('tidings.organization_id', true) AS organization"
)
NAMES = Query("names", "Names.", "SELECT name FROM tidings.organizations")
RENAME = Query("rename", "Renames.", "UPDATE tidings.organizations SET name = %(name)s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(cluster: TestCluster, home: Path, port: int) -> "subprocess.Popen[bytes]":
    """PgBouncer on that port, with one server connection that all clients share."""
    (home / "users.txt").write_text(f'"tidings_app" "{PASSWORD}"\n')
    (home / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={cluster.cluster.socket_dir} port={cluster.cluster.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {home}/users.txt\nlogfile = {home}/log\n"
        "pool_mode = transaction\ndefault_pool_size = 1\nmax_client_conn = 50\n"
    )
    command = [str(PROGRAM), str(home / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it refuses to run as root
        owner = Path(cluster.cluster.socket_dir).owner()
        command[1:1] = ["-u", owner]
        for path in (home, *home.iterdir()):
            shutil.chown(path, owner)
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def listens(process: "subprocess.Popen[bytes]", url: str) -> bool:
    """Wait until it answers; false when it has ended because the port was taken meanwhile."""
    deadline = time.monotonic() + 60
    while process.poll() is None:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError as error:
            if "refused" not in str(error) or time.monotonic() > deadline:
                process.kill()
                raise
        else:
            return True
    said = process.communicate()[1].decode()
    assert "Address already in use" in said, said
    return False


@pytest.fixture
def bouncer_url(cluster: TestCluster, database_name: str) -> Iterator[str]:
    """The test's database through PgBouncer."""
    home = Path(tempfile.mkdtemp(prefix="bouncer-"))
    while True:
        port = free_port()
        process = start(cluster, home, port)
        url = f"postgresql://tidings_app:{PASSWORD}@127.0.0.1:{port}/{database_name}"
        if listens(process, url):
            break
    yield url
    process.terminate()
    process.communicate(timeout=60)
    shutil.rmtree(home)


@pytest_asyncio.fixture
async def bounced(settings: Settings, bouncer_url: str) -> AsyncIterator[Database]:
    # Before 1.21 it knows nothing of prepared statements.
    settings = settings.model_copy(update={"database_prepare": False, "pool_primary_min": 5})
    database = Database(primary_pool(settings, bouncer_url))
    await database.open()
    yield database
    await database.close()


async def test_the_doors_work_and_leave_no_tenant_behind(
    bounced: Database, organization: Organization, other_organization: Organization
) -> None:
    async with asyncio.timeout(30):
        await take_turns(bounced, organization, other_organization)


async def take_turns(bounced: Database, one: Organization, other: Organization) -> None:
    for _ in range(40):
        for who, name in ((one, "Harbour & Pine"), (other, "Other House")):
            async with bounced.tenant_batch(who.tenant) as batch:
                batch.queue(RENAME, {"name": name})
                names = batch.add(NAMES)
            assert names.rows == [{"name": name}]
            async with bounced.system_batch() as batch:
                left = batch.add(WHO)
            assert left.value() == ""
    async with bounced.tenant_transaction(one.tenant) as tx:
        assert await tx.value(NAMES) == "Harbour & Pine"
        tx.queue(RENAME, {"name": "Quay"})
    async with bounced.tenant_batch(one.tenant) as batch:
        names = batch.add(NAMES)
    assert names.value() == "Quay"
