"""A query and filters -> results: the media in which the person appears, with spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.errors import ModelMismatch
from indexer.link_cosines import link_cosine
from indexer.records import Filters
from indexer.results import Result, Sighting

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.query import Query
    from indexer.records import ModelIdentity
    from indexer.results import Group, Hit

TOP = 20
"""Results of a search; the studies show their 20 nearest."""


def find(
    index: Index,
    query: Query,
    *,
    filters: Filters | None = None,
    top: int = TOP,
    min_score: float | None = None,
    include_different: bool = False,
) -> list[Result]:
    """Return the media in which the query's person appears, best first, at most `top`.

    Results with the verdict `different` are left out unless `include_different`; a model without
    thresholds gives no verdict, and all results count. Spans are those of every appearance from
    the verdict `possible` up (from `min_score`, if that is higher), and the best hit's.
    Raises ModelMismatch if the index's model is not, or no longer, the query's.
    """
    model = _checked(index.model, query)
    if model is None:
        return []
    wanted = -1.0 if min_score is None else min_score
    thresholds = model.verdict_thresholds
    possible = thresholds.possible if thresholds else wanted
    groups = index.search_groups(
        query.vectors,
        top,
        filters,
        min_score=wanted if include_different else max(wanted, possible),
        span_score=max(wanted, link_cosine(model)),
    )
    # Vectors of another model may have the same length: a swap in between must not go unnoticed.
    _checked(index.model, query)
    return [_result(group, model) for group in groups]


def alike_unnamed(index: Index, query: Query) -> list[Hit]:
    """Return the best unnamed face of each appearance (each photo's face) of `same person`.

    Empty for a model without thresholds. Raises ModelMismatch as `find` does.
    """
    model = _checked(index.model, query)
    thresholds = model.verdict_thresholds if model else None
    if thresholds is None:
        return []
    same = thresholds.same_person
    groups = index.search_groups(
        query.vectors,
        max(index.count(), 1),
        Filters(unnamed=True),
        min_score=same,
        span_score=same,
    )
    _checked(index.model, query)
    return [hit for group in groups for hit in group.hits]


def _checked(model: ModelIdentity | None, query: Query) -> ModelIdentity | None:
    if model is not None and query.model is not None and model.key != query.model:
        raise ModelMismatch(
            f"The index's model is {model.key} now, and what is searched for was made with "
            f"{query.model}. Search again."
        )
    return model


def _result(group: Group, model: ModelIdentity) -> Result:
    best = group.hits[0]
    spans = [_sighting(hit, model) for hit in group.hits] if group.media.kind == "video" else []
    return Result(
        media=group.media,
        score=best.score,
        verdict=model.verdict(best.score),
        best=best,
        appearances=tuple(sorted(spans, key=lambda span: (span.start_s, span.end_s))),
    )


def _sighting(hit: Hit, model: ModelIdentity) -> Sighting:
    """Return a hit's appearance; a face that is not linked yet stands for its own moment."""
    face = hit.face
    start_s, end_s = face.appearance_start_s, face.appearance_end_s
    if start_s is None or end_s is None:
        start_s = end_s = face.timestamp_s
    return Sighting(start_s, end_s, hit.score, model.verdict(hit.score), face.timestamp_s, face.id)
