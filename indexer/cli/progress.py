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
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column

from indexer.reports import Progress as IngestProgress
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME_WIDTH = 32


class Bars(IngestProgress):
    """One bar over all files, and one over each video being worked on."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._files = bars.add_task("files", total=None, visible=False, unit="")
        self._videos: dict[str, TaskID] = {}

    def start_run(self, files: int) -> None:
        """Set the number of files."""
        self._bars.update(self._files, total=files, visible=True)

    def start_file(self, path: str, duration_s: float | None) -> None:
        """Show a video's own bar."""
        if duration_s:
            name = shown(path.rsplit("/", 1)[-1])
            self._videos[path] = self._bars.add_task(name, total=duration_s, unit="s")

    def reach(self, path: str, done_s: float) -> None:
        """Move the video's bar."""
        if path in self._videos:
            self._bars.update(self._videos[path], completed=done_s)

    def finish_file(self, path: str) -> None:
        """Move the bar over all files."""
        if path in self._videos:
            self._bars.remove_task(self._videos.pop(path))
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
