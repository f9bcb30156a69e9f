"""Pictures for the benchmark: real faces on clouds, and a camera that moves over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.video.scenes import clouds, grainy, noise_field, resized, seen_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Array = np.ndarray[Any, Any]

CANVAS_WIDTHS = 2
"""A camera moves over a canvas this many times as wide as the frame."""


@dataclass(frozen=True)
class Shot:
    """One shot of a clip.

    people: faces on the canvas. photo_height: of their photos, as a part of the frame's height; in
    LFW's photos the face is about 0.45 of the photo. share: of the clip's frames. speed: of the
    camera, in units that a clip sets; 0 is a static camera.
    """

    people: int
    photo_height: float
    share: float
    speed: float = 0.0


def photos_of(folder: Path) -> list[Path]:
    """Return the photos of a folder in LFW's layout, `<Name>/<Name>_NNNN.jpg`, in order.

    Raises FileNotFoundError if there are none.
    """
    photos = sorted(folder.glob("*/*.jpg"))
    if not photos:
        raise FileNotFoundError(
            f"{folder} holds no photos of faces in LFW's layout (NAME/NAME_0001.jpg): "
            "name such a folder with --faces."
        )
    return photos


def canvas(
    rng: np.random.Generator,
    photos: Sequence[Path],
    people: int,
    photo_px: int,
    size: tuple[int, int],
) -> Array:
    """Return (height, width, 3) uint8 RGB: faces spread over clouds, their photos' edges softened.

    size: (width, height). Photos that find no room beside each other overlap.
    """
    import cv2

    width, height = size
    photo_px = min(photo_px, width, height)
    picture = clouds(rng, width, height)
    columns = max(1, min(people, round((people * width / height) ** 0.5)))
    rows = -(-people // columns)
    soft = np.zeros((photo_px, photo_px), np.float32)
    edge = max(1, photo_px // 12)
    soft[edge:-edge, edge:-edge] = 1.0
    softened = np.asarray(cv2.blur(soft, (edge, edge)))[..., None]
    for number, chosen in enumerate(rng.choice(len(photos), people, replace=people > len(photos))):
        face = resized(_read(photos[chosen]), photo_px)
        row, column = divmod(number, columns)
        centre_x = (column + 0.5 + rng.uniform(-0.1, 0.1)) * width / columns
        centre_y = (row + 0.5 + rng.uniform(-0.1, 0.1)) * height / rows
        left = int(np.clip(centre_x - photo_px / 2, 0, width - photo_px))
        top = int(np.clip(centre_y - photo_px / 2, 0, height - photo_px))
        part = picture[top : top + photo_px, left : left + photo_px]
        part += softened * (face - part)
    return np.clip(picture, 0, 255).astype(np.uint8)


def stages(
    rng: np.random.Generator, photos: Sequence[Path], shots: Sequence[Shot], size: tuple[int, int]
) -> list[Array]:
    """Return the canvas of each shot, for frames of a size (width, height)."""
    width, height = size
    room = CANVAS_WIDTHS * width, height + height // 8
    return [
        canvas(rng, photos, shot.people, round(shot.photo_height * height), room) for shot in shots
    ]


def filmed(
    rng: np.random.Generator,
    canvases: Sequence[Array],
    shots: Sequence[Shot],
    size: tuple[int, int],
    frames: int,
    unit_speed: float,
) -> Iterator[Array]:
    """Yield the frames of a clip, (height, width, 3) uint8 RGB; shots follow by hard cuts.

    canvases: as `stages` makes them. size: (width, height). unit_speed: frame widths per frame
    that a shot of speed 1 moves by.
    """
    noise = noise_field(rng, *size)
    ends = np.round(np.cumsum([shot.share for shot in shots]) * frames).astype(int)
    first = 0
    for shot, ground, end in zip(shots, canvases, ends, strict=True):
        for number in range(end - first):
            along = _camera(number * shot.speed * unit_speed)
            yield grainy(rng, _exposed(ground, along, size), noise)
        first = int(end)


def _camera(moved: float) -> tuple[float, float]:
    """Return how far along the canvas the camera is, 0 to 1 in x and y: to and fro, with a bob."""
    room = CANVAS_WIDTHS - 1.0
    along = (moved / room + 0.25) % 2.0
    return min(along, 2.0 - along), 0.5 + 0.5 * float(np.sin(moved * 5.0))


def _exposed(ground: Array, along: tuple[float, float], size: tuple[int, int]) -> Array:
    """Return what the camera sees at a place between pixels."""
    width, height = size
    x = along[0] * (ground.shape[1] - width - 1)
    y = along[1] * (ground.shape[0] - height - 1)
    return seen_from(ground, x, y, size)


def _read(path: Path) -> Array:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
