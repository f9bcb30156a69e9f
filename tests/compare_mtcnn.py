"""Compares the faces of 1,000 LFW photos and of frames of all test videos with facenet-pytorch's.

`python -m tests.compare_mtcnn` takes minutes; it prints how far boxes and landmarks are apart.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from facenet_pytorch import MTCNN
from PIL import Image

from indexer.mtcnn import Cascade
from indexer.runtime import choose_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(os.environ.get("SIGHTINGS_TEST_DATA", "../shared")) / "data"
PHOTOS, EVERY = 1000, 25


def photos() -> Iterator[np.ndarray]:
    """Yield LFW photos spread evenly over the people."""
    listed = sorted((DATA / "lfw").glob("*/*.jpg"))
    for path in listed[:: len(listed) // PHOTOS][:PHOTOS]:
        yield np.asarray(Image.open(path).convert("RGB"))


def frames() -> Iterator[np.ndarray]:
    """Yield every 25th frame of all videos."""
    for path in sorted((DATA / "videos").iterdir()):
        with av.open(str(path)) as video:
            for frame in islice(video.decode(video=0), 0, None, EVERY):
                yield frame.to_ndarray(format="rgb24")


def compare(name: str, pictures: Iterator[np.ndarray]) -> bool:
    """Print the differences over all pictures; return whether all are within 0.01 px."""
    theirs = MTCNN(keep_all=True, min_face_size=40)
    ours = Cascade(choose_runtime("cpu"))
    count = faces = unlike = 0
    worst_px = 0.0
    for picture in pictures:
        boxes, _, landmarks = theirs.detect(picture, landmarks=True)
        [found] = ours([picture], min_face_px=40, min_probability=0.7)
        count += 1
        wanted = 0 if boxes is None else len(boxes)
        if len(found.boxes) != wanted:
            unlike += 1
        elif wanted:
            faces += wanted
            order, their_order = np.argsort(found.boxes[:, 0]), np.argsort(boxes[:, 0])
            for mine, his in ((found.boxes, boxes), (found.landmarks, landmarks)):
                apart = np.abs(mine[order] - his[their_order].astype(float)).max()
                worst_px = max(worst_px, float(apart))
    print(
        f"{name}: {count} pictures, {faces} faces, worst difference {worst_px:.5f} px, "
        f"{unlike} pictures with another number of faces"
    )
    return worst_px <= 0.01 and not unlike


if __name__ == "__main__":
    same = [compare("photos", photos()), compare("frames", frames())]
    sys.exit(not all(same))
