"""Lines and tables on standard output, notes on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from indexer.errors import PurgeUnfinished
from indexer.text import clock, counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from indexer.records import Deleted
    from indexer.results import Result

SPANS_SHOWN = 4
NUMBERS = {
    "#", "a minute", "attempts", "decode errors", "faces", "failed", "frames", "key frames", "left",
    "media", "parts", "possible", "same person", "score",
}  # fmt: skip
FREE = {"path", "person", "when", "where"}
"""Columns of texts that may be long: a narrow terminal folds these and no others."""

LEAST_WIDTH = 80
"""Narrower terminals wrap whole lines themselves, so that nothing is cut."""


def span(start_s: float | None, end_s: float | None) -> str:
    """Return from when to when, e.g. `00:12.4–00:18.0`; nothing where that is not known."""
    return "" if start_s is None or end_s is None else f"{clock(start_s)}–{clock(end_s)}"


def spans(result: Result) -> str:
    """Return when somebody is seen in a video: the first few spans, and how many there are more."""
    listed = [span(seen.start_s, seen.end_s) for seen in result.appearances[:SPANS_SHOWN]]
    more = len(result.appearances) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; where standard output is no terminal it is as wide as it needs to be."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[shown(cell) for cell in row] for row in rows]
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for place, header in enumerate(headers):
        # Rich would break a span to make a column narrower.
        spans_listed = [row[place] for row in cells] if header == "when" else []
        words = [header, *" ".join(spans_listed).split()]
        grid.add_column(
            Text(header),
            justify="right" if header in NUMBERS else "left",
            overflow="fold",
            no_wrap=header not in FREE,
            min_width=max(len(word) for word in words),
        )
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row))
    terminal = sys.stdout.isatty()
    width = max(Console().width, LEAST_WIDTH) if terminal else 10_000
    console = Console(file=StringIO(), width=width, force_terminal=terminal)
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        say(line.rstrip())


def say_deleted(delete: Callable[[], Deleted]) -> None:
    """Delete, and print how much that was, also if its bytes are not off the disks yet."""
    try:
        _say_counts(delete())
    except PurgeUnfinished as unfinished:
        if unfinished.deleted:
            _say_counts(unfinished.deleted)
        raise


def _say_counts(deleted: Deleted) -> None:
    parts = (
        counted(deleted.media, "media"),
        counted(deleted.faces, "face"),
        counted(deleted.labels, "label"),
    )
    say(f"Deleted {', '.join(parts)}.")
    if deleted.still_in:
        note(
            f"These snapshots hold it all the same: {', '.join(deleted.still_in)}. Delete them, "
            "or forget again after restoring one."
        )


def say(text: str) -> None:
    """Print a line on standard output."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.write(f"{text}\n")
