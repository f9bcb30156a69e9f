"""How vectors lie in memory to be compared: as float32, or quantised to int8 with an error bound.

A coding says which columns of `Rows` it needs, fills them, and compares them with queries. Rows
that were removed are zeros.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from indexer.engines.embedded.approximation import Approximation, rounding
from indexer.engines.embedded.kernel import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from indexer.engines.embedded.kernel import Kernel
    from indexer.engines.embedded.rows import Layout

ROWS_TOGETHER = 1 << 14
"""Compared at once: their scores stay in the cache, and a call's own time does not count."""

_PRODUCTS_TOGETHER = 1 << 20
_QUANTISED_TOGETHER = 128
_DENSE = 0.2
"""Share of a stretch of rows from which comparing all costs less than picking those asked for.

Measured with one query and 200,000 scattered rows of 512 dimensions: 0.2 as int8, 0.25 to 0.3
as float32. With 64 queries picking cost less up to a half, the most that was tried.
"""


class Coding(Protocol):
    """Float32 or int8."""

    @property
    def name(self) -> str:
        """What a user is told of it."""

    def layout(self, dimensions: int) -> Layout:
        """Return the columns that hold vectors; `vectors` among them are the float32 ones."""

    def encode(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns' values for (n, dimensions) float32 vectors of length 1."""

    def compare(
        self, columns: Mapping[str, np.ndarray], queries: np.ndarray, positions: np.ndarray
    ) -> Approximation:
        """Return what the rows at `positions`, ascending, score; queries as for a search."""


class Float32:
    """The vectors as they are, compared by numpy's BLAS."""

    def __init__(self, reason: str) -> None:
        self.name = f"float32 (numpy), because {reason}"

    def layout(self, dimensions: int) -> Layout:
        """Return the one column."""
        return {"vectors": (np.float32, (dimensions,))}

    def encode(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        """Return the vectors."""
        return {"vectors": vectors}

    def compare(
        self, columns: Mapping[str, np.ndarray], queries: np.ndarray, positions: np.ndarray
    ) -> Approximation:
        """Return scores that lack only what float32 sums round off."""
        vectors, transposed = columns["vectors"], queries.T
        scores = np.empty(len(positions), np.float32)
        for part, rows, picked in _stretches(positions, len(queries)):
            scores[part] = _highest(vectors[rows] @ transposed)[picked]
        errors = np.broadcast_to(np.float32(rounding(queries)), scores.shape)
        return Approximation(_as_cosines(scores), errors)


class Int8:
    """A quarter of the bytes, compared by a kernel.

    A vector v is kept as whole numbers c with a scale s and e = |v - s c|, so that for a query q,
    quantised to t p, both |q . (v - s c)| <= |q| e and |(q - t p) . s c| <= |q - t p| |s c| hold
    (Cauchy and Schwarz): s t (c . p) is within the sum of both of q . v, whatever the vectors.
    """

    def __init__(self, kernel: Kernel, dots: Callable[[np.ndarray, np.ndarray], np.ndarray]):
        self.name = f"int8 ({kernel.name}), rescored in float32"
        self._dots = dots

    def layout(self, dimensions: int) -> Layout:
        """Return the columns: the whole numbers, the scale, the error."""
        return quantised_layout(dimensions)

    def encode(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        """Quantise vectors."""
        return quantised(vectors)

    def compare(
        self, columns: Mapping[str, np.ndarray], queries: np.ndarray, positions: np.ndarray
    ) -> Approximation:
        """Return scores with the bounds of their errors."""
        lengths = np.linalg.norm(queries.astype(np.float64), axis=1)
        query_scale = np.abs(queries).max(initial=0.0) / MOST or 1.0
        query_codes = np.rint(queries / query_scale).astype(np.int8)
        lost = np.linalg.norm(queries - query_scale * query_codes.astype(np.float64), axis=1)
        # |s c| <= |v| + e, and no component is off by more than half a step of at most 1/127.
        longest = 1.001 + 0.5 / MOST * queries.shape[1] ** 0.5
        margin = float(lost.max(initial=0.0)) * longest + rounding(queries)
        codes, scales, errors = columns["codes"], columns["scales"], columns["errors"]
        found, bounds = np.empty((2, len(positions)), np.float32)
        for part, rows, picked in _stretches(positions, len(queries)):
            products = _highest(self._dots(codes[rows], query_codes))
            found[part] = (products * (scales[rows] * query_scale))[picked]
            bounds[part] = errors[rows][picked]
        bounds *= np.float32(lengths.max(initial=0.0))
        bounds += np.float32(margin)
        return Approximation(_as_cosines(found), bounds)


def quantised_layout(dimensions: int) -> Layout:
    """Return the columns of quantised vectors."""
    return {
        "codes": (np.int8, (dimensions,)),
        "scales": (np.float32, ()),
        "errors": (np.float32, ()),
    }


def quantised(vectors: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of (n, dimensions) float32 vectors of length 1; it needs no kernel.

    Index files keep them (`blocks`), so to round in another way takes a migration that drops those.
    A few are quantised at a time: they stay in the cache meanwhile.
    """
    columns = {
        name: np.empty((len(vectors), *shape), dtype)
        for name, (dtype, shape) in quantised_layout(vectors.shape[1]).items()
    }
    for start in range(0, len(vectors), _QUANTISED_TOGETHER):
        part = slice(start, start + _QUANTISED_TOGETHER)
        for column, values in zip(columns.values(), _quantise(vectors[part]), strict=True):
            column[part] = values
    return columns


def _as_cosines(scores: np.ndarray) -> np.ndarray:
    """Return scores as exact ones are cut off: at 1 and -1, which makes no error larger."""
    return scores.clip(-1.0, 1.0, out=scores)


def _highest(products: np.ndarray) -> np.ndarray:
    """Return each row's maximum; numpy takes its time over rows of one."""
    return np.asarray(products[:, 0] if products.shape[1] == 1 else products.max(axis=1))


def _quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return codes, scales and errors."""
    steps = np.abs(vectors)
    scales = steps.max(axis=1) / np.float32(MOST)
    np.multiply(vectors, (1 / scales)[:, None], out=steps)
    whole = np.rint(steps)
    # What rounding takes away, in steps: exact, but for what the product above rounded off, which
    # is less than 1e-7 of the vector.
    steps -= whole
    errors = scales * np.sqrt(np.einsum("ij,ij->i", steps, steps))
    return whole.astype(np.int8), scales, errors * np.float32(1 + 1e-4) + np.float32(1e-6)


def _stretches(
    positions: np.ndarray, queries: int
) -> Iterator[tuple[slice, slice | np.ndarray, slice | np.ndarray]]:
    """Part ascending positions by where they lie.

    Yields which positions, the rows to compare, and those of them that were asked for: rows that
    lie together are compared where they are, few that are scattered are copied first.
    """
    size = max(256, min(ROWS_TOGETHER, _PRODUCTS_TOGETHER // max(queries, 1)))
    if len(positions) == 0:
        return
    edges = np.arange(positions[0] - positions[0] % size, positions[-1] + size + 1, size)
    cuts = np.searchsorted(positions, edges).tolist()
    for first, last in pairwise(cuts):
        if first == last:
            continue
        part = slice(first, last)
        start, stop = int(positions[first]), int(positions[last - 1]) + 1
        if last - first == stop - start:
            yield part, slice(start, stop), slice(None)
        elif last - first >= _DENSE * (stop - start):
            yield part, slice(start, stop), positions[part] - start
        else:
            yield part, positions[part], slice(None)
