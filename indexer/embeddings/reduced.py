"""Another model's vectors, reduced by a PCA that was fitted on an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.embeddings.base import Embedder
from indexer.errors import ModelMismatch
from indexer.records import ModelIdentity
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.embeddings.base import Array
    from indexer.records import Detection
    from indexer.reduction import Reduction

NAME = "pca"


class Reduced(Embedder):
    """A model whose vectors go through a reduction, and are brought to length 1 again."""

    def __init__(
        self, path: Path, reduction: Reduction, fitted_on: ModelIdentity, base: Embedder
    ) -> None:
        """path: of the reduction. fitted_on: the model whose vectors it reduces. base: that model.

        Raises ModelMismatch if base is another model.
        """
        if base.identity.key != fitted_on.key:
            raise ModelMismatch(
                f"{path} reduces vectors of {fitted_on.key} ({fitted_on.recipe}), and the model "
                f"given is {base.identity.key} ({base.identity.recipe})."
            )
        dimensions = len(reduction.components)
        self.base = base
        self.crop_px = base.crop_px
        self._reduction = reduction
        self.identity = ModelIdentity(
            name=NAME,
            dimensions=dimensions,
            recipe=f"{fitted_on.recipe}; {fitted_on.key} reduced to {dimensions} dimensions by PCA"
            f"{' with whitening' if reduction.whitened else ''}",
            weights_sha256=sha256_of(path),
            weights_path=str(path.resolve()),
            licence=base.identity.licence,
            link_cosine=reduction.link_cosine,
        )

    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return the face as the base model wants it; see Embedder.crop."""
        return self.base.crop(image_rgb, detection)

    def reduced(self, vectors: Array) -> Array:
        """Turn vectors of the base model, (n, its dimensions), into this one's, of length 1."""
        return self.unit_vectors(self._reduction.apply(vectors))

    def _vectors(self, crops: Array) -> Array:
        return self._reduction.apply(self.base.embed(crops))
