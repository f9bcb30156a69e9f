"""Progress bars on standard error; quiet where that is no terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column

from indexer.ingest import Progress as IngestProgress
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME_WIDTH = 32


class Bars(IngestProgress):
    """One bar over all files, and one over the video being worked on."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._files = bars.add_task("files", total=None, visible=False, unit="")
        self._video = bars.add_task("", total=None, visible=False, unit="s")

    def start_run(self, files: int) -> None:
        """Set the number of files."""
        self._bars.update(self._files, total=files, visible=True)

    def start_file(self, path: str, duration_s: float | None) -> None:
        """Show a video's own bar."""
        name = shown(path.rsplit("/", 1)[-1])
        self._bars.reset(self._video, total=duration_s, visible=bool(duration_s), description=name)

    def reach(self, timestamp_s: float) -> None:
        """Move the video's bar."""
        self._bars.update(self._video, completed=timestamp_s)

    def finish_file(self) -> None:
        """Move the bar over all files."""
        self._bars.update(self._video, visible=False)
        self._bars.advance(self._files)


@contextmanager
def file_bars() -> Iterator[Bars]:
    """Show bars while files are worked on."""
    narrow = Column(max_width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.description}", markup=False, table_column=narrow),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
    )
    with _progress(columns) as bars:
        yield Bars(bars)


@contextmanager
def download_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of bytes; yields the function to tell done and total."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _progress(columns) as bars:
        task = bars.add_task(name, total=None, visible=False)

        def tell(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total, visible=True)

        yield tell


def _progress(columns: tuple[ProgressColumn, ...]) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
