"""Small photos and clips of the portraits, and what an index holds of them, for ingest tests."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from indexer.records import Filters
from tests.media_maker import make_video

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.records import Face

WIDTH, HEIGHT, FPS = 320, 240, 5
GREEN, GREY, BROWN = (70, 110, 80), (128, 128, 128), (150, 110, 60)

# Where a face of about 70 pixels is left when the part is brought to HEIGHT.
_PARTS = {"eileen": np.s_[0:180, 40:220], "grace": np.s_[0:300, 0:256], "coffee": np.s_[:, :]}

Portraits = "Mapping[str, np.ndarray]"


def still(portraits: Portraits, *people: str, colour=GREEN, shift: int = 0) -> np.ndarray:
    """Return a picture of people side by side on a plain background; shift: pixels to the right."""
    columns = max(len(people), 1)
    picture = np.full((HEIGHT, WIDTH * columns, 3), colour, np.uint8)
    for column, person in enumerate(people):
        part = portraits[person][_PARTS[person]]
        width = part.shape[1] * HEIGHT // part.shape[0]
        left = column * WIDTH + (WIDTH - width) // 2 + shift
        picture[:, left : left + width] = cv2.resize(
            part, (width, HEIGHT), interpolation=cv2.INTER_AREA
        )
    return picture


def shot(portraits: Portraits, person: str, frames: int, colour=GREEN) -> list[np.ndarray]:
    """Return pictures of a person (of nobody, if empty) who moves by two pixels a frame."""
    people = [person] if person else []
    return [still(portraits, *people, colour=colour, shift=2 * i - frames) for i in range(frames)]


def clip(path: Path, *shots: Iterable[np.ndarray], **options: Any) -> Path:
    """Write shots as a video of FPS frames a second."""
    options = {"codec_options": {"crf": "18", "preset": "ultrafast"}, "fps": FPS} | options
    return make_video(path, chain(*shots), **options)


def photo(path: Path, picture: np.ndarray) -> Path:
    """Write a picture as a file whose suffix says its format; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def faces_of(index: Index, *media_ids: str) -> list[Face]:
    """Return the faces of media (of all, if none is given) with their embeddings."""
    return list(index.iter_faces(Filters(media_ids=media_ids), embeddings=True))


def spans_of(index: Index) -> list[tuple[float | None, float | None]]:
    """Return the spans of the index's appearances in order."""
    spans = {f.appearance_id: (f.appearance_start_s, f.appearance_end_s) for f in faces_of(index)}
    return sorted(spans.values())


def documents(index: Index, *, segments: bool = True) -> list[Any]:
    """Return everything an index holds, less when it was stored and with what it was queued."""
    media = [
        replace(each, indexed_at=None, batch=None, queued_at=None) for each in index.iter_media()
    ]
    jobs = [
        (job.media_id, job.span, job.state, job.counts)
        for each in media
        for job in index.list_segments(each.id)
    ]
    faces = [
        (replace(face, indexed_at=None), face.vector.tobytes(), index.thumbnail(face.id))
        for face in faces_of(index)
    ]
    labels = [(label.id, label.person) for label in index.list_labels()]
    return [media, list(index.iter_files()), jobs if segments else [], faces, labels]


def names_in(messages: Sequence[str], path: Path) -> bool:
    """Whether any of the messages names the path."""
    return any(str(path) in message for message in messages)
