"""What we set in the server's configuration, and why."""

from tidings.db.embedded.account import Account
from tidings.db.embedded.folder import PORT, Layout, write_private

_SETTINGS = """\
# Written by Tidings at each start. Your own settings belong in ALTER SYSTEM.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 1GB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
client_encoding = 'UTF8'
# One file per weekday, begun anew after a week; a line per error, without the statement,
# which may be a megabyte of somebody's words.
logging_collector = on
log_directory = '{log}'
log_filename = 'postgresql-%a.log'
log_file_mode = 0600
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""
_THROWAWAY = """\
# A test cluster: it may lose everything when the machine stops.
fsync = off
full_page_writes = off
synchronous_commit = off
"""


def write_settings(layout: Layout, account: Account, *, throwaway: bool) -> None:
    """Write our settings beside the data folder, whose postgresql.conf includes them."""
    # The setting is a list, so a path is in double quotes inside the single ones.
    socket = '"' + str(layout.socket).replace('"', '""') + '"'
    text = _SETTINGS.format(port=PORT, socket=_quoted(socket), log=_quoted(str(layout.log)))
    text += _THROWAWAY if throwaway else ""
    write_private(layout.release / "tidings.conf", text, account)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
