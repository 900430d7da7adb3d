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
    "demo": ("up:demo", "As `up`, with a sample company summarised before it says ready."),
    "up": ("up:up", "Run PostgreSQL, web and worker on this machine until stopped."),
    "serve": ("serve:serve", "Run the web server alone, on a migrated database."),
    "work": ("work:work", "Run a worker alone, on a migrated database."),
    "import": ("importing:app", "Take in meetings."),
    "engagement": ("engagement:app", "Make and read summaries of all meetings with a company."),
    "kv": ("kv:app", "Read, write and watch the KV store."),
    "keys": ("keys:app", "Make, list and revoke API keys."),
    "sign-in-link": ("sign_in:sign_in_link", "Print a link that signs a member in once."),
    "members": ("members:app", "List and add the people of an organization."),
    "organizations": ("organizations:app", "Make organizations beside the default one."),
    "secrets": ("secrets:app", "Set, list and delete an organization's sealed secrets."),
    "settings": ("settings:settings", "Print the effective settings, secrets masked."),
    "migrate": ("migrate:app", "Bring the schema up or down, or look at it."),
    "doctor": ("doctor.command:doctor", "Check everything that a deployment needs."),
}
for name, (place, sentence) in COMMANDS.items():
    app.command(f"tidings.cli.{place}", name=name, help=sentence)


def run(arguments: Sequence[str]) -> int:
    """Run one command and answer with its exit code; what went wrong is on standard error."""
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
