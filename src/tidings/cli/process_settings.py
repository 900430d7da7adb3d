"""The options that long-running commands share."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tidings.base.settings import Settings, load_settings

Port = Annotated[int | None, Parameter(help="Port of the web server; 0 takes a free one.")]
Home = Annotated[Path | None, Parameter(help="Folder of the embedded PostgreSQL.")]

Supervised = Annotated[
    bool, Parameter(show=False, negative="", help="Begin at a line of standard input, end with it.")
]


def process_settings(port: int | None = None, home: Path | None = None) -> Settings:
    """The settings, with what the command line changes."""
    changes: dict[str, object] = {}
    if port is not None:
        changes["port"] = port
    if home is not None:
        changes["home"] = home.absolute()
    return load_settings(**changes)
