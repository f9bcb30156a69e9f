"""The part of the contract by which an index takes another model as a whole, or its thresholds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from indexer.records import Face, ModelIdentity, Thresholds


class Versions(ABC):
    """Embeddings of another model are built beside the live ones, which answer meanwhile."""

    @abstractmethod
    def begin_version(self, model: ModelIdentity) -> None:
        """Start (or go on with) embeddings of another model beside the live ones.

        An unfinished version of yet another model is dropped. Raises UsageError if `model` has
        the live model's key.
        """

    @abstractmethod
    def unembedded_faces(self, model_key: str) -> Iterator[Face]:
        """Yield, as `iter_faces` does, the faces without a vector in the version being built.

        This and the next two take the model's key and raise UsageError if no version of that model
        is being built (any more): vectors of two models never come into one version.
        """

    @abstractmethod
    def put_vectors(self, model_key: str, vectors: Mapping[str, np.ndarray]) -> None:
        """Store vectors of the version being built, by face id; faces that are gone are ignored."""

    @abstractmethod
    def activate_version(self, model_key: str) -> None:
        """Make the version being built of a model the live one, in one step.

        The old one is deleted for good, or kept until `drop_old_versions`. Media in state `working`
        begin again: their tracks are of the old model.
        Raises IndexFailure if a face has no vector in it.
        """

    @abstractmethod
    def set_thresholds(self, model_key: str, thresholds: Thresholds | None) -> None:
        """Let verdicts hold from these thresholds on, until another model is live.

        They are the live model's `calibrated`, and stay when it is adopted again. None: its own
        hold again, those that it was last adopted with. Raises ModelMismatch if the live model has
        another key, UsageError unless -1 <= possible <= same person <= 1.
        """

    def drop_old_versions(self) -> int:
        """Delete versions that were replaced and kept, for good. Return how many."""
        return 0
