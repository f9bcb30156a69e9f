"""Vectors -> fewer dimensions: principal component analysis, fitted on an index's own vectors.

Pearson, On lines and planes of closest fit to systems of points in space, 1901; Hotelling 1933.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import EnvironmentFailure, UsageError
from indexer.link_cosines import carried_over, link_cosine
from indexer.model_files import read_model_file, write_model_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.records import ModelIdentity

    Array = np.ndarray[Any, Any]

ROWS_TOGETHER = 1024
FIELDS = ("mean", "components", "scales", "whitened", "kept", "vectors")
LINK_COSINE = "link_cosine"
"""A field that older files lack."""
COMPARED = 2000
"""At most so many vectors, of the whole index, tell what becomes of the base model's cosines."""
SMALLEST_SHARE = 1e-10
"""Of the largest variance: what lies below is rounding of float32 vectors, and is not whitened."""


@dataclass(frozen=True)
class Reduction:
    """A projection on the axes along which vectors vary most.

    mean: (d,), components: (k, d) rows of length 1, the widest first, scales: (k,) by which the
    coordinates are divided, 1 without whitening; all float32. whitened: whether the scales are the
    deviations along the axes. kept: share of the variance that remains, 0..1. vectors: how many it
    was fitted on. link_cosine: from which reduced vectors of neighbouring frames are linked, None
    where that was not measured.
    """

    mean: Array = field(repr=False)
    components: Array = field(repr=False)
    scales: Array = field(repr=False)
    whitened: bool
    kept: float
    vectors: int
    link_cosine: float | None = None

    def apply(self, vectors: Array) -> Array:
        """Reduce vectors: (n, d) -> (n, k) float32, of any length."""
        centred = np.asarray(vectors, np.float32) - self.mean
        return np.asarray(centred @ self.components.T / self.scales, np.float32)


def fit(vectors: Array, dimensions: int, *, whiten: bool = False) -> Reduction:
    """Fit a reduction of vectors, (n, d), to their first `dimensions` principal components.

    Each component's largest value is positive, so that the same vectors give the same reduction.
    Raises UsageError for fewer than 1 dimension or more than n or d, for vectors that are all
    alike, and with `whiten` for more dimensions than the vectors vary in.
    """
    starts = range(0, len(vectors), ROWS_TOGETHER)
    batches = (vectors[start : start + ROWS_TOGETHER] for start in starts)
    return fit_batches(batches, dimensions, whiten=whiten)


def fit_index(
    index: Index, dimensions: int, *, whiten: bool = False
) -> tuple[Reduction, ModelIdentity]:
    """Fit a reduction of all vectors of an index; return it with the model that made them.

    From which cosine faces are linked is carried over from that model, without any names.
    It takes 24 d² bytes of memory, and about 100 MB for that. Raises EnvironmentFailure for an
    empty index, UsageError as `fit` does.
    """
    index.refresh()
    model = index.model
    if model is None:
        raise EnvironmentFailure(
            "The index is empty. Fill it first: sightings index PATH --model MODEL"
        )
    count = index.count()
    _check(dimensions, count, model.dimensions)
    some: list[Array] = []
    batches = _noting(_batches(index), -(-count // COMPARED), some)
    reduction = fit_batches(batches, dimensions, whiten=whiten)
    before = np.concatenate(some)
    after = reduction.apply(before)
    lengths = np.linalg.norm(after, axis=1, keepdims=True)
    after = np.divide(after, lengths, out=np.zeros_like(after), where=lengths > 0)
    return replace(reduction, link_cosine=carried_over(link_cosine(model), before, after)), model


def fit_batches(batches: Iterable[Array], dimensions: int, *, whiten: bool = False) -> Reduction:
    """Fit a reduction of vectors that come in batches of (n, d); see `fit`."""
    from scipy.linalg import eigh

    count, mean, covariance = _moments(batches)
    size, total = len(mean), float(covariance.trace())
    _check(dimensions, count, size)
    if total == 0:
        raise UsageError("All vectors are alike: there is nothing to tell them apart by.")
    variances, axes = eigh(covariance, subset_by_index=(size - dimensions, size - 1))
    variances, components = np.maximum(variances[::-1], 0), axes.T[::-1]
    signs = np.sign(components[np.arange(dimensions), abs(components).argmax(axis=1)])
    varied = int((variances > SMALLEST_SHARE * variances[0]).sum())
    if whiten and varied < dimensions:
        raise UsageError(
            f"The {count} vectors vary in {varied} dimensions; the others cannot be whitened. Give "
            f"at most {varied} dimensions, or leave out --whiten."
        )
    return Reduction(
        mean=mean.astype(np.float32),
        components=(components * signs[:, None]).astype(np.float32),
        scales=(np.sqrt(variances) if whiten else np.ones(dimensions)).astype(np.float32),
        whitened=whiten,
        kept=float(variances.sum() / total),
        vectors=count,
    )


def save(path: Path, reduction: Reduction, base: ModelIdentity) -> None:
    """Write a reduction with the identity of the model whose vectors it reduces.

    Raises UsageError if the file is there already, EnvironmentFailure if it cannot be written.
    """
    values = {name: getattr(reduction, name) for name in FIELDS}
    if reduction.link_cosine is not None:
        values[LINK_COSINE] = reduction.link_cosine
    write_model_file(path, base, **values)


def load(path: Path) -> tuple[Reduction, ModelIdentity]:
    """Return what `save` wrote. Raises WeightsUnavailable if the file is not there or is none."""
    values, base = read_model_file(path, FIELDS, "sightings pca", optional=(LINK_COSINE,))
    linked = values.get(LINK_COSINE)
    reduction = Reduction(
        mean=values["mean"],
        components=values["components"],
        scales=values["scales"],
        whitened=bool(values["whitened"]),
        kept=float(values["kept"]),
        vectors=int(values["vectors"]),
        link_cosine=None if linked is None else float(linked),
    )
    return reduction, base


def _moments(batches: Iterable[Array]) -> tuple[int, Array, Array]:
    """Return number, mean (d,) and covariance (d, d) of vectors, in float64."""
    count = 0
    for batch in batches:
        rows = np.asarray(batch, np.float64)
        if not count:
            # Sums of squares less a mean near the true one lose no digits.
            near, sums = rows.mean(axis=0), np.zeros(rows.shape[1])
            squares = np.zeros((rows.shape[1], rows.shape[1]))
        rows = rows - near
        count += len(rows)
        sums += rows.sum(axis=0)
        squares += rows.T @ rows
    if count < 2:
        raise UsageError(f"PCA needs vectors to compare, and there are {count}.")
    return count, near + sums / count, (squares - np.outer(sums, sums) / count) / (count - 1)


def _check(dimensions: int, vectors: int, of_model: int) -> None:
    if not 1 <= dimensions <= min(vectors, of_model):
        raise UsageError(
            f"{vectors} vectors of {of_model} dimensions can be reduced to at least 1 and at most "
            f"{min(vectors, of_model)} dimensions, not to {dimensions}."
        )


def _noting(batches: Iterator[Array], step: int, noted: list[Array]) -> Iterator[Array]:
    """Pass batches on, and note each `step`-th of all rows."""
    start = 0
    for batch in batches:
        noted.append(np.asarray(batch, np.float32)[-start % step :: step])
        start += len(batch)
        yield batch


def _batches(index: Index) -> Iterator[Array]:
    faces = index.iter_faces(embeddings=True)
    while batch := [face.vector for face in islice(faces, ROWS_TOGETHER)]:
        yield np.array(batch)
