"""Memory for a video's pictures, used again for later ones.

Pictures of some MB that come and go among small things leave gaps of all sizes in the memory of the
C library, which it does not give back: after minutes of video a process holds hundreds of MB more
than it uses. And fresh pages for each picture take as long as to fill them.
"""

from __future__ import annotations

import mmap
import weakref
from collections import deque

import numpy as np


class PictureMemory:
    """Memory for pictures of one shape; several threads may ask for some.

    shape: (height, width, 3).
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape
        self._free: deque[mmap.mmap] = deque()

    def picture(self) -> np.ndarray:
        """Return an array of the shape, uint8, with anything in it.

        Its memory is used again when it and all views of it are gone.
        """
        try:
            memory = self._free.pop()
        except IndexError:
            size = int(np.prod(self._shape))
            memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        picture = np.ndarray(self._shape, np.uint8, buffer=memory)
        # Views keep this array alive, not what is below it: that is no array.
        weakref.finalize(picture, self._free.append, memory).atexit = False
        return picture
