"""Milvus as a store, as studies 001 and 003 use it: a server, or Milvus Lite in this process."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import EnvironmentFailure, UsageError
from indexer.evaluation.stores.base import Store, padded
from indexer.evaluation.stores.milvus_client import (
    Lite,
    check_uri,
    connect,
    pymilvus,
    translated_errors,
)
from indexer.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.evaluation.records import Metric
    from indexer.evaluation.stores.base import Neighbours

INDEX_TYPES = ("FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW", "AUTOINDEX")
"""Those of Milvus that Milvus Lite has, too; FLAT compares every vector."""

INSERT_BYTES = 4 << 20
"""Vectors that one request carries: servers refuse 64 MB."""

QUERIES_TOGETHER = 64
"""Queries of one search; each answer is a few kB."""

_LITE_DIFFERENCES = 1 << 24
"""Numbers that Milvus Lite may hold at once for Euclidean distances: queries x vectors x
dimensions, 64 MB."""

_HNSW_BUILD = {"M": 16, "efConstruction": 200}
_HNSW_EF = 128
_CELL_VECTORS = 39
"""Vectors a cell must have at least to be trained well (faiss, which Milvus uses, warns below)."""

_PROBED_SHARE = 1 / 8
_LEAST_PROBED = 8


class MilvusStore(Store):
    """A collection of its own, dropped at the end.

    HNSW has M 16, efConstruction 200 and ef 128 (or k); IVF has 4 times the root of the number of
    vectors as cells, as Milvus advises, but 39 vectors a cell at least, and searches an eighth of
    them, 8 at least. The index is built once all is inserted, and anew after more.
    """

    def __init__(
        self,
        name: str,
        dimensions: int,
        metric: Metric,
        *,
        index_type: str,
        where: str,
        folder: Path,
    ) -> None:
        super().__init__(name, dimensions, metric)
        self._index_type = index_type or "FLAT"
        if self._index_type not in INDEX_TYPES:
            raise UsageError(f"{shown(name)}: the index types are {', '.join(INDEX_TYPES)}.")
        if where:
            check_uri(name, where)
        self._metric_type = "COSINE" if metric == "cosine" else "L2"
        self._collection = f"evaluation_{secrets.token_hex(6)}"
        self._cells = 1
        self._loaded = False
        self._lite = None if where else Lite(folder)
        self._where = self._lite.uri if self._lite else where
        self._client: Any = None
        try:
            self._client = connect(self._where)
            self._create()
        except BaseException:
            with suppress(EnvironmentFailure):  # what went wrong first is told
                self.close()
            raise

    def _create(self) -> None:
        kinds = pymilvus().DataType
        with translated_errors(self._where):
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("row", kinds.INT64, is_primary=True)
            schema.add_field("vector", kinds.FLOAT_VECTOR, dim=self.dimensions)
            self._client.create_collection(
                self._collection, schema=schema, consistency_level="Strong"
            )

    def _insert(self, vectors: np.ndarray) -> None:
        together = max(1, INSERT_BYTES // (4 * self.dimensions))
        with translated_errors(self._where):
            for start in range(0, len(vectors), together):
                part = vectors[start : start + together]
                rows = range(len(self) + start, len(self) + start + len(part))
                data = [
                    {"row": row, "vector": vector} for row, vector in zip(rows, part, strict=True)
                ]
                self._client.insert(self._collection, data)

    def _build(self) -> None:
        self._cells = max(1, min(round(4 * len(self) ** 0.5), len(self) // _CELL_VECTORS))
        params: dict[str, Any] = {}
        if self._index_type == "HNSW":
            params = _HNSW_BUILD
        elif self._index_type.startswith("IVF"):
            params = {"nlist": self._cells}
        with translated_errors(self._where):
            self._client.flush(self._collection)
            if self._loaded:
                self._client.release_collection(self._collection)
                self._client.drop_index(self._collection, "vector")
            index = self._client.prepare_index_params()
            index.add_index(
                "vector",
                index_type=self._index_type,
                metric_type=self._metric_type,
                # Milvus Lite looks for them under their own key alone.
                params={"params": params} if self._lite else params,
            )
            # Milvus Lite builds while it loads, and cannot say how far an index is.
            self._client.create_index(self._collection, index, sync=self._lite is None)
            self._client.load_collection(self._collection)
        self._loaded = True

    def _nearest(self, queries: np.ndarray, k: int) -> Neighbours:
        found = []
        together = self._queries_together()
        with translated_errors(self._where):
            for start in range(0, len(queries), together):
                found += self._client.search(
                    self._collection,
                    data=list(queries[start : start + together]),
                    limit=k,
                    anns_field="vector",
                    search_params={"metric_type": self._metric_type, "params": self._effort(k)},
                )
        return padded([([hit["row"] for hit in hits], self._scores(hits)) for hits in found], k)

    def _queries_together(self) -> int:
        if self._lite is None or self.metric == "cosine":
            return QUERIES_TOGETHER
        differences = len(self) * self.dimensions
        return max(1, min(QUERIES_TOGETHER, _LITE_DIFFERENCES // differences))

    def _effort(self, k: int) -> dict[str, int]:
        if self._index_type == "HNSW":
            return {"ef": max(_HNSW_EF, k)}
        if self._index_type.startswith("IVF"):
            probed = max(_LEAST_PROBED, round(_PROBED_SHARE * self._cells))
            return {"nprobe": min(probed, self._cells)}
        return {}

    def _scores(self, hits: Any) -> list[float]:
        """Return scores: Milvus gives cosines, and squares of Euclidean distances."""
        told = np.array([hit["distance"] for hit in hits], np.float64)
        scores = told if self.metric == "cosine" else -np.sqrt(told.clip(min=0))
        return [float(score) for score in scores]

    def server(self) -> str | None:
        """Return `Milvus` with its version; None for Milvus Lite, which has its package's."""
        if self._lite is not None:
            return None
        with translated_errors(self._where):
            return f"Milvus {self._client.get_server_version()}"

    def close(self) -> None:
        """Drop the collection; end Milvus Lite and delete its files."""
        client, self._client = self._client, None
        lite, self._lite = self._lite, None
        try:
            if client is not None:
                with translated_errors(self._where):
                    client.drop_collection(self._collection)
        finally:
            if client is not None:
                client.close()
            if lite is not None:
                lite.stop()
