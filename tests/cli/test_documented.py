"""docs/reference/cli.md says what the command line says."""

from collections.abc import Iterator

import pytest
from cyclopts import App

from cli.reference import PATH, render_cli
from tidings.cli.main import app, run

WITHOUT_JSON = {
    "tidings keys revoke",
    "tidings members export",  # JSON lines, whoever reads
    "tidings members remove",
    "tidings members role",
    "tidings mailbox delete",
    "tidings mailbox set",
    "tidings secrets delete",
    "tidings secrets set",
    "tidings serve",
    "tidings work",
}
"""They print no data."""


def commands(parent: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    for name in parent:
        if not name.startswith("-") and parent[name].show:
            command = parent[name]
            if command.default_command is None:
                yield from commands(command, (*path, name))
            else:
                yield " ".join(("tidings", *path, name)), command


COMMANDS = dict(commands(app))


def test_the_reference_is_current() -> None:
    assert PATH.read_text("utf-8") == render_cli(), "run `python tests/cli/reference.py`"


def test_the_reference_has_every_command() -> None:
    text = PATH.read_text("utf-8")
    assert [name for name in COMMANDS if f"## {name}\n" not in text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_one_example_and_data_has_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*name.split()[1:], "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("Example: ") == 1
    assert name in shown.partition("Example: ")[2]
    assert ("--json" in shown) is (name not in WITHOUT_JSON)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_parameter_has_a_help_line(name: str) -> None:
    for argument in COMMANDS[name].assemble_argument_collection(parse_docstring=True):
        assert argument.parameter.help, f"{name} {argument.name}"
