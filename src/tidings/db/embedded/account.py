"""Who runs the embedded PostgreSQL.

PostgreSQL refuses to run as root. Started by root, it runs as the system user `tidings`, below
`/var/lib/tidings`: the home may be closed to that user and no parent folder is opened for it.
"""

import os
import pwd
import stat
import subprocess
from pathlib import Path

import msgspec

from tidings.base.errors import DatabaseUnavailable

SYSTEM_USER = "tidings"
SYSTEM_FOLDER = Path("/var/lib/tidings")
_USERADD = "useradd"
_USERADD_EXISTS = 9  # its answer when the user exists


class Account(msgspec.Struct, frozen=True):
    """A user that PostgreSQL runs as."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether it is someone else than this process."""
        return self.uid != os.geteuid()

    def give(self, path: Path) -> None:
        """Make `path` the account's own, when it is not this process's account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def current_account() -> Account:
    """The account that PostgreSQL runs as: our own, or as root the system user `tidings`.

    Makes the system user when it is missing; `DatabaseUnavailable` when that cannot be done.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    entry = _look_up() or _make_user()
    if entry.pw_uid == 0:
        raise DatabaseUnavailable(
            f"The system user {SYSTEM_USER!r} has the rights of root, and PostgreSQL refuses to "
            "run as root. Give it another uid, or run Tidings as an ordinary user."
        )
    return Account(entry.pw_uid, entry.pw_gid)


def _look_up() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _make_user() -> pwd.struct_passwd:
    command = [_USERADD, "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", str(SYSTEM_FOLDER), "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, env={"PATH": path}, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        failed, why = True, str(error)
    else:
        # Another process may have made the user since we looked.
        failed = done.returncode not in {0, _USERADD_EXISTS}
        why = done.stderr.strip()
    entry = None if failed else _look_up()
    if entry is None:
        raise DatabaseUnavailable(
            f"PostgreSQL refuses to run as root, and the system user {SYSTEM_USER!r} could not be "
            f"made ({why or 'it is still unknown'}). Make it with `{' '.join(command)}`, run "
            "Tidings as an ordinary user, or set TIDINGS_DATABASE_URL to a server of yours."
        )
    return entry


def system_folder() -> Path:
    """`/var/lib/tidings`, made when missing, checked to be root's alone to write."""
    try:
        SYSTEM_FOLDER.mkdir(mode=0o755, exist_ok=True)
        found = SYSTEM_FOLDER.lstat()
    except OSError as error:
        raise DatabaseUnavailable(f"{SYSTEM_FOLDER} cannot be made: {error}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise DatabaseUnavailable(
            f"{SYSTEM_FOLDER} must be a folder that belongs to root and that only root can write; "
            f"correct it with `chown root:root {SYSTEM_FOLDER} && chmod 755 {SYSTEM_FOLDER}`."
        )
    return SYSTEM_FOLDER
