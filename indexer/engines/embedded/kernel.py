"""Dot products of int8 vectors by NumKong's SIMD code, where it is installed and right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 127
"""Largest size of a component; -128 is left out, as some instructions saturate there."""

_TRIED_DIMENSIONS = (1, 63, 128, 512, 1280)


@dataclass(frozen=True)
class Kernel:
    """Int8 products: `dots` of (n, dimensions) and (queries, dimensions) gives (n, queries).

    The products are whole numbers, exactly. dots is None where there is no such code that works;
    `name` then says why.
    """

    name: str
    dots: Callable[[np.ndarray, np.ndarray], np.ndarray] | None


@cache
def installed() -> Kernel:
    """Return NumKong's products, or why there are none."""
    try:
        import numkong  # noqa: F401
    except ImportError as error:
        return Kernel(f"numkong cannot be loaded: {error}", None)
    name = f"numkong {version('numkong')}"
    if not _is_exact(_dots):
        return Kernel(f"{name} computes wrong products on this processor", None)
    return Kernel(name, _dots)


def _dots(codes: np.ndarray, queries: np.ndarray) -> np.ndarray:
    import numkong

    # Measured: one query is read past all vectors 1.7 times as fast unpacked, 64 packed 5 times.
    if len(queries) == 1:
        return np.asarray(numkong.cdist(codes, queries, "dot"))
    return np.asarray(numkong.dots_packed(codes, numkong.dots_pack(queries)))


def _is_exact(dots: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> bool:
    """Compare with plain sums: the largest ones, and some in between."""
    for dimensions in _TRIED_DIMENSIONS:
        codes = np.full((5, dimensions), MOST, np.int8)
        codes[1] = -MOST
        codes[2, ::2] = -MOST
        codes[3:] = np.random.default_rng(0).integers(-MOST, MOST + 1, (2, dimensions))
        expected = codes.astype(np.int64) @ codes.T.astype(np.int64)
        for queries in (1, len(codes)):
            if not np.array_equal(dots(codes, codes[:queries]), expected[:, :queries]):
                return False
    return True
