"""Features -> a store -> the neighbours that it finds, and how long that took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import EnvironmentFailure, OutOfReach, UsageError
from indexer.evaluation.retrieval import TOP
from indexer.evaluation.similarity import nearest, pictures_of, without_copies
from indexer.evaluation.stores import open_store
from indexer.placing import make_folder

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.evaluation.records import Metric
    from indexer.settings import Settings

    Array = np.ndarray[Any, Any]

CHUNK = 1000
"""Vectors that are inserted together, as study 001 does with Milvus."""


MOST_COPIES = 100
"""A store is asked for so many more neighbours at most, where photos are there more than once."""


@dataclass(frozen=True)
class Stored:
    """What a store found.

    neighbours: (n, TOP) rows for each vector, best first, without the vector itself and its
    copies; -1 where there was none left. insert_s: for all vectors, until searches can begin.
    search_ms: for each vector. recall: share of the exact nearest ones that are among them.
    server: that kept the vectors, with its version, if there was one.
    """

    name: str
    neighbours: Array = field(repr=False)
    insert_s: float
    search_ms: float
    recall: float
    server: str | None = None

    def metrics(self) -> dict[str, Any]:
        """Return the numbers, under the names of `Outcome`."""
        return {
            "name": self.name,
            "insert_s": self.insert_s,
            "search_ms": self.search_ms,
            f"recall{TOP}": self.recall,
        }


def stored(vectors: Array, name: str, metric: Metric, folder: Path, settings: Settings) -> Stored:
    """Put vectors, (n, dimensions), into a store and search it for each of them.

    name, folder, settings: see `open_store`. Raises OutOfReach if the store cannot be had, or
    cannot hold such vectors, UsageError for a single vector, which has no neighbours.
    """
    if len(vectors) < 2:
        raise UsageError(
            f"A store finds neighbours of vectors, and there are {len(vectors)} vectors."
        )
    make_folder(folder)
    count = min(TOP, len(vectors) - 1)
    pictures = pictures_of(vectors)
    shown_often = min(int(np.bincount(pictures).max()), MOST_COPIES)
    try:
        with open_store(
            name, vectors.shape[1], metric=metric, folder=folder, settings=settings
        ) as store:
            begun_s = time.perf_counter()
            for start in range(0, len(vectors), CHUNK):
                store.insert(vectors[start : start + CHUNK])
            store.build()
            inserted_s = time.perf_counter()
            rows, _ = store.nearest(vectors, min(count + shown_often, len(vectors)))
            took_s = time.perf_counter() - inserted_s
            server = store.server()
    except (EnvironmentFailure, UsageError) as error:
        raise OutOfReach(f"The store {_said(name)}: {error}") from error
    found = without_copies(rows, pictures, TOP)
    exact = nearest(vectors, vectors, count, metric, np.arange(len(vectors)))
    return Stored(
        name=_said(name),
        neighbours=found,
        insert_s=inserted_s - begun_s,
        search_ms=1000 * took_s / len(vectors),
        recall=_recall(found, exact),
        server=server,
    )


def _said(name: str) -> str:
    """Return a store's name without the address of its server, which may hold a password."""
    return name.partition("@")[0]


def _recall(found: Array, exact: Array) -> float:
    """Return the share of exact neighbours that were found, for rows of each; -1 is none.

    Where copies are all that there is, nothing could be missed.
    """
    hits = sum(len(np.intersect1d(a, b[b >= 0])) for a, b in zip(found, exact, strict=True))
    there = int((exact >= 0).sum())
    return hits / there if there else 1.0
