"""Which files a person means by a list of paths."""

from collections.abc import Iterable
from pathlib import Path

from tidings.meetings.formats.read import EXTENSIONS


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and those below the folders named that may hold meetings, once each.

    In folders, hidden ones and read-me files are passed over.
    """
    found = (file for path in paths for file in (_below(path) if path.is_dir() else [path]))
    return list(dict.fromkeys(found))


def _below(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS
        and path.stem.lower() != "readme"
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
