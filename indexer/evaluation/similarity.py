"""Cosines and Euclidean distances of many vectors with many, in blocks that fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.evaluation.records import Metric

    Array = np.ndarray[Any, Any]

BLOCK = 1 << 22
"""Similarities in a block: 16 MB of float32, and a few times that while they are looked at."""

SAME_LENGTH = 1e-5
"""Vectors brought to length 1 in float32 are within 1e-6 of it."""


def unit(vectors: Array) -> Array:
    """Return vectors brought to length 1, (n, dimensions) float32; those of length 0 stay so."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    scaled: Array = np.divide(vectors, lengths, out=np.zeros(vectors.shape), where=lengths > 0)
    return scaled.astype(np.float32)


def lengths_differ(vectors: Array) -> bool:
    """Whether some of the vectors, (n, dimensions), are not of length 1, but for rounding.

    Those of length 1 have the same order by cosine and by Euclidean distance.
    """
    return bool(np.abs(np.linalg.norm(vectors, axis=1) - 1).max(initial=0) >= SAME_LENGTH)


def similarity_blocks(
    queries: Array, gallery: Array, metric: Metric = "cosine"
) -> Iterator[tuple[int, Array]]:
    """Yield the first query's row of each block and its similarities to the whole gallery.

    queries: (q, dimensions), gallery: (n, dimensions), of any length. Similarities: (rows, n)
    float32: cosines, or Euclidean distances times -1, so that more is always more alike.
    """
    rows = max(1, BLOCK // max(len(gallery), 1))
    if metric == "cosine":
        queries, gallery = unit(queries), unit(gallery)
    squares = (gallery.astype(np.float64) ** 2).sum(axis=1)
    for start in range(0, len(queries), rows):
        block = queries[start : start + rows]
        similarities = block @ gallery.T
        if metric == "euclidean":
            own = (block.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
            similarities = -np.sqrt(np.maximum(own + squares - 2.0 * similarities, 0.0))
        yield start, similarities.astype(np.float32)


def nearest(
    queries: Array,
    gallery: Array,
    k: int,
    metric: Metric = "cosine",
    own: Array | None = None,
    among: Array | None = None,
) -> Array:
    """Return the gallery's rows nearest to each query, nearest first, (q, min(k, others)) int64.

    own: (q,) the queries' own rows in the gallery; neither they nor copies of their pictures ever
    count. None if they are not in it. among: rows of the gallery, the only ones that count; None
    for all. -1 stands where fewer than k count.
    """
    k = min(k, len(gallery) - (own is not None))
    found = np.empty((len(queries), max(k, 0)), np.int64)
    pictures = pictures_of(gallery)
    left_out = np.ones(len(gallery), bool)
    left_out[slice(None) if among is None else among] = False
    for start, similarities in similarity_blocks(queries, gallery, metric) if k > 0 else ():
        block = np.arange(start, start + len(similarities))
        if own is not None:
            exclude(similarities, pictures, own[block])
        similarities[:, left_out] = -np.inf
        columns = ranked(similarities)[:, :k]
        there = np.take_along_axis(similarities, columns, axis=1) > -np.inf
        found[block] = np.where(there, columns, -1)
    return found


def pictures_of(vectors: Array) -> Array:
    """Return a number for each vector, (n,) int64, the same for vectors that are equal.

    Such are of the same picture: a photo under two names, of which one finds the other by any
    measure. That is no evidence of anything.
    """
    packed = np.ascontiguousarray(vectors)
    as_bytes = packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).ravel()
    numbers: Array = np.unique(as_bytes, return_inverse=True)[1].reshape(-1)
    return numbers


def others_of(codes: Array, pictures: Array) -> Array:
    """Return how many photos of the same person show another picture, for each photo, (n,) int64.

    codes, pictures: (n,), see `codes_of` and `pictures_of`. Who has none can be found by nobody.
    """
    both = np.stack([pictures, codes], axis=1)
    _, own, counts = np.unique(both, axis=0, return_inverse=True, return_counts=True)
    others: Array = np.bincount(codes)[codes] - counts[own.reshape(-1)]
    return others


def exclude(similarities: Array, pictures: Array, own: Array) -> None:
    """Make each query less alike than all else to itself and to copies of its picture.

    similarities: (rows, n), changed in place. pictures: (n,), see `pictures_of`. own: (rows,).
    """
    similarities[np.arange(len(own)), own] = -np.inf
    has_copies = np.bincount(pictures)[pictures[own]] > 1
    for row in np.flatnonzero(has_copies):
        similarities[row, pictures == pictures[own[row]]] = -np.inf


def without_copies(neighbours: Array, pictures: Array, k: int) -> Array:
    """Return the first k neighbours of each row that show another picture, -1 where none is left.

    neighbours: (n, any number) rows, -1 where there is none; pictures: (n,), see `pictures_of`.
    """
    others = (neighbours >= 0) & (pictures[neighbours] != pictures[:, None])
    order = np.argsort(~others, axis=1, kind="stable")[:, :k]
    kept = np.take_along_axis(np.where(others, neighbours, -1), order, axis=1)
    filled = np.full((len(neighbours), k), -1, np.int64)
    filled[:, : kept.shape[1]] = kept
    return filled


def ranked(similarities: Array) -> Array:
    """Return the columns of each row, most similar first, of equal ones the first column first.

    similarities: (rows, n) float32 without nan. Returns (rows, n) int64.
    """
    # A stable argsort takes 15 times as long as sorting whole numbers of 64 bits, so the order of
    # the floats (as of their bits, the lower ones of negative numbers turned over) and the column
    # are made one number.
    bits = (0.0 - similarities).astype(np.float32).view(np.int32)
    order = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    keys = np.sort((order << 32) | np.arange(similarities.shape[1]), axis=1)
    columns: Array = keys & 0xFFFFFFFF
    return columns


def codes_of(persons: Sequence[str]) -> tuple[Array, Array]:
    """Return each photo's person as a number, (n,) int64, and how many photos each number has."""
    _, codes, counts = np.unique(
        np.asarray(persons, object).astype(str), return_inverse=True, return_counts=True
    )
    return codes.reshape(-1), counts
