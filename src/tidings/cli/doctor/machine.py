"""What this machine and installation must have; no database is asked."""

import os
import stat
import sys
from pathlib import Path

from tidings.base.errors import TidingsError
from tidings.base.settings import Settings
from tidings.cli.doctor.finding import Finding, fail, ok, warn
from tidings.tenancy.secret_keys import FILE_NAME, SecretKeys, load_secret_keys
from tidings.web.assets import STATIC

OLDEST_PYTHON = (3, 11)
ASSETS = ("vendor/htmx.min.js", "css/tokens.css", "js/progress.js")
"""What the pages load; the vendor folder is filled when Tidings is built."""


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """The interpreter is new enough."""
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return fail("python", f"Python {text}", "Install Python 3.11 or newer and Tidings in it.")
    return ok("python", f"Python {text}")


def check_home(settings: Settings) -> Finding:
    """The home folder is ours to write and nobody else's to read."""
    home = settings.home.expanduser()
    found = _first_existing(home)
    if not os.access(found, os.W_OK | os.X_OK):
        return fail(
            "home",
            f"{found} cannot be written by this user.",
            "Correct its rights, or set TIDINGS_HOME to another folder.",
        )
    if found != home:
        return ok("home", f"{home} will be made when it is needed.")
    if stat.S_IMODE(home.stat().st_mode) & 0o022:
        return warn(
            "home",
            f"{home} can be written by others.",
            f"Run `chmod go-w {home}`: it holds the database and the secret key.",
        )
    return ok("home", str(home))


def check_secret_key(settings: Settings) -> tuple[Finding, SecretKeys | None]:
    """There is a key that seals secrets, and the key itself for the checks that open some."""
    try:
        keys = load_secret_keys(settings)
    except (TidingsError, OSError) as error:
        return fail("secret key", str(error), "Stored secrets cannot be read without it."), None
    if settings.secret_key is None:
        place = settings.home / FILE_NAME
        if settings.is_embedded:
            return ok("secret key", f"in {place}"), keys
        return (
            warn(
                "secret key",
                f"in {place}, on this machine alone",
                "Set TIDINGS_SECRET_KEY to the same key on every machine of this deployment.",
            ),
            keys,
        )
    return ok("secret key", "set by TIDINGS_SECRET_KEY"), keys


def check_assets(folder: Path = STATIC) -> Finding:
    """The pages' scripts and styles are installed."""
    missing = [
        name
        for name in ASSETS
        if not (folder / name).is_file() or (folder / name).stat().st_size == 0
    ]
    if missing:
        return fail(
            "static assets",
            f"missing: {', '.join(missing)}",
            "Install Tidings from a built package, or run `make install` in the checkout.",
        )
    return ok("static assets", "installed")


def _first_existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())
