"""A progress bar on standard error, to a terminal only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tidings.cli.output import plain


class Bar:
    """Shows a stage and how far it is; nothing where nobody looks."""

    def __init__(self, progress: Progress | None) -> None:
        """Made by `open_bar`."""
        self._progress = progress
        self._task = progress.add_task("", total=None) if progress else None

    def at(self, stage: str, done: int, total: int) -> None:
        """Show `done` of `total` steps of a stage; a total of 0 is not known yet."""
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task, description=plain(stage), completed=done, total=total or None
            )


@contextmanager
def open_bar() -> Iterator[Bar]:
    """A bar for the block."""
    if not sys.stderr.isatty():
        yield Bar(None)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress)
