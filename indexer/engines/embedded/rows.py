"""Arrays of equal length that grow and shrink together: what is in memory of each face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

Layout = dict[str, tuple[Any, tuple[int, ...]]]
"""Columns by name: the data type, and the shape of one row's value."""


class Rows(dict[str, np.ndarray]):
    """The columns by name, each an array whose first axis are the rows in use.

    Do not keep an array over a change of the number of rows: it may be of older memory then.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self._used = self._capacity = 0
        self._memory: dict[str, np.ndarray] = {}
        self.add_columns(layout)

    @property
    def used(self) -> int:
        """How many rows there are."""
        return self._used

    def add_columns(self, layout: Layout) -> None:
        """Add columns of zeros."""
        for name, (dtype, shape) in layout.items():
            self._memory[name] = np.zeros((self._capacity, *shape), dtype)
        self._show()

    def reserve(self, count: int) -> None:
        """Make room for so many more rows, and half as many as there are then."""
        wanted = self._used + count
        if wanted > self._capacity:
            # Memory that is not written to takes no room, so that adding one by one stays cheap.
            self._capacity = wanted + wanted // 2
            for name, old in self._memory.items():
                grown = np.empty((self._capacity, *old.shape[1:]), old.dtype)
                grown[: self._used] = old[: self._used]
                self._memory[name] = grown
            self._show()

    def extend(self, count: int) -> slice:
        """Add rows of no particular content; return where."""
        self.reserve(count)
        added = slice(self._used, self._used + count)
        self._used = added.stop
        self._show()
        return added

    def put(self, where: slice | np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """Set some columns of rows."""
        for name, column in values.items():
            self[name][where] = column

    def keep(self, positions: np.ndarray) -> None:
        """Drop all other rows."""
        for name in self._memory:
            self._memory[name] = self[name][positions]
        self._used = self._capacity = len(positions)
        self._show()

    def _show(self) -> None:
        for name, column in self._memory.items():
            self[name] = column[: self._used]
