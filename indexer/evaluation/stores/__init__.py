"""Stores of vectors that an evaluation compares, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from indexer.errors import UsageError
from indexer.evaluation.records import Metric
from indexer.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.evaluation.stores.base import Store
    from indexer.settings import Settings

NAMES = (
    "exact",
    "scikit-learn",
    "embedded",
    "elasticsearch[:VECTOR_TYPE][@URL]",
    "milvus[:INDEX_TYPE][@URI]",
)
"""The stores there are, as they are written."""


def open_store(
    name: str, dimensions: int, *, metric: Metric, folder: Path, settings: Settings
) -> Store:
    """Open an empty store; use it as a context manager, so that it leaves nothing behind.

    name: `exact` (numpy, the reference), `scikit-learn`, `embedded`; `elasticsearch` with one of
    the vector types of elasticsearch.vector_type, at a URL or on the cluster of `settings.index`;
    `milvus` with an index type (FLAT if none is named), at a server's URI or as Milvus Lite.
    folder: where stores without a server keep files while they are open.
    Raises UsageError for another name, MissingExtra without a store's packages, EnvironmentFailure
    if its server is out of reach.
    """
    if metric not in get_args(Metric):
        raise UsageError(f"{metric!r} is no metric: cosine or euclidean.")
    described, _, where = name.partition("@")
    kind, _, variant = described.partition(":")
    if kind == "elasticsearch":
        from indexer.evaluation.stores.cluster import ElasticsearchStore

        return ElasticsearchStore(
            name, dimensions, metric, vector_type=variant, where=where, settings=settings
        )
    if kind == "milvus":
        from indexer.evaluation.stores.milvus import MilvusStore

        return MilvusStore(name, dimensions, metric, index_type=variant, where=where, folder=folder)
    if name == "exact":
        from indexer.evaluation.stores.exact import ExactStore

        return ExactStore(name, dimensions, metric)
    if name == "scikit-learn":
        from indexer.evaluation.stores.scikit import ScikitStore

        return ScikitStore(name, dimensions, metric)
    if name == "embedded":
        from indexer.evaluation.stores.embedded import EmbeddedStore

        return EmbeddedStore(name, dimensions, metric, folder)
    raise UsageError(f"There is no store {shown(kind)!r}: {', '.join(NAMES)}.")
