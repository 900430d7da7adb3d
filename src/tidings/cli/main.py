"""The command line: every command, and the one place where an error becomes an exit code.

0 ok, 1 failed, 2 used wrongly, 130 interrupted.
"""

import asyncio
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from cyclopts import App, CycloptsError, Parameter

from tidings import __version__
from tidings.base.errors import TidingsError
from tidings.cli.output import say
from tidings.db.failures import translate

OK, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130

app = App(
    name="tidings",
    help="Self-hosted engagement intelligence on one Postgres.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative_iterable=(), show_default=lambda value: value or None),
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
# By name: a command loads what it needs, not what all of them need.
COMMANDS = {
    "demo": "up:demo",
    "up": "up:up",
    "serve": "serve:serve",
    "work": "work:work",
    "import": "importing:app",
    "mailbox": "mailbox:app",
    "engagement": "engagement:app",
    "summaries": "summaries:app",
    "jobs": "jobs:app",
    "kv": "kv:app",
    "ai": "ai:app",
    "keys": "keys:app",
    "audit": "audit:app",
    "sign-in-link": "sign_in:sign_in_link",
    "members": "members:app",
    "organizations": "organizations:app",
    "secrets": "secrets:app",
    "settings": "settings:settings",
    "migrate": "migrate:app",
    "doctor": "doctor.command:doctor",
    "bench": "bench.command:app",
}
for command, place in COMMANDS.items():
    app.command(f"tidings.cli.{place}", name=command)


def load_all() -> App:
    """The command line with every command loaded, as its own help needs it."""
    for name in COMMANDS:
        app[name]
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command and answer with its exit code; what went wrong is on standard error."""
    if not arguments or arguments[0] in ("--help", "-h"):
        load_all()
    try:
        result = app(list(arguments))
    except CycloptsError as error:
        say(f"{error}\n`tidings --help` lists the commands, and each has --help.")
        return MISUSED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        known = translate(error)
        if not isinstance(known, TidingsError):
            raise
        say(_sentence(known))
        return FAILED
    return result if isinstance(result, int) else OK


def _sentence(error: TidingsError) -> str:
    """The message, and what it does not say yet of the fields."""
    details = [
        f"  {problem.field} {problem.message}"
        for problem in error.errors
        if problem.message not in error.message
    ]
    return "\n".join([error.message, *details])


def main() -> None:
    """The entry point of the program `tidings`."""
    for stream in (sys.stdout, sys.stderr):
        # What the terminal's encoding cannot say must not end a command.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more can be said to them.
        sys.stdout = None
        code = FAILED
    sys.exit(code)
