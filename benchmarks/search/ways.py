"""Ways to find the nearest of many vectors, each exact: comparing all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.search.people import Crowd
    from indexer.records import Filters
    from indexer.results import Group

Found = tuple[np.ndarray, np.ndarray]
"""Rows of a crowd and their cosines, best first."""


class Way(ABC):
    """Vectors in a folder; `open` loads what `write` has written there."""

    name: str
    needs: str | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def missing(cls) -> str | None:
        """Return why this way cannot be measured here, or None."""
        if cls.needs and find_spec(cls.needs) is None:
            return f"{cls.name} is left out: {cls.needs} is not installed (pip install '.[bench]')"
        return None

    @abstractmethod
    def write(self, crowd: Crowd) -> None:
        """Store a crowd."""

    @abstractmethod
    def open(self) -> None:
        """Make ready for searches."""

    @abstractmethod
    def nearest(self, query: np.ndarray, k: int) -> Found:
        """Return the k nearest; `query` is (dimensions,)."""


class Sightings(Way):
    """The embedded engine; it gives whole records, from its file."""

    name = "Sightings"

    def write(self, crowd: Crowd) -> None:
        """Write an index file."""
        from benchmarks.search.collection import write_index

        write_index(self.folder / "faces.sightings", crowd)

    def open(self) -> None:
        """Open the index file and load its vectors."""
        from indexer.engines.embedded.index import open_embedded

        self.index = open_embedded(str(self.folder / "faces.sightings"))
        self.index.refresh()

    def nearest(self, query: np.ndarray, k: int, filters: Filters | None = None) -> Found:
        """Return rows by way of the place where a face stands in its picture and file."""
        from benchmarks.search.collection import row_of

        hits = self.index.search(query, k, filters)
        return np.array([row_of(hit.face) for hit in hits]), np.array([hit.score for hit in hits])

    def media(self, queries: np.ndarray, groups: int, least: float) -> list[Group]:
        """Return the best media, with all appearances from a score on."""
        return self.index.search_groups(queries, groups, min_score=least, span_score=least)


class Numpy(Way):
    """All vectors times the query, and the highest products: what one would write in an hour."""

    name = "numpy"

    def write(self, crowd: Crowd) -> None:
        """Save the array."""
        np.save(self.folder / "vectors.npy", crowd.vectors)

    def open(self) -> None:
        """Load the array."""
        self.vectors = np.load(self.folder / "vectors.npy")

    def nearest(self, query: np.ndarray, k: int) -> Found:
        """Return the k nearest."""
        cosines = self.vectors @ query
        top = np.argpartition(cosines, len(cosines) - k)[-k:]
        top = top[np.argsort(-cosines[top], kind="stable")]
        return top, cosines[top]

    def media(self, query: np.ndarray, media: np.ndarray, groups: int) -> Found:
        """Return the best media by number; `media` are those of all rows."""
        best = np.full(media[-1] + 1, -np.inf, np.float32)
        np.maximum.at(best, media, self.vectors @ query)
        top = np.argpartition(best, len(best) - groups)[-groups:]
        top = top[np.argsort(-best[top], kind="stable")]
        return top, best[top]


class FaissFlat(Way):
    """Faiss's IndexFlatIP."""

    name = "faiss flat"
    needs = "faiss"

    def write(self, crowd: Crowd) -> None:
        """Write faiss's file."""
        import faiss  # type: ignore[import-untyped,unused-ignore]

        index = faiss.IndexFlatIP(crowd.vectors.shape[1])
        index.add(crowd.vectors)
        faiss.write_index(index, str(self.folder / "vectors.faiss"))

    def open(self) -> None:
        """Load the file."""
        import faiss  # type: ignore[import-untyped,unused-ignore]

        faiss.omp_set_num_threads(1)
        self.index: Any = faiss.read_index(str(self.folder / "vectors.faiss"))

    def nearest(self, query: np.ndarray, k: int) -> Found:
        """Return the k nearest."""
        cosines, rows = self.index.search(query[None], k)
        return rows[0], cosines[0]


class LanceDB(Way):
    """A table of LanceDB without an index, which it then searches exactly."""

    name = "LanceDB"
    needs = "lancedb"

    def write(self, crowd: Crowd) -> None:
        """Write a table."""
        import lancedb  # type: ignore[import-not-found,unused-ignore]
        import pyarrow  # type: ignore[import-untyped,unused-ignore]

        flat = pyarrow.array(crowd.vectors.reshape(-1))
        columns = {
            "row": pyarrow.array(np.arange(len(crowd))),
            "vector": pyarrow.FixedSizeListArray.from_arrays(flat, crowd.vectors.shape[1]),
        }
        lancedb.connect(self.folder / "lance").create_table("faces", pyarrow.table(columns))

    def open(self) -> None:
        """Open the table; LanceDB reads it when it is searched."""
        import lancedb  # type: ignore[import-not-found,unused-ignore]

        self.table: Any = lancedb.connect(self.folder / "lance").open_table("faces")

    def nearest(self, query: np.ndarray, k: int) -> Found:
        """Return the k nearest; LanceDB's distance is 1 less the product."""
        found = (
            self.table.search(query)
            .distance_type("dot")
            .select(["row", "_distance"])
            .limit(k)
            .to_arrow()
        )
        return found["row"].to_numpy(), 1.0 - found["_distance"].to_numpy()


WAYS: tuple[type[Way], ...] = (Sightings, Numpy, FaissFlat, LanceDB)
