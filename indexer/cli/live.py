"""Tables that a terminal shows live."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich import table
from rich.console import Group
from rich.live import Live
from rich.text import Text

from indexer.cli.output import FREE, NUMBERS
from indexer.text import shown

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""The headers, and the rows."""


def watch(look: Callable[[], tuple[Sequence[Table], bool]], every_s: float) -> None:
    """Show tables anew until it is over; what they were last stays in the terminal.

    look: gives the tables as they are now, and whether they are the last.
    """
    with Live(auto_refresh=False) as live:
        while True:
            tables, is_over = look()
            live.update(Group(*(_grid(*each) for each in tables)), refresh=True)
            if is_over:
                return
            time.sleep(every_s)


def _grid(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> table.Table:
    grid = table.Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        grid.add_column(
            header,
            justify="right" if header in NUMBERS else "left",
            overflow="fold",
            no_wrap=header not in FREE,
        )
    for row in rows:
        grid.add_row(*(Text(shown(cell)) for cell in row))
    return grid
