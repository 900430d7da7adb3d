"""Where the embedded PostgreSQL keeps its things, and who may open them.

Below the home, `postgres/` (0700) holds the password, the two lock files and, per major release,
`data`, `run` (the socket), `log` and `tidings.conf`. As root the releases live in
`/var/lib/tidings/<id>` instead, and `postgres/id` in the home names it: the home stays the
authority, and a deleted home means a new cluster.
"""

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

import msgspec

from tidings.base.errors import DatabaseUnavailable
from tidings.db.embedded.account import Account, system_folder

PORT = 5432  # only names the socket file; nothing listens on TCP
# sun_path holds 104 bytes on macOS and 108 on Linux, the last one a NUL.
_LONGEST_SOCKET = 103


class Layout(msgspec.Struct, frozen=True):
    """The folders of one release's cluster."""

    root: Path  # home/postgres: ours, 0700
    store: Path  # the folder of the releases: root, or /var/lib/tidings/<id>
    release: Path
    socket: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.release / "data"

    @property
    def log(self) -> Path:
        """The folder of the server's log files."""
        return self.release / "log"

    @property
    def password(self) -> Path:
        """The file with the superuser's password."""
        return self.root / "password"


def open_root(home: Path) -> Path:
    """`home/postgres`, made with mode 0700 (and the home too, when it is missing)."""
    root = home / "postgres"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
        owner = root.stat().st_uid
        if owner == os.geteuid():
            root.chmod(0o700)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The database folder {root} cannot be used: {error.strerror}. Make it writable for "
            "this user, or set TIDINGS_HOME to another folder."
        ) from error
    if owner != os.geteuid():
        raise DatabaseUnavailable(
            f"The database folder {root} belongs to the user with id {owner}, but Tidings runs as "
            f"{os.geteuid()}. Run it as that user, or set TIDINGS_HOME to another folder."
        )
    return root


def layout_of(root: Path, account: Account, major: int) -> Layout | None:
    """Where the cluster is, without making anything; None when it was never begun."""
    store = root
    if account.is_other:
        try:
            store = system_folder() / (root / "id").read_text(encoding="ascii")
        except FileNotFoundError:
            return None
    release = store / str(major)
    socket = release / "run"
    path = socket / f".s.PGSQL.{PORT}"
    # libpq takes a comma for the end of one host of several.
    if len(os.fsencode(path)) > _LONGEST_SOCKET or "," in str(path):
        name = hashlib.sha256(os.fsencode(release)).hexdigest()[:12]
        base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        socket = Path(base) / f"tidings-{name}"
    return Layout(root, store, release, socket)


def make_layout(root: Path, account: Account, major: int) -> Layout:
    """Where the cluster is, its folders made and theirs who may use them."""
    if account.is_other and not (root / "id").exists():
        write_private(root / "id", secrets.token_hex(8))
    layout = layout_of(root, account, major)
    assert layout is not None
    for folder in (layout.store, layout.release):
        # Root's own, so that the account cannot put anything else in the place of what is in it.
        folder.mkdir(mode=0o700, exist_ok=True)
        if account.is_other:
            os.chown(folder, 0, account.gid)
            folder.chmod(0o750)
    make_private(layout.log, account)
    return layout


def make_private(folder: Path, account: Account) -> None:
    """`folder` as the account's own, mode 0700; refuses one that somebody else put there."""
    try:
        folder.mkdir(mode=0o700)
        account.give(folder)
        return
    except FileExistsError:
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {account.uid, os.geteuid()}:
        raise DatabaseUnavailable(
            f"{folder} is in the way: it is not a folder of ours. Remove it, or set "
            "XDG_RUNTIME_DIR to a folder that only you can write."
        )
    folder.chmod(0o700)
    account.give(folder)


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write `text` to `path`, whole or not at all, 0600, `account`'s own when one is given."""
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if account is not None and account.is_other:
                os.fchown(descriptor, account.uid, account.gid)
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def other_releases(store: Path, major: int) -> list[int]:
    """The major releases other than `major` that have data in `store`, in order."""
    found = store.glob("*/data/PG_VERSION")
    names = [path.parent.parent.name for path in found]
    return sorted(int(name) for name in names if name.isdecimal() and int(name) != major)
