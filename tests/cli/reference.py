"""docs/reference/cli.md, as the command line says it; `python tests/cli/reference.py` writes it."""

from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

from cyclopts import App, Argument

from tidings.cli.main import app

PATH = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"

HEAD = """\
# Command line

`tidings COMMAND --help` says the same. Data goes to standard output: tables on a terminal,
tab-separated lines (or, of a summary, Markdown) into a pipe, JSON with `--json`. Messages, logs and
progress bars go to standard error. Exit codes: 0 ok, 1 failed, 2 used wrongly, 130 interrupted.

Commands act as the owner of the default organization, or of the one that `--organization` names.
They use the database of [the settings](settings.md) and start the embedded one when none runs.

<!-- Written by `python tests/cli/reference.py` from src/tidings/cli. -->
"""


def render_cli() -> str:
    """The text of docs/reference/cli.md."""
    return "\n".join([HEAD, *_sections(app, ("tidings",))])


def _sections(parent: App, path: tuple[str, ...]) -> Iterator[str]:
    for name in sorted(name for name in parent if not name.startswith("-")):
        command = parent[name]
        if not command.show:
            continue
        here = (*path, name)
        if command.default_command is not None:
            yield "\n".join(_section(command, " ".join(here)))
        yield from _sections(command, here)


def _section(command: App, title: str) -> Iterator[str]:
    sentence, _, example = cleandoc(command.default_command.__doc__ or "").partition("\n\n")
    yield f"## {title}\n"
    yield f"{' '.join(sentence.split())}\n"
    yield f"    {example.removeprefix('Example: ')}\n"
    arguments = command.assemble_argument_collection(parse_docstring=True)
    for argument in arguments:
        if not argument.show:
            continue
        yield f"- {_usage(argument)}{_help(argument)}"
    if arguments:
        yield ""


def _usage(argument: Argument) -> str:
    if not argument.names or not argument.names[0].startswith("-"):
        return f"`{argument.name}`"
    return ", ".join(f"`{name}`" for name in argument.names)


def _help(argument: Argument) -> str:
    parts = [argument.parameter.help or ""]
    default = argument.field_info.default
    if argument.required:
        parts.append("Required.")
    elif isinstance(default, str | int | float) and not isinstance(default, bool) and default:
        parts.append(f"Default: {default}.")
    text = " ".join(filter(None, parts))
    return f": {text}" if text else ""


if __name__ == "__main__":
    PATH.write_text(render_cli(), encoding="utf-8")
