"""The methods of the embedded engine's Index that are about its embedding models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.engines.embedded import versions
from indexer.engines.embedded.job_index import JobIndex

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from indexer.records import ModelIdentity, Thresholds


class VersionIndex(JobIndex):
    """Each method is one transaction; they are documented in the contract, `engines.versions`."""

    @property
    def model(self) -> ModelIdentity | None:
        with self._db.reading() as connection:
            version = versions.live(connection)
        return None if version is None else version.model

    def adopt_model(self, model: ModelIdentity) -> None:
        with self._db.writing() as connection:
            versions.adopt(connection, model)

    def set_thresholds(self, model_key: str, thresholds: Thresholds | None) -> None:
        with self._db.writing(to_disk=True) as connection:
            versions.set_thresholds(connection, model_key, thresholds)

    def begin_version(self, model: ModelIdentity) -> None:
        with self._db.writing() as connection:
            versions.begin(connection, model)

    def put_vectors(self, model_key: str, vectors: Mapping[str, np.ndarray]) -> None:
        with self._db.writing() as connection:
            versions.put_vectors(connection, model_key, vectors)

    def activate_version(self, model_key: str) -> None:
        with self._deleting() as connection:
            versions.activate(connection, model_key)
