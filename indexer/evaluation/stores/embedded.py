"""The embedded engine as a store, in an index file of its own."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from indexer.engines import open_index
from indexer.evaluation.stores.indexed import IndexStore

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.evaluation.records import Metric


class EmbeddedStore(IndexStore):
    """An index file in a folder of the store's own, which is deleted at the end."""

    def __init__(self, name: str, dimensions: int, metric: Metric, folder: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix="embedded-")
        try:
            index = open_index(f"{self._folder.name}/faces.sightings", create=True)
            super().__init__(name, dimensions, metric, index)
        except BaseException:
            self._folder.cleanup()
            raise

    def close(self) -> None:
        """Close the index and delete its files."""
        super().close()
        self._folder.cleanup()
