"""Frames: what is known of a decoded picture, and its pixels, made when they are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.points import in_cells, pixels_at, spread_points

if TYPE_CHECKING:
    import numpy as np


class Picture(ABC):
    """A picture that becomes RGB when it is asked for: `decoded.DecodedPicture`."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """(height, width, 3) as displayed."""

    @property
    @abstractmethod
    def image_rgb(self) -> np.ndarray:
        """(height, width, 3) uint8 RGB as displayed, the same array each time."""

    @abstractmethod
    def points(self, density: int, cells: np.ndarray | None = None) -> np.ndarray:
        """Return pixels of the displayed picture, as `Frame.points` does."""


@dataclass(frozen=True)
class Frame:
    """A decoded picture of a media.

    picture: (height, width, 3) uint8 RGB as displayed, or what gives that when it is asked for.
    """

    index: int
    timestamp_s: float
    picture: np.ndarray | Picture = field(repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width, 3) as displayed."""
        return self.picture.shape

    @property
    def image_rgb(self) -> np.ndarray:
        """(height, width, 3) uint8 RGB as displayed; the first call may have to convert it."""
        return self.picture.image_rgb if isinstance(self.picture, Picture) else self.picture

    def points(self, density: int, cells: np.ndarray | None = None) -> np.ndarray:
        """Return the pixels at `spread_points`, of all cells or some: their shape x 3, uint8 RGB.

        They come the cheapest way, which may round colours otherwise than `image_rgb` does.
        """
        if isinstance(self.picture, Picture):
            return self.picture.points(density, cells)
        return rgb_points(self.picture, density, cells)


@dataclass(frozen=True)
class KeyFrame:
    """A frame kept by the key-frame filter.

    delta_e: mean CIELAB difference to the last reference frame, within 2 % of that of all pixels;
    infinite for a segment's first.
    until_s: time of the last frame known to look like this one (its own time if none is).
    """

    frame: Frame
    delta_e: float
    until_s: float


def rgb_points(image_rgb: np.ndarray, density: int, cells: np.ndarray | None = None) -> np.ndarray:
    """Return the pixels of an image at `spread_points`, of all cells or some."""
    points = spread_points(*image_rgb.shape[:2], density)
    return pixels_at(image_rgb, points if cells is None else in_cells(points, density, cells))
