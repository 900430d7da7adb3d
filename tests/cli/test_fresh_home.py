"""Nothing set, nothing running: a command brings its own PostgreSQL."""

import asyncio
from pathlib import Path

import pytest

from tidings.db.embedded import EmbeddedServer


@pytest.fixture
def fresh_home(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("DATABASE_URL", "OWNER_URL", "LISTEN_URL"):
        monkeypatch.delenv(f"TIDINGS_{name}")
    home = tmp_path / "fresh"
    monkeypatch.setenv("TIDINGS_HOME", str(home))
    yield home
    asyncio.run(EmbeddedServer(home).destroy())


def test_a_summary_on_a_fresh_home(cli, process, fresh_home: Path, sample: Path) -> None:
    meetings = map(str, sample.glob("*calder*"))
    assert cli("import", "meetings", *meetings).out.startswith("2 created")
    made = process("engagement", "run", "calder.example", "--no-sync", "--json")
    assert made.code == 0
    assert made.json["summary"]["meetings_count"] == 2
    healthy = cli("doctor", "--json")
    assert healthy.code == 0
    assert {f["check"]: f["status"] for f in healthy.json}["secret key"] == "ok"
    assert not asyncio.run(EmbeddedServer(fresh_home).status()).running
    # An older schema may be in use by an older program, so nobody migrates it unasked.
    assert cli("migrate", "down", "-1", "--yes").code == 0
    assert "tidings migrate up" in cli("kv", "list").err
