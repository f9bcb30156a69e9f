"""An index of Sightings as a store: vectors become faces through the index contract."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from indexer.evaluation.stores.base import Store, padded
from indexer.records import (
    Face,
    Media,
    ModelIdentity,
    SegmentCounts,
    SegmentSpan,
    face_id,
)
from indexer.settings import AppearanceSettings

if TYPE_CHECKING:
    import numpy as np

    from indexer.engines.base import Index
    from indexer.evaluation.records import Metric
    from indexer.evaluation.stores.base import Neighbours

FACES_OF_MEDIA = 500
"""Vectors that are stored as the faces of one photo: each takes a few requests on a cluster."""

_COLUMNS = 32
_FACE_PX = 8.0
_SIDE_PX = 256
_LEASE_S = 3600.0


class IndexStore(Store):
    """An open index, filled as indexing does, with faces whose frame_index is the row."""

    units_only = True

    def __init__(self, name: str, dimensions: int, metric: Metric, index: Index) -> None:
        super().__init__(name, dimensions, metric)
        self._index = index
        self._model = model_of(dimensions)
        self._thumbnail = _tiny_jpeg()
        index.adopt_model(self._model)

    def _insert(self, vectors: np.ndarray) -> None:
        for start in range(0, len(vectors), FACES_OF_MEDIA):
            self._add_photo(vectors[start : start + FACES_OF_MEDIA], len(self) + start)

    def _build(self) -> None:
        self._index.refresh()

    def _nearest(self, queries: np.ndarray, k: int) -> Neighbours:
        found = []
        for query in queries:
            hits = self._index.search(query, k)
            scores = [hit.score if self.metric == "cosine" else -hit.euclidean for hit in hits]
            found.append(([hit.face.frame_index for hit in hits], scores))
        return padded(found, k)

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def _add_photo(self, vectors: np.ndarray, first_row: int) -> None:
        media_id = f"{first_row:032x}"
        media = Media(media_id, "photo", 1, _SIDE_PX, _SIDE_PX, options="evaluation")
        self._index.start_media(media, [SegmentSpan(0)])
        segment = self._index.claim_segment(
            media_id, owner="evaluation", lease_s=_LEASE_S, max_attempts=1
        )
        assert segment is not None  # nobody else knows of this index
        faces = [self._face(media_id, n, first_row + n, v) for n, v in enumerate(vectors)]
        counts = SegmentCounts(frames=1, key_frames=1, faces=len(faces))
        self._index.finish_segment(segment, faces, tracks=b"", counts=counts)
        self._index.link_appearances(media_id, AppearanceSettings())

    def _face(self, media_id: str, number: int, row: int, vector: np.ndarray) -> Face:
        top, left = (_FACE_PX * part for part in divmod(number, _COLUMNS))
        box = (left, top, left + _FACE_PX, top + _FACE_PX)
        return Face(
            id=face_id(media_id, 0.0, box),
            media_id=media_id,
            segment=0,
            frame_index=row,
            timestamp_s=0.0,
            box_xyxy=box,
            landmarks_xy=((left + _FACE_PX / 2, top + _FACE_PX / 2),) * 5,
            frame_width=_SIDE_PX,
            frame_height=_SIDE_PX,
            probability=1.0,
            face_px=_FACE_PX,
            sharpness=0.0,
            model=self._model.key,
            embedding=vector,
            thumbnail=self._thumbnail,
        )


def model_of(dimensions: int) -> ModelIdentity:
    """Return what stands for the model of vectors that came from elsewhere."""
    return ModelIdentity("evaluation", dimensions, "vectors as given", "0" * 64, "none", "none")


def _tiny_jpeg() -> bytes:
    from PIL import Image

    stream = BytesIO()
    Image.new("L", (8, 8)).save(stream, "JPEG")
    return stream.getvalue()
