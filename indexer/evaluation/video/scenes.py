"""What rendered pictures are made of: clouds, a camera over them, and the noise of its sensor.

Clouds, because the detector's work depends on texture: a plain wall gives it nothing to reject.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NOISE_LEVELS = 3.0
"""Standard deviation of the sensor's noise in brightness, of 255 levels: a camera indoors."""

_NOISE_EXTRA = (64, 64)


def clouds(rng: np.random.Generator, width: int, height: int) -> Array:
    """Return (height, width, 3) float32 RGB with detail of every size, as in photographs."""
    import cv2

    picture = np.full((height, width, 3), 110.0, np.float32)
    cells, amplitude = 3, 40.0
    while cells < height / 2:
        shape = (cells, cells * width // height + 1)
        light, tint = (
            rng.normal(0, amplitude, (*shape, 1)),
            rng.normal(0, amplitude / 3, (*shape, 3)),
        )
        coarse = (light + tint).astype(np.float32)
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cells, amplitude = cells * 2, amplitude * 0.65
    return picture


def seen_from(ground: Array, x: float, y: float, size: tuple[int, int]) -> Array:
    """Return what a camera sees of a ground from a place between its pixels.

    ground: (h, w, 3) uint8. x, y: of the view's upper left corner; one pixel more than the view is
    there to the right and below. size: (width, height) of the view.
    """
    import cv2

    width, height = size
    left, top = int(x), int(y)
    part = ground[top : top + height + 1, left : left + width + 1]
    shift = np.array([[1, 0, left - x], [0, 1, top - y]], np.float64)
    return np.asarray(cv2.warpAffine(part, shift, size, borderMode=cv2.BORDER_REPLICATE))


def noise_field(rng: np.random.Generator, width: int, height: int) -> Array:
    """Return a field of noise, larger than a frame: frames take different parts of it.

    (height + 64, width + 64, 3) int16, the same in all three colours.
    """
    shape = (height + _NOISE_EXTRA[0], width + _NOISE_EXTRA[1], 1)
    levels = (rng.standard_normal(shape, np.float32) * NOISE_LEVELS).round().astype(np.int16)
    return np.repeat(levels, 3, axis=2)


def grainy(rng: np.random.Generator, picture: Array, noise: Array) -> Array:
    """Return a picture, (h, w, 3) uint8, with a part of a field of noise as its own."""
    import cv2

    height, width = picture.shape[:2]
    row, column = (int(rng.integers(0, extra)) for extra in _NOISE_EXTRA)
    grain = noise[row : row + height, column : column + width]
    return np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U))


def resized(picture: Array, side: int) -> Array:
    """Return a picture as a square of `side` pixels: (side, side, 3) uint8."""
    import cv2

    how = cv2.INTER_AREA if side < min(picture.shape[:2]) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side, side), interpolation=how))
