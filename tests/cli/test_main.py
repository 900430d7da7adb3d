"""Exit codes, and where messages go."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from cyclopts import App

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.cli import main
from tidings.cli.main import run


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> App:
    app = App(
        name="tidings",
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    monkeypatch.setattr(main, "app", app)
    return app


def test_help_and_version_are_ok(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert run(["kv", "set", "--help"]) == 0
    assert run(["--version"]) == 0
    assert "tidings kv set greeting" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["kv", "nonsense"],
        ["kv", "get"],
        ["kv", "get", "a", "b"],
        ["kv", "list", "--limit", "many"],
        ["kv", "list", "--limit", "0"],
        ["kv", "delete"],
        ["kv", "delete", "--prefix", ""],
        ["kv", "delete", "a", "--prefix", "a"],
        ["migrate", "down"],
        ["migrate", "down", "0001"],
        ["migrate", "down", "everything", "--yes"],
        ["engagement", "show", "a.com", "--json", "--markdown"],
        ["keys", "revoke", "not-a-uuid"],
        ["members", "add", "a@b.example", "--role", "emperor"],
        ["import", "meetings"],
    ],
)
def test_misuse_is_two_and_explained(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "--help" in said.err


def test_what_a_command_answers_is_the_code(commands: App) -> None:
    @commands.command
    def answer(code: int) -> int:
        return code

    @commands.command
    def nothing() -> None: ...

    assert run(["answer", "1"]) == 1
    assert run(["nothing"]) == 0


def test_an_error_is_its_message_and_its_fields(
    commands: App, capsys: pytest.CaptureFixture[str]
) -> None:
    @commands.command
    def break_it() -> None:
        raise InputInvalid(errors=[FieldProblem("name", "is empty")])

    assert run(["break-it"]) == 1
    assert capsys.readouterr().err == "The request is not valid; see errors.\n  name is empty\n"


def test_a_defect_keeps_its_traceback(commands: App) -> None:
    @commands.command
    def break_it() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(["break-it"])


def test_an_interrupt_is_130(commands: App) -> None:
    @commands.command
    def wait() -> None:
        raise KeyboardInterrupt

    @commands.command
    async def cancelled() -> None:
        raise asyncio.CancelledError

    assert run(["wait"]) == 130
    assert run(["cancelled"]) == 130


def test_a_bad_setting_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "port-of-secrets")
    assert run(["settings"]) == 1
    said = capsys.readouterr().err
    assert "TIDINGS_PORT" in said
    assert "port-of-secrets" not in said


def test_the_program_ends_with_the_code(process) -> None:
    assert process("kv", "get").code == 2
    assert process("settings", "--json").code == 0


def test_a_reader_that_left_is_no_traceback(process, environment) -> None:
    process("kv", "set", "k", '"' + "x" * 1000 + '"')
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "tidings", "kv", "list"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=90,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_sigterm_ends_a_command_with_its_clean_up(environment) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "tidings", "kv", "watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stderr is not None
    assert "Watching" in watching.stderr.readline()
    watching.send_signal(signal.SIGTERM)
    _, said = watching.communicate(timeout=30)
    assert watching.returncode == 130
    assert "Traceback" not in said


@pytest.mark.parametrize(("ends", "code"), [(lambda _: 1, 1), (BrokenPipeError, 1)])
def test_main_ends_the_process(ends, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(arguments: list[str]) -> int:
        if ends is BrokenPipeError:
            raise BrokenPipeError
        return ends(arguments)

    monkeypatch.setattr(main, "run", end)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == code


def test_a_pipe_that_breaks_within_a_command_is_for_main(commands: App) -> None:
    @commands.command
    def write() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run(["write"])
