"""The benchmark's photos: sizes as cameras, phones and the web give them, few and many faces."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.ingest.scenes import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KINDS = (
    (640, 480, 1, 0.9),
    (4032, 3024, 4, 0.4),
    (1080, 1350, 2, 0.5),
    (1920, 1280, 6, 0.35),
    (3000, 2000, 3, 0.6),
    (1280, 960, 2, 0.6),
    (2048, 1536, 15, 0.22),
    (960, 1280, 1, 0.6),
)
"""Width, height, people, and the height of their photos as a part of the picture's."""

VERSION = 1
QUALITY = 90


def render_photos(count: int, photos: Sequence[Path], folder: Path) -> list[Path]:
    """Return so many JPEGs in a folder; rendered, unless those of the same content are there."""
    listed = "\n".join(f"{photo.parent.name}/{photo.name}" for photo in photos)
    digest = hashlib.sha256(f"{VERSION} {KINDS} {listed}".encode()).hexdigest()[:10]
    inside = folder / f"photos-{digest}"
    inside.mkdir(parents=True, exist_ok=True)
    return [_rendered(number, photos, inside) for number in range(count)]


def _rendered(number: int, photos: Sequence[Path], folder: Path) -> Path:
    from PIL import Image

    path = folder / f"{number:03d}.jpg"
    if not path.exists():
        width, height, people, photo_height = KINDS[number % len(KINDS)]
        rng = np.random.default_rng(number)
        picture = canvas(rng, photos, people, round(photo_height * height), (width, height))
        part = path.with_suffix(".part")
        Image.fromarray(picture).save(part, "JPEG", quality=QUALITY)
        part.replace(path)
    return path
