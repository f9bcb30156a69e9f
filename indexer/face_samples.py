"""A folder of photos -> a sample of the faces in it."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import MediaError
from indexer.files import status_of
from indexer.media import discover
from indexer.photos import read_photo

if TYPE_CHECKING:
    from indexer.embeddings.base import Embedder
    from indexer.settings import Settings

FACES = 400
SEED = 0


def face_crops(folder: Path, embedder: Embedder, settings: Settings) -> np.ndarray:
    """Return up to FACES faces of photos below a folder, drawn at random but repeatably.

    Files that are no photos, or damaged, are passed over.
    Returns (n, crop_px, crop_px, 3) uint8, cut out as the model wants them. Raises MediaError if
    the folder is not there or cannot be read.
    """
    from indexer.detectors import detector_for
    from indexer.runtime import runtime_of

    status_of(folder)
    detector = detector_for(embedder, settings.faces, runtime_of(settings))
    paths = sorted(path for path in discover([folder]) if isinstance(path, Path))
    random.Random(SEED).shuffle(paths)
    crops: list[np.ndarray] = []
    for path in paths:
        with suppress(MediaError):
            image_rgb = read_photo(path, settings.media).image_rgb
            (found,) = detector.detect([image_rgb])
            crops += [embedder.crop(image_rgb, detection) for detection in found]
        if len(crops) >= FACES:
            break
    return np.array(crops[:FACES])
