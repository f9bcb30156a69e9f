"""Photos of a run that were looked at wait a little, so that their faces are embedded together."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.pipeline import FACES_TOGETHER, photo_faces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.networks import Networks
    from indexer.pipeline import LookedPhoto, SegmentFaces

PHOTOS_TOGETHER, LONGEST_WAIT_S = 16, 30.0
"""No more photos wait, nor any longer while others come: their claims would run out, and what waits
is done again if the run is cut short."""


@dataclass(frozen=True)
class WaitingPhoto:
    """A photo that was looked at.

    end: stores its faces and reports the file; None: they could not be embedded with the others'.
    """

    looked: LookedPhoto
    end: Callable[[SegmentFaces | None], None]


class PhotoBatches:
    """The photos that wait; threads share it. networks: called once some are to be embedded."""

    def __init__(self, networks: Callable[[], Networks]) -> None:
        self._networks = networks
        self._lock = threading.Lock()
        self._waiting: list[WaitingPhoto] = []
        self._since_s = 0.0
        self._to_come = 0

    def expect(self, files: int) -> None:
        """Say that so many files are about to be begun."""
        with self._lock:
            self._to_come += files

    def begun(self) -> None:
        """Say that a file has been begun."""
        with self._lock:
            self._to_come -= 1

    def add(self, photo: WaitingPhoto) -> None:
        """Let a photo wait for others, unless enough do."""
        with self._lock:
            if not self._waiting:
                self._since_s = time.monotonic()
            self._waiting.append(photo)
        self.flush(anyway=False)

    def flush(self, *, anyway: bool) -> None:
        """Embed and end what waits, if it is enough or nothing else comes.

        anyway: also if it is not, as what comes takes long.
        """
        with self._lock:
            if not (anyway or self._is_time()):
                return
            photos, self._waiting = self._waiting, []
        if photos:
            self._end(photos)

    def _is_time(self) -> bool:
        faces = sum(len(photo.looked.look.cuts) for photo in self._waiting)
        return (
            not self._to_come
            or faces >= FACES_TOGETHER
            or len(self._waiting) >= PHOTOS_TOGETHER
            or time.monotonic() - self._since_s > LONGEST_WAIT_S
        )

    def _end(self, photos: Sequence[WaitingPhoto]) -> None:
        found: list[SegmentFaces] | list[None]
        try:
            found = photo_faces([photo.looked for photo in photos], self._networks())
        except Exception:  # of one of them, perhaps: each alone tells whose it is, and of what kind
            found = [None] * len(photos)
        for photo, faces in zip(photos, found, strict=True):
            photo.end(faces)
