"""Faces of one segment -> tracks: the unbroken runs of one person within the segment.

A track is what a segment leaves for linking: exact times, three embeddings and two boxes, and the
few faces kept. Segments are tracked apart and joined afterwards (`appearances`), so it does not
matter whether one process or several worked on a video.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from indexer.boxes import iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from indexer.looks import Look
    from indexer.records import Box, Face

CUT_DELTA_E = 15.0
"""Mean CIELAB difference of neighbouring key frames from which the picture counts as cut.

A slow change crosses the key-frame threshold (12 by default) by little; a cut by far.
"""

LINKING_IOU = 0.3
"""Overlap from which a face stands where another one stood in the key frame before."""

NEAR_DISTANCE = 1.25
"""A face in the same place, without a cut, may be this much farther away in squared distance,
2 - 2 cos: a factor on distances means the same for networks whose cosines lie close together."""


@dataclass(frozen=True)
class Track:
    """A run of one person within a segment.

    first, last, mean: (dimensions,) float32 embeddings of length 1. still_open: the run was not
    ended by a cut to somebody else, so it may go on in the next segment.
    """

    start_s: float
    end_s: float
    first_box: Box
    last_box: Box
    first: np.ndarray = field(repr=False, compare=False)
    last: np.ndarray = field(repr=False, compare=False)
    mean: np.ndarray = field(repr=False, compare=False)
    still_open: bool
    face_ids: tuple[str, ...]


class Tracker:
    """Takes the key frames of one segment in order and gives its tracks.

    min_cosine: from which two faces are linked. max_gap_s: how long a person may be unseen.
    """

    def __init__(self, *, min_cosine: float, max_gap_s: float) -> None:
        self._min_cosine = min_cosine
        self._max_gap_s = max_gap_s
        self._runs: list[_Run] = []

    def add(self, seen: Look, faces: Sequence[Face]) -> None:
        """Take the look of a key frame with its embedded faces (none, if it shows nobody)."""
        now_s = seen.timestamp_s
        cut = seen.delta_e >= CUT_DELTA_E
        active = [
            run for run in self._runs if run.still_open and now_s - run.end_s <= self._max_gap_s
        ]
        pairs = assign(
            np.array([[self._likeness(run, face, cut=cut) for face in faces] for run in active])
        )
        for run, face in ((active[i], faces[j]) for i, j in pairs):
            run.extend(face, seen.until_s)
        continued, linked = {i for i, _ in pairs}, {j for _, j in pairs}
        strangers = [face for j, face in enumerate(faces) if j not in linked]
        for i, run in enumerate(active):
            if i not in continued and _replaced(run, faces, cut=cut):
                run.still_open = False
        self._runs.extend(_Run(face, seen.until_s) for face in strangers)

    def runs(self) -> list[tuple[Track, tuple[Face, ...]]]:
        """Return the tracks with all their faces, in order of start and then of place."""
        runs = sorted(self._runs, key=lambda run: (run.start_s, run.first_box))
        return [(run.track(), tuple(run.faces)) for run in runs]

    def _likeness(self, run: _Run, face: Face, *, cut: bool) -> float:
        """Return how well a face continues a run; minus infinity if it cannot."""
        cosine = max(float(run.faces[-1].vector @ face.vector), float(run.mean @ face.vector))
        overlap = 0.0 if cut else iou(run.last_box, face.box_xyxy)
        return likeness(cosine, overlap, min_cosine=self._min_cosine)


def likeness(cosine: float, overlap: float, *, min_cosine: float) -> float:
    """Return a score for linking two faces, minus infinity if they must not be linked."""
    near = overlap >= LINKING_IOU and 1 - cosine <= NEAR_DISTANCE * (1 - min_cosine)
    return cosine + overlap if cosine >= min_cosine or near else -np.inf


def assign(scores: np.ndarray) -> list[tuple[int, int]]:
    """Pair rows with columns one to one so that the sum of scores is highest.

    scores: (rows, columns), minus infinity where a pair is not allowed; either may be 0.
    Hungarian method (Kuhn 1955) as SciPy has it.
    """
    if scores.size == 0:
        return []
    from scipy.optimize import linear_sum_assignment

    allowed = np.isfinite(scores)
    rows, columns = linear_sum_assignment(np.where(allowed, scores, -1e3), maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]


def pack_tracks(tracks: Iterable[Track], *, min_cosine: float) -> bytes:
    """Return tracks as bytes (NumPy's npz, no pickle), never empty."""
    listed = list(tracks)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        min_cosine=min_cosine,
        times_s=np.array([(t.start_s, t.end_s) for t in listed], np.float64).reshape(-1, 2),
        boxes=np.array([(t.first_box, t.last_box) for t in listed], np.float64),
        embeddings=np.array([(t.first, t.last, t.mean) for t in listed], np.float32),
        still_open=np.array([t.still_open for t in listed], bool),
        face_ids=np.array(["\n".join(t.face_ids) for t in listed], np.str_),
    )
    return buffer.getvalue()


def unpack_tracks(packed: bytes) -> tuple[list[Track], float]:
    """Return what `pack_tracks` was given: the tracks and min_cosine. b"" holds no tracks."""
    if not packed:
        return [], 0.0
    with np.load(io.BytesIO(packed), allow_pickle=False) as data:
        columns = {name: data[name] for name in data.files}
    tracks = [
        Track(
            start_s=float(start_s),
            end_s=float(end_s),
            first_box=tuple(boxes[0].tolist()),
            last_box=tuple(boxes[1].tolist()),
            first=vectors[0],
            last=vectors[1],
            mean=vectors[2],
            still_open=bool(still_open),
            face_ids=tuple(str(face_ids).split("\n")),
        )
        for (start_s, end_s), boxes, vectors, still_open, face_ids in zip(
            columns["times_s"],
            columns["boxes"],
            columns["embeddings"],
            columns["still_open"],
            columns["face_ids"],
            strict=True,
        )
    ]
    return tracks, float(columns["min_cosine"])


def without_faces(packed: bytes, face_ids: AbstractSet[str]) -> bytes:
    """Return packed tracks less those of any of the faces."""
    tracks, min_cosine = unpack_tracks(packed)
    kept = [track for track in tracks if face_ids.isdisjoint(track.face_ids)]
    return pack_tracks(kept, min_cosine=min_cosine)


class _Run:
    """A track that is being built."""

    def __init__(self, face: Face, until_s: float) -> None:
        self.faces = [face]
        self.start_s = face.timestamp_s
        self.end_s = until_s
        self.first_box = face.box_xyxy
        self.still_open = True
        self._sum = face.vector.astype(np.float64)

    @property
    def last_box(self) -> Box:
        return self.faces[-1].box_xyxy

    @property
    def mean(self) -> np.ndarray:
        return (self._sum / np.linalg.norm(self._sum)).astype(np.float32)

    def extend(self, face: Face, until_s: float) -> None:
        self.faces.append(face)
        self.end_s = until_s
        self._sum += face.vector

    def track(self) -> Track:
        return Track(
            self.start_s,
            self.end_s,
            self.first_box,
            self.last_box,
            self.faces[0].vector,
            self.faces[-1].vector,
            self.mean,
            self.still_open,
            tuple(face.id for face in self.faces),
        )


def _replaced(run: _Run, faces: Sequence[Face], *, cut: bool) -> bool:
    """Whether a run that no face continues has given way to somebody else.

    After a cut any face says so; without one, a face in the same place.
    """
    if cut:
        return len(faces) > 0
    return any(iou(run.last_box, face.box_xyxy) >= LINKING_IOU for face in faces)
