"""Lines and tables on standard output and standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from indexer.text import clock, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from indexer.records import Result

SPANS_SHOWN = 4


def spans(result: Result) -> str:
    """Return a result's appearances, e.g. `00:12.4-00:18.0`, the best moment in brackets."""
    if result.media.kind == "photo":
        return ""
    listed = [f"{clock(a.start_s)}–{clock(a.end_s)}" for a in result.appearances[:SPANS_SHOWN]]
    more = len(result.appearances) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; where standard output is no terminal it is as wide as it needs to be."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        numeric = header in {"faces", "media", "score", "#", "size", "labels"}
        grid.add_column(header, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(shown(cell)) for cell in row))
    console = Console() if sys.stdout.isatty() else Console(width=10_000)
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        say(line.rstrip())


def say(text: str) -> None:
    """Print a line on standard output."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.write(f"{text}\n")
