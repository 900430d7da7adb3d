"""`tidings engagement` alone makes a summary, and prints it."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from tidings.base.ids import uuid7
from tidings.cli import follow
from tidings.cli.session import open_session
from tidings.queue.runs import cancel_run

DOMAIN = "calder.example"


@pytest.fixture
def imported(cli, sample: Path) -> None:
    assert cli("import", "meetings", *map(str, sample.glob("*calder*"))).code == 0


@pytest.mark.usefixtures("imported")
def test_a_run_needs_no_other_process(cli) -> None:
    made = cli("engagement", "run", f"https://www.{DOMAIN.upper()}/", "--no-sync")
    assert made.code == 0
    assert made.out.startswith(f"# {DOMAIN}\n")
    assert "## Sources" in made.out
    assert "No worker takes it" in made.err

    record = cli("engagement", "show", DOMAIN, "--json").json
    assert (record["status"], record["domain"]) == ("complete", DOMAIN)
    assert record["summary"]["meetings_count"] == 2

    by_id = cli("engagement", "show", DOMAIN, "--run-id", record["run_id"], "--markdown")
    assert by_id.out == made.out

    page = cli("engagement", "show", DOMAIN, terminal=True)
    assert page.code == 0
    assert "Sources" in page.out
    assert "[1]" in page.out
    assert "no-shows" in page.out

    again = cli(
        "engagement",
        "run",
        DOMAIN,
        "--no-sync",
        "--here",
        "--json",
        "--engine",
        "LOCAL",
        "--force",
        "--include-subdomains",
    )
    assert again.json["summary"]["meetings_count"] == 2
    assert again.json["run_id"] != record["run_id"]


def test_without_waiting_the_run_is_only_started(cli) -> None:
    started = cli("engagement", "run", DOMAIN, "--no-wait", "--json").json
    assert started["created"]
    joined = cli("engagement", "run", DOMAIN, "--no-wait")
    assert joined.out == f"{started['run_id']}\n"
    assert "under way" in joined.err
    shown = cli("engagement", "show", DOMAIN, "--run-id", started["run_id"])
    assert (shown.code, shown.out) == (0, "")
    assert "processing" in shown.err
    none_yet = cli("engagement", "show", DOMAIN)
    assert none_yet.code == 1
    assert "tidings engagement run" in none_yet.err


def test_waiting_ends(cli) -> None:
    done = cli("engagement", "run", DOMAIN, "--no-here", "--timeout", "0.2")
    assert done.code == 1
    assert "did not end within 0.2 seconds" in done.err


def test_the_error_of_a_run_is_the_command_s(cli) -> None:
    done = cli("engagement", "run", DOMAIN, "--sync", "--here")
    assert done.code == 1
    assert "FATHOM_API_KEY not configured" in done.err
    assert cli("engagement", "run", DOMAIN, "--engine", "hal:9000").code == 1
    assert cli("engagement", "run", "not a domain").code == 1


def test_a_cancelled_run_says_so(cli, environment) -> None:
    run_id = UUID(cli("engagement", "run", DOMAIN, "--no-wait").out.strip())

    async def cancel() -> None:
        async with open_session() as session:
            await cancel_run(session.db, session.tenant.as_service(), run_id)
            await follow.follow(session, run_id, seconds=60, here=False)

    with pytest.raises(follow.RunCancelled):
        asyncio.run(cancel())


def test_a_worker_that_dies_ends_the_wait(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, *_: object) -> None: ...

        async def run(self) -> None:
            return

        def stop(self) -> None: ...

    monkeypatch.setattr(follow, "build_worker", Broken)
    done = cli("engagement", "run", DOMAIN, "--here")
    assert done.code == 1
    assert "worker stopped" in done.err


def test_what_is_not_there_is_said(cli) -> None:
    assert "stored here" in cli("engagement", "show", "nowhere.example").err
    missing = cli("engagement", "show", DOMAIN, "--run-id", str(uuid7()))
    assert missing.code == 1
