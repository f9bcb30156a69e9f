"""A video's pictures as the decoder gives them: sampled as they are, made into RGB when asked."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.display import displayed, lies
from indexer.ffmpeg import translated_errors
from indexer.frames import Picture, rgb_points
from indexer.picture_memory import PictureMemory
from indexer.planes import PlanePoints

if TYPE_CHECKING:
    from pathlib import Path


class Conversion:
    """How a video's pictures become RGB as displayed, by their own colour matrix and range.

    square_size: (width, height) with square pixels, before turning. turn: see `display_matrix`.
    """

    def __init__(self, path: Path, square_size: tuple[int, int], turn: np.ndarray) -> None:
        from av.video.reformatter import VideoReformatter

        width, height = square_size
        self.square_size = square_size
        self.shape: tuple[int, int, int] = (height, width, 3)
        if lies(turn):
            self.shape = (width, height, 3)
        self.lock = Lock()
        self._memory = PictureMemory(self.shape)
        self._path = path
        self._turn = turn
        self._reformatter = VideoReformatter()
        self._points: dict[int, PlanePoints] = {}

    def rgb(self, picture: Any) -> np.ndarray:
        """Return a decoder's picture as displayed: (h, w, 3) uint8. Raises MediaError."""
        width, height = self.square_size
        with translated_errors(self._path):
            # One thread: by default each conversion starts its own, while other frames wait anyway.
            square = self._reformatter.reformat(
                picture, width=width, height=height, format="rgb24", threads=1
            )
        plane: Any = square.planes[0]
        lines = np.frombuffer(plane, np.uint8).reshape(height, -1)
        if plane.line_size < 0:
            lines = lines[::-1]
        image_rgb = self._memory.picture()
        image_rgb[:] = displayed(lines[:, : width * 3].reshape(height, width, 3), self._turn)
        return image_rgb

    def points(self, picture: Any, density: int, cells: np.ndarray | None) -> np.ndarray | None:
        """Return the pixels at `spread_points` of a picture as displayed, from its planes.

        None where only the whole picture's RGB gives them: where it is resampled for display, or
        of a rarer format.
        """
        if (picture.width, picture.height) != self.square_size:
            return None
        if density not in self._points:
            self._points[density] = PlanePoints(self.shape[0], self.shape[1], density, self._turn)
        return self._points[density].rgb(picture, cells)


class DecodedPicture(Picture):
    """A decoder's picture, which is held until it is made into RGB."""

    def __init__(self, picture: Any, conversion: Conversion) -> None:
        self._picture = picture
        self._conversion = conversion
        self._image_rgb: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3) as displayed."""
        return self._conversion.shape

    @property
    def image_rgb(self) -> np.ndarray:
        """(height, width, 3) uint8 RGB as displayed, made when first asked for."""
        if self._image_rgb is not None:  # never waits for another picture's conversion
            return self._image_rgb
        with self._conversion.lock:
            if self._image_rgb is None:
                self._image_rgb = self._conversion.rgb(self._picture)
                self._picture = None
            return self._image_rgb

    def points(self, density: int, cells: np.ndarray | None = None) -> np.ndarray:
        """Return pixels of the displayed picture, as `Frame.points` does."""
        with self._conversion.lock:
            if self._picture is not None:
                sampled = self._conversion.points(self._picture, density, cells)
                if sampled is not None:
                    return sampled
        return rgb_points(self.image_rgb, density, cells)
