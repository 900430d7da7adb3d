"""On a real terminal: tables and a bar, and nothing that meetings could smuggle in."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest


def on_terminal(*arguments: str) -> tuple[int, str]:
    """Run a command whose standard output and error are a terminal."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tidings", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm-256color"},
    )
    os.close(its)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:
            break
        if not read:
            break
        shown += read
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


@pytest.mark.usefixtures("environment")
def test_import_shows_a_bar(sample: Path) -> None:
    code, shown = on_terminal("import", "meetings", str(sample))
    assert code == 0
    assert "created, 0 updated" in shown
    assert "━" in shown
    assert "/19" in shown


def test_hostile_text_stays_text(cli) -> None:
    cli("kv", "set", "k\x1b]0;owned\x07", '"\\u001b[2J[red]"')
    code, shown = on_terminal("kv", "list")
    assert code == 0
    assert "Version" in shown
    assert "k]0;owned" in shown
    assert "[red]" in shown
    assert "\x1b]0;" not in shown
    assert "\x1b[2J" not in shown
