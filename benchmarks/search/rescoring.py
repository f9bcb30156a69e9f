"""How many faces the int8 pass leaves to be compared in float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.search.measuring import POSSIBLE, K
from indexer.engines.embedded.connection import Database
from indexer.engines.embedded.index import EmbeddedIndex
from indexer.engines.embedded.vectors import VectorTable

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from benchmarks.search.people import Crowd


@dataclass(frozen=True)
class Rescored:
    """Faces whose exact cosine a search needed: of one query, and their share of all."""

    faces: int
    asked_for: str
    median: float
    most: float
    median_share_percent: float
    coding: str


class _Counting(VectorTable):
    """Counts the faces that are rescored."""

    count = 0

    def exact_scores(
        self, connection: sqlite3.Connection, queries: np.ndarray, positions: np.ndarray
    ) -> np.ndarray:
        self.count += len(positions)
        return super().exact_scores(connection, queries, positions)


def measure_rescoring(crowd: Crowd, index_file: Path) -> list[Rescored]:
    """Count for every query."""
    table = _Counting()
    counts: dict[str, list[int]] = {f"{K} faces": [], f"{K} media": []}
    with EmbeddedIndex(Database(str(index_file), create=False, busy_timeout_s=5.0), table) as index:
        for query in crowd.queries:
            table.count = 0
            index.search(query, K)
            counts[f"{K} faces"].append(table.count)
            table.count = 0
            index.search_groups(query[None], K, min_score=POSSIBLE, span_score=POSSIBLE)
            counts[f"{K} media"].append(table.count)
    return [
        Rescored(
            len(crowd),
            name,
            float(np.median(of_kind)),
            float(max(of_kind)),
            100 * float(np.median(of_kind)) / len(crowd),
            table.coding.name,
        )
        for name, of_kind in counts.items()
    ]
