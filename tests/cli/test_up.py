"""`tidings demo` as a person or a harness starts it: a real process with its children."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
import pytest

from tidings.base.errors import TidingsError
from tidings.cli import work
from tidings.cli.ready import local_url

SECONDS = 60


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, database_url: str, owner_url: str, tmp_path: Path
) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TIDINGS_")}
    return kept | {
        "TIDINGS_HOME": str(tmp_path / "home"),
        "TIDINGS_DATABASE_URL": database_url,
        "TIDINGS_OWNER_URL": owner_url,
        "TIDINGS_LISTEN_URL": database_url,
        "TIDINGS_POOL_PRIMARY_MIN": "1",
        **getattr(request, "param", {}),
    }


@pytest.fixture
def demo(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tidings", "demo", "--json", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            cwd=tmp_path,
        )
        yield process
        if process.poll() is None:
            process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, log.read_text()
    answer: dict[str, str] = json.loads(line)
    return answer


def test_it_says_one_line_when_the_sample_is_summarised(
    demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    said = ready(demo, tmp_path / "log")
    assert set(said) == {"url", "sign_in_url", "api_key"}
    headers = {"authorization": f"Bearer {said['api_key']}"}
    with httpx.Client(base_url=said["url"], headers=headers, trust_env=False) as client:
        company = client.get("/v1/companies/northwind.example").json()
        summary = company["latest"]["summary"]
        assert summary["meetings_count"] == company["meetings_count"] == 14
        assert summary["goals"]
        assert summary["overview"]
        assert summary["changes"]["new"]
        assert client.get("/readyz").status_code == 200
    page = httpx.get(said["sign_in_url"], trust_env=False)
    assert "Sign in with this link" in page.text
    children = psutil.Process(demo.pid).children()
    assert {os.getpgid(child.pid) for child in children} == {os.getpgid(demo.pid)}
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(SECONDS) == 0
    assert psutil.wait_procs(children, SECONDS)[1] == []


@pytest.mark.parametrize(
    "environment", [{"TIDINGS_BASE_URL": "https://tidings.example"}], indirect=True
)
def test_the_parts_end_when_the_parent_is_killed(
    demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    # The public address need not lead here yet, nor ever from here.
    assert ready(demo, tmp_path / "log")["url"] == "https://tidings.example"
    children = psutil.Process(demo.pid).children()
    assert len(children) >= 2
    demo.kill()
    assert psutil.wait_procs(children, SECONDS)[1] == []


async def test_a_sample_that_fails_ends_the_worker_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise TidingsError("The sample's summary failed: no engine.")

    class Worker:
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    monkeypatch.setattr(work, "announce", fails)
    worker = Worker()
    await work._announce(cast("Any", None), cast("Any", worker), sample=True)
    assert worker.stopped
    assert "no engine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8420"),
        ("0.0.0.0", "http://127.0.0.1:8420"),
        ("::", "http://[::1]:8420"),
        ("db.internal", "http://db.internal:8420"),
    ],
)
def test_where_the_server_answers_here(host: str, url: str) -> None:
    assert local_url(host, 8420) == url
