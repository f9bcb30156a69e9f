"""Photos of a run that were looked at wait a little, so that their faces are embedded together."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.errors import SightingsError
from indexer.pipeline import FACES_TOGETHER, photo_faces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.networks import Networks
    from indexer.pipeline import LookedPhoto, SegmentFaces

PHOTOS_TOGETHER, LONGEST_WAIT_S = 16, 30.0
"""No more wait, nor any longer while others come: their claims would run out, and what waits is
done again if the run is cut short."""


@dataclass(frozen=True)
class WaitingPhoto:
    """A photo that was looked at.

    end: stores its faces, which what it is given returns, and reports the file.
    """

    looked: LookedPhoto
    end: Callable[[Callable[[], SegmentFaces]], None]


class PhotoBatches:
    """The photos that wait; threads share it. networks: called once some are to be embedded."""

    def __init__(self, networks: Callable[[], Networks]) -> None:
        self._networks = networks
        self._lock = threading.Lock()
        self._waiting: list[WaitingPhoto] = []
        self._since_s = 0.0
        self._left = 0

    def expect(self, files: int) -> None:
        """Say that so many files are about to be begun."""
        with self._lock:
            self._left += files

    def add(self, photo: WaitingPhoto) -> None:
        """Let a photo wait; or end all that wait, if they are enough or nothing else comes."""
        with self._lock:
            if not self._waiting:
                self._since_s = time.monotonic()
            self._waiting.append(photo)
            faces = sum(len(each.looked.look.cuts) for each in self._waiting)
            ready = self._take(
                faces >= FACES_TOGETHER
                or len(self._waiting) >= PHOTOS_TOGETHER
                or time.monotonic() - self._since_s > LONGEST_WAIT_S
            )
        self._end(ready)

    def begun(self) -> None:
        """Say that a file has been begun."""
        with self._lock:
            self._left -= 1

    def end_waiting(self, *, anyway: bool = False) -> None:
        """End the photos that wait if nothing else comes; anyway: what comes takes long."""
        with self._lock:
            ready = self._take(anyway)
        self._end(ready)

    def _take(self, is_time: bool) -> list[WaitingPhoto]:
        if not is_time and self._left:
            return []
        ready, self._waiting = self._waiting, []
        return ready

    def _end(self, photos: Sequence[WaitingPhoto]) -> None:
        if not photos:
            return
        networks = self._networks()
        faces: list[SegmentFaces] = []
        try:
            faces = photo_faces([photo.looked for photo in photos], networks)
        except SightingsError:
            raise
        except Exception:  # one of them, perhaps: then each tells by itself
            faces = []
        for number, photo in enumerate(photos):
            photo.end(_given(faces[number]) if faces else _alone(photo.looked, networks))


def _given(faces: SegmentFaces) -> Callable[[], SegmentFaces]:
    return lambda: faces


def _alone(looked: LookedPhoto, networks: Networks) -> Callable[[], SegmentFaces]:
    return lambda: photo_faces([looked], networks)[0]
