"""What every engine checks before it stores or searches, and the words in which it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import ClaimLost, ModelMismatch, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from indexer.records import Face, ModelIdentity, Segment, Thresholds
    from indexer.results import Hit

_LENGTH_ERROR = 1e-4
"""Elasticsearch's bound on squared length; normalised float32 vectors are within 1e-6."""


def unit_vector(vector: np.ndarray, dimensions: int) -> np.ndarray:
    """Return a vector as (dimensions,) float32.

    Raises UsageError if it has another shape, or a length other than 1: cosines would be wrong.
    """
    floats = np.asarray(vector, np.float32)
    if floats.shape != (dimensions,):
        raise UsageError(f"An embedding has shape {floats.shape}; the model's is ({dimensions},).")
    with np.errstate(over="ignore"):
        squared = float(floats.astype(np.float64) @ floats.astype(np.float64))
    if not abs(squared - 1.0) < _LENGTH_ERROR:
        raise UsageError(f"An embedding has length {squared**0.5:.4g}; it must be normalised to 1.")
    return floats


def query_vectors(vectors: np.ndarray, model: ModelIdentity | None) -> np.ndarray:
    """Return query vectors as (queries, dimensions) float32; none if the index has no model.

    Raises UsageError if they have another shape or are not finite.
    """
    queries = np.asarray(vectors, np.float32)
    if model is None:
        return queries[:0]
    if queries.ndim != 2 or queries.shape[1] != model.dimensions:
        raise UsageError(
            f"A query has shape {queries.shape[1:]}; embeddings of the index's model "
            f"{model.key} have ({model.dimensions},)."
        )
    if not np.isfinite(queries).all():
        raise UsageError("A query's embedding has values that are not finite.")
    return queries


def check_models(model: ModelIdentity | None, faces: Iterable[Face]) -> None:
    """Raise ModelMismatch unless the live model made all faces."""
    for face in faces:
        if model is None:
            raise ModelMismatch(f"The index has no model yet; adopt {face.model} first.")
        if face.model != model.key:
            raise ModelMismatch(mismatch(model, face.model))


def check_faces_fit(segment: Segment, faces: Sequence[Face]) -> None:
    """Raise UsageError for a face of another media or time, or without thumbnail."""
    span = segment.span
    for face in faces:
        if face.media_id != segment.media_id or not (span.start_s <= face.timestamp_s < span.end_s):
            raise UsageError(
                f"Face {face.id} does not belong to segment {span.number} of media "
                f"{segment.media_id} ({span.start_s} to {span.end_s} s)."
            )
        if face.thumbnail is None:
            raise UsageError(f"Face {face.id} has no thumbnail; only faces with one can be stored.")


def calibrated(
    model: ModelIdentity | None, model_key: str, thresholds: Thresholds | None
) -> ModelIdentity:
    """Return the live model with thresholds of the index, or without any.

    Raises ModelMismatch if it has another key, UsageError for thresholds that no cosine can reach,
    or in the wrong order.
    """
    if model is None or model.key != model_key:
        raise ModelMismatch(
            f"Thresholds of {model_key} say nothing of the index's model, which is "
            f"{model.key if model else 'not chosen yet'}. Calibrate again: sightings calibrate"
        )
    if thresholds and not -1.0 <= thresholds.possible <= thresholds.same_person <= 1.0:
        raise UsageError(
            "Thresholds are cosines, and `possible` is not above `same person`; these are "
            f"{thresholds.possible:g} and {thresholds.same_person:g}."
        )
    return replace(model, calibrated=thresholds)


def exact_cosines(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the cosine of each vector with the query of its row, (n,) float32 in [-1, 1].

    vectors, queries: (n, dimensions), of length 1. Summed in float64 and in the same order for
    every row, so that equal vectors get equal scores wherever they lie, in every engine; matrix
    products and servers' vector units do not promise that.
    """
    products = vectors.astype(np.float64) * queries
    return np.asarray(products.sum(axis=1).clip(-1.0, 1.0), np.float32)


def mismatch(live_model: ModelIdentity, other_key: str) -> str:
    """Return why a model cannot be used with an index, and what to do."""
    return (
        f"The index was made with the model {live_model.key} (weights: {live_model.weights_path}), "
        f"not with {other_key}; their embeddings cannot be compared. Use that model, or give all "
        "faces the other one: sightings reindex --model MODEL"
    )


def not_being_built(model_key: str) -> str:
    """Return why vectors of a model are not taken now, and what to do."""
    return (
        f"No version of {model_key} is being built in this index: nobody began one, or another "
        "model's was begun, or made live, meanwhile. Begin again: sightings reindex --model MODEL"
    )


def claim_lost(segment: Segment) -> ClaimLost:
    """Return the error for a segment that is no longer held."""
    return ClaimLost(
        f"Segment {segment.span.number} of media {segment.media_id} is no longer claimed by "
        f"{segment.owner}: the claim ran out and went to another worker, or the media was "
        "finished, started anew or deleted meanwhile. Nothing was changed; go on with the next."
    )


def given_up(attempts: int) -> str:
    """Return the error of a segment that was attempted too often."""
    return (
        f"Given up after {attempts} attempts that never finished: each worker was "
        "stopped or crashed while it had this part."
    )


def nobody_named(name: str) -> NotFound:
    """Return the error for a name that nobody has."""
    return NotFound(f"Nobody in the index is named {name!r}. List the names to see who is.")


def one_per_appearance(hits: Sequence[Hit], span_score: float) -> tuple[Hit, ...]:
    """Return the best hit, then the best of every other appearance that reaches `span_score`.

    hits: of one media, best first.
    """
    seen: dict[str, Hit] = {}
    for hit in hits:
        if not seen or hit.score >= span_score:
            seen.setdefault(hit.face.appearance_id or hit.face.id, hit)
    return tuple(seen.values())
