"""The registry of embedding models: from a spec on the command line to a loaded model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.errors import UsageError

if TYPE_CHECKING:
    from indexer.embeddings.base import Embedder
    from indexer.settings import Settings
    from indexer.weights import Progress

SPECS = ("facenet", "facenet:PATH", "facenet-casia:PATH", "dlib", "onnx:PATH")


def load_model(
    spec: str,
    *,
    settings: Settings,
    progress: Progress | None = None,
    device: str = "auto",
) -> Embedder:
    """Load the model that a spec names."""
    family, _, place = spec.partition(":")
    if family == "facenet":
        from indexer.embeddings.facenet import VGGFACE2, VGGFACE2_THRESHOLDS, FaceNet
        from indexer.weights import download, find_weights

        path = find_weights(VGGFACE2, place or settings.facenet_weights) or download(
            VGGFACE2, progress=progress
        )
        return FaceNet(
            path,
            name="facenet",
            licence=VGGFACE2.licence,
            thresholds=VGGFACE2_THRESHOLDS,
            device=device,
        )
    raise UsageError(f"Unknown model {spec!r}: give one of {', '.join(SPECS)}.")
