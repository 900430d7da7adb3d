"""The deciding of `tidings doctor`, apart from any deployment."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tidings.base.settings import Settings
from tidings.cli.doctor import database, machine, services
from tidings.cli.doctor.database import LoginFacts, ServerFacts
from tidings.db.addresses import Addresses
from tidings.queue.jobs import QueueState

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
PLAIN = LoginFacts(
    "app", is_superuser=False, bypasses_row_security=False, is_app=True, is_owner=False
)


def settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings(home=tmp_path / "home", _env_file=None, **changes)  # type: ignore[arg-type, call-arg]


def test_python() -> None:
    assert machine.check_python((3, 10, 9)).status == "fail"
    assert machine.check_python((3, 13, 0)).status == "ok"


def test_the_server_s_version() -> None:
    assert database.check_version(ServerFacts(140_012, 97)).status == "fail"
    assert database.check_version(ServerFacts(150_000, 97)).detail == "version 15"


@pytest.mark.parametrize(
    "change",
    [
        {"is_superuser": True, "is_owner": True},
        {"bypasses_row_security": True},
        {"is_owner": True},
        {"is_app": False},
        {"is_app": None},
    ],
)
def test_a_service_login_must_be_plain(change: dict[str, bool | None]) -> None:
    assert database.check_login(PLAIN).status == "ok"
    assert database.check_login(msgspec.structs.replace(PLAIN, **change)).status == "fail"


def test_connections_are_added_up(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    embedded = Addresses("a", "o", "l", "r")
    assert database.connections_needed(ours, embedded) == (32, 14)
    assert database.connections_needed(ours, Addresses("a", None, None, None)) == (20, 12)
    assert database.check_connections(ours, embedded, ServerFacts(150_000, 46)).status == "ok"
    assert database.check_connections(ours, embedded, ServerFacts(150_000, 45)).status == "warn"


def test_a_listener_that_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LISTEN_SECONDS", 0.05)
    nowhere = "postgresql://a@127.0.0.1:1/b"
    found = asyncio.run(database.check_listen(None, nowhere))  # type: ignore[arg-type]
    assert found.status == "fail"


@pytest.mark.parametrize(
    ("seen", "due", "status"),
    [
        (None, None, "warn"),
        (timedelta(hours=1), None, "warn"),
        (timedelta(minutes=1), None, "ok"),
        (timedelta(seconds=5), timedelta(seconds=30), "ok"),
        (timedelta(seconds=5), timedelta(minutes=9), "warn"),
    ],
)
def test_workers_by_their_traces(
    seen: timedelta | None, due: timedelta | None, status: str
) -> None:
    facts = QueueState(1, due and NOW - due, seen and NOW - seen)
    assert services.check_worker(facts, NOW).status == status


def test_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = settings(tmp_path)
    assert "will be made" in machine.check_home(ours).detail
    ours.home.mkdir(mode=0o700)
    assert machine.check_home(ours).status == "ok"
    ours.home.chmod(0o777)
    assert machine.check_home(ours).status == "warn"
    monkeypatch.setattr(machine.os, "access", lambda *_: False)
    assert machine.check_home(ours).status == "fail"


def test_where_the_secret_key_is(tmp_path: Path) -> None:
    assert machine.check_secret_key(settings(tmp_path))[0].status == "ok"
    other = settings(tmp_path, database_url="postgresql://h/d")
    assert machine.check_secret_key(other)[0].status == "warn"
    (other.home / "secret.key").chmod(0o644)
    found, keys = machine.check_secret_key(other)
    assert (found.status, keys) == ("fail", None)


def test_the_assets(tmp_path: Path) -> None:
    assert machine.check_assets().status == "ok"
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/htmx.min.js").touch()
    found = machine.check_assets(tmp_path)
    assert found.status == "fail"
    assert "vendor/htmx.min.js" in found.detail
