"""Make the data folder of a home, or say why the one that is there cannot be used."""

import os
import secrets
import shutil
from pathlib import Path

from tidings.base.errors import DatabaseUnavailable
from tidings.db.embedded.folder import Layout, make_private, other_releases, write_private
from tidings.db.embedded.programs import Programs

SUPERUSER = "postgres"
_INITDB = 300.0  # seconds


def create(layout: Layout, programs: Programs, *, throwaway: bool) -> str:
    """Make the data folder when there is none; the superuser's password."""
    _refuse_other_release(layout, programs)
    exists = (layout.data / "PG_VERSION").exists()
    password = _password(layout, exists=exists)
    if not exists:
        _initdb(layout, programs, password, throwaway=throwaway)
    return password


def _refuse_other_release(layout: Layout, programs: Programs) -> None:
    others = other_releases(layout.store, programs.major)
    if others and others[-1] > programs.major:
        raise DatabaseUnavailable(
            f"The data in {layout.store / str(others[-1])} was written by PostgreSQL {others[-1]}, "
            f"and this Tidings ships {programs.major}, which cannot read it. Use the newer Tidings "
            "again, or set TIDINGS_HOME to another folder."
        )
    if not others or (layout.data / "PG_VERSION").exists():
        return
    old = others[-1]
    raise DatabaseUnavailable(
        f"The data in {layout.store / str(old)} was written by PostgreSQL {old}, and this Tidings "
        f"ships {programs.major}. To keep it: 1. with the Tidings that wrote it, run `tidings up` "
        "and beside it `pg_dump --format=custom --file tidings.dump` of its database; 2. stop it "
        f"and move {layout.store / str(old)} out of the way; 3. run this `tidings up`, and beside "
        f"it `{programs.folder / 'pg_restore'} --clean --if-exists` of that file into the new "
        "database. To begin anew instead, set TIDINGS_HOME to another folder."
    )


def _password(layout: Layout, *, exists: bool) -> str:
    """The superuser's password, made up the first time."""
    try:
        return layout.password.read_text(encoding="ascii")
    except FileNotFoundError:
        if exists:
            raise DatabaseUnavailable(
                f"The password of the database is missing: put {layout.password} back from your "
                "backup."
            ) from None
    password = secrets.token_urlsafe(32)
    write_private(layout.password, password)
    return password


def _initdb(layout: Layout, programs: Programs, password: str, *, throwaway: bool) -> None:
    """Make the data folder beside its place, then move it there: a kill leaves no half of one."""
    for left in layout.release.glob("*.new-*"):
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
    # The initdb of a killed process may still be at work, so the names are new each time.
    mark = secrets.token_hex(4)
    making = layout.release / f"data.new-{mark}"
    handed = layout.release / f"password.new-{mark}"
    make_private(making, programs.account)
    write_private(handed, password, programs.account)
    try:
        done = programs.run(
            "initdb",
            *("--pgdata", making, "--username", SUPERUSER, "--pwfile", handed),
            *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *(["--no-sync"] if throwaway else []),
            cwd=layout.release,
            timeout=_INITDB,
        )
    finally:
        handed.unlink(missing_ok=True)
    if done.returncode != 0:
        shutil.rmtree(making, ignore_errors=True)
        raise DatabaseUnavailable(
            f"The database could not be made in {layout.release}: {done.stderr.strip()} Free some "
            "space or correct the folder's rights, and start again."
        )
    with (making / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude_if_exists = '../tidings.conf'\n")
        file.flush()
        os.fsync(file.fileno())
    making.rename(layout.data)
    # Until the new name is on disk, a power cut would bring the old one back, and the next start
    # would take it for half-made and delete it.
    _sync(layout.release)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
