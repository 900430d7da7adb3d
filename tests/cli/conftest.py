"""Fixtures: the command line in this process, and as a process of its own."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tidings.cli.main import run


class Done(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


Cli = Callable[..., Done]


@pytest.fixture
def sample() -> Path:
    import tidings.cli

    return Path(tidings.cli.__file__).parent / "sample"


@pytest.fixture
def environment(
    database_url: str, owner_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What a deployment on the test's database sets; nothing of the machine's own."""
    for name in list(os.environ):
        if name.startswith("TIDINGS_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    ours = {
        "TIDINGS_DATABASE_URL": database_url,
        "TIDINGS_OWNER_URL": owner_url,
        "TIDINGS_LISTEN_URL": database_url,
        "TIDINGS_HOME": str(tmp_path / "home"),
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return ours


@pytest.fixture
def cli(
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kept_logs: None,
) -> Cli:
    """Runs a command in this process; `terminal` says that standard output is one."""

    def call(*arguments: str, stdin: str | None = None, terminal: bool = False) -> Done:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        if stdin is not None:
            given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
            monkeypatch.setattr(sys, "stdin", given)
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return call


@pytest.fixture
def kept_logs() -> Iterator[None]:
    """Commands configure logs; the tests' own come back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def process(environment: dict[str, str]) -> Cli:
    """Runs a command as `python -m tidings`."""

    def call(*arguments: str, stdin: str = "") -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "tidings", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call
