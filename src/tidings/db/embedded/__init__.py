"""The embedded PostgreSQL: the wheel's binaries, a private socket, one cluster per home."""

from tidings.db.embedded.server import Cluster, EmbeddedServer, Status

__all__ = ["Cluster", "EmbeddedServer", "Status"]
