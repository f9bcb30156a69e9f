"""Plain pictures and frames for tests, by colour and position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.records import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable

GREY, WHITE, RED = (128, 128, 128), (255, 255, 255), (200, 30, 30)


def plain(colour: tuple[int, int, int], width: int = 320, height: int = 180) -> np.ndarray:
    """Return a picture of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def with_square(image: np.ndarray, x: int, y: int, side: int, colour=RED) -> np.ndarray:
    """Return the picture with a square on it."""
    changed = image.copy()
    changed[y : y + side, x : x + side] = colour
    return changed


def noise(seed: int, width: int = 320, height: int = 180) -> np.ndarray:
    """Return a picture of smooth random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    return coarse.repeat(height // 9, axis=0).repeat(width // 16, axis=1)


def frames(images: Iterable[np.ndarray], fps: float = 25.0, start_s: float = 0.0) -> list[Frame]:
    """Return frames that follow each other."""
    return [Frame(i, start_s + i / fps, image) for i, image in enumerate(images)]
