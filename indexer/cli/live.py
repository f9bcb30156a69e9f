"""A table that a terminal shows live."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from indexer.cli.output import NUMBERS
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def watch(
    headers: Sequence[str],
    look: Callable[[], tuple[Sequence[Sequence[str]], bool]],
    every_s: float,
) -> None:
    """Show a table anew until it is over; what it was last stays in the terminal.

    look: gives the rows as they are now, and whether they are the last.
    """
    with Live(auto_refresh=False) as live:
        while True:
            rows, is_over = look()
            live.update(_grid(headers, rows), refresh=True)
            if is_over:
                return
            time.sleep(every_s)


def _grid(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        grid.add_column(header, justify="right" if header in NUMBERS else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(shown(cell)) for cell in row))
    return grid
