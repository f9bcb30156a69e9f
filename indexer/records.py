"""The frozen records that flow through Sightings; they know nothing of files, networks or engines.

Boxes are (x1, y1, x2, y2) in pixels of the displayed picture: rotated and with square pixels, as a
viewer shows it. Times are seconds from a media's start as a player shows them, a photo's is 0.
Dates are timezone-aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from indexer.frames import Frame as Frame
from indexer.frames import KeyFrame as KeyFrame

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np

Kind = Literal["photo", "video"]
State = Literal["queued", "working", "done", "failed"]
SegmentState = Literal["pending", "claimed", "done", "failed"]
LabelSource = Literal["hand", "csv", "folder"]
Verdict = Literal["same person", "possible", "different"]
Box = tuple[float, float, float, float]
Landmarks = tuple[tuple[float, float], ...]

WHOLE_MEDIA_S = float("inf")


@dataclass(frozen=True)
class MediaFile:
    """A path at which a media's bytes lay, and what tells cheaply that they still do."""

    path: str
    size_bytes: int
    mtime_ns: int
    media_id: str


@dataclass(frozen=True)
class Media:
    """One photo or video; its id is the first 32 hex digits of the SHA-256 of its bytes.

    batch: id of what was queued together with it, and queued_at: when; None if it never was.
    """

    id: str
    kind: Kind
    size_bytes: int
    width: int
    height: int
    duration_s: float | None = None
    recorded_at: datetime | None = None
    paths: tuple[str, ...] = ()
    state: State = "queued"
    error: str | None = None
    warnings: tuple[str, ...] = ()
    options: str = ""
    indexed_at: datetime | None = None
    batch: str | None = None
    queued_at: datetime | None = None

    @property
    def path(self) -> str:
        """The first path at which the media is known, or its id if it has none."""
        return self.paths[0] if self.paths else self.id


@dataclass(frozen=True)
class SegmentSpan:
    """A part of a media to be worked on: frames with start_s <= timestamp_s < end_s."""

    number: int
    start_s: float = 0.0
    end_s: float = WHOLE_MEDIA_S


@dataclass(frozen=True)
class SegmentCounts:
    """What work on a segment met. left_out: frames whose time goes back; warnings: of the file."""

    frames: int = 0
    key_frames: int = 0
    faces: int = 0
    decode_errors: int = 0
    left_out: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Segment:
    """A segment's record, which is also its job state.

    tracks: what `tracks.pack_tracks` made; opaque to engines, dropped once the media is linked.
    owner: who has claimed it. finished_at: when it was done or failed.
    """

    media_id: str
    span: SegmentSpan
    state: SegmentState = "pending"
    attempts: int = 0
    owner: str | None = None
    lease_until: datetime | None = None
    error: str | None = None
    counts: SegmentCounts = SegmentCounts()
    tracks: bytes = field(default=b"", repr=False)
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Detection:
    """A face as the detector sees it.

    landmarks_xy: left eye, right eye, nose, left and right mouth corner, in the picture's pixels
    (left as the viewer sees it); none for a whole picture that is taken for a face.
    """

    box_xyxy: Box
    landmarks_xy: Landmarks
    probability: float


@dataclass(frozen=True)
class Face:
    """A detected, embedded face: the searchable document.

    face_px: shorter side of the box in pixels. sharpness: see `faces.sharpness`.
    embedding: (dimensions,) float32 of length 1; None where an engine was not asked for it.
    thumbnail: JPEG; None where an engine was not asked for it.
    appearance_*: None for photos, and for videos that are not linked yet.
    """

    id: str
    media_id: str
    segment: int
    frame_index: int
    timestamp_s: float
    box_xyxy: Box
    landmarks_xy: Landmarks
    frame_width: int
    frame_height: int
    probability: float
    face_px: float
    sharpness: float
    model: str
    person: str | None = None
    appearance_id: str | None = None
    appearance_start_s: float | None = None
    appearance_end_s: float | None = None
    indexed_at: datetime | None = None
    embedding: np.ndarray | None = field(default=None, repr=False, compare=False)
    thumbnail: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def vector(self) -> np.ndarray:
        """The embedding of a face that must carry one."""
        if self.embedding is None:
            raise ValueError(f"Face {self.id} was read without its embedding.")
        return self.embedding


def face_id(media_id: str, timestamp_s: float, box_xyxy: Box) -> str:
    """Return the id of a face: media id, time in ms and the box rounded to 4 px.

    Two faces of one frame cannot share an id: detectors suppress boxes that overlap that much.
    """
    box = ".".join(str(round(max(edge, 0.0) / 4)) for edge in box_xyxy)
    return f"{media_id}-{round(timestamp_s * 1000)}-{box}"


@dataclass(frozen=True)
class Label:
    """The statement that the face at a time and place in a media is a person."""

    media_id: str
    timestamp_s: float
    box_xyxy: Box
    person: str
    source: LabelSource
    created_at: datetime

    @property
    def id(self) -> str:
        """One label a face and source: labelling again replaces."""
        return f"{face_id(self.media_id, self.timestamp_s, self.box_xyxy)}-{self.source}"


@dataclass(frozen=True)
class Thresholds:
    """Cosines from which a model's verdicts hold; `basis` says where they were measured."""

    possible: float
    same_person: float
    basis: str


@dataclass(frozen=True)
class ModelIdentity:
    """What made an index's embeddings: recipe (how a face becomes network input) and weights.

    thresholds: the model's own, as it comes. calibrated: those measured on the index's own faces,
    which go before them; only an index knows any (`Versions.set_thresholds`). link_cosine: from
    which faces in neighbouring frames are linked, where that was measured; see `link_cosines`.
    """

    name: str
    dimensions: int
    recipe: str
    weights_sha256: str
    weights_path: str
    licence: str
    thresholds: Thresholds | None = None
    calibrated: Thresholds | None = None
    link_cosine: float | None = None

    @property
    def key(self) -> str:
        """Equal for equal embeddings: name, recipe and weights; not where the weights lie."""
        import hashlib

        digest = hashlib.sha256(f"{self.recipe}\n{self.weights_sha256}".encode()).hexdigest()
        return f"{self.name}-{digest[:12]}"

    @property
    def verdict_thresholds(self) -> Thresholds | None:
        """The thresholds in force, or None for a model without any."""
        return self.calibrated or self.thresholds

    def verdict(self, cosine: float) -> Verdict | None:
        """Return the verdict for a cosine, or None if the model has no thresholds."""
        thresholds = self.verdict_thresholds
        if thresholds is None:
            return None
        if cosine >= thresholds.same_person:
            return "same person"
        return "possible" if cosine >= thresholds.possible else "different"


@dataclass(frozen=True)
class Filters:
    """Which faces count; every field that is set must hold. Values are data, matched literally.

    file_names: of any path of the media. path_prefix: a folder (or file); all that lies in it.
    from_s, to_s: the appearance (or the face, before linking) overlaps this range of a video; no
    photo does. recorded_from, recorded_to: inclusive; media without a date never match.
    """

    persons: tuple[str, ...] = ()
    media_ids: tuple[str, ...] = ()
    exclude_media_ids: tuple[str, ...] = ()
    file_names: tuple[str, ...] = ()
    path_prefix: str | None = None
    kind: Kind | None = None
    from_s: float | None = None
    to_s: float | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    min_face_px: float | None = None
    min_probability: float | None = None
    unnamed: bool = False


@dataclass(frozen=True)
class Person:
    """A name, with how many faces, appearances' worth, and media carry it."""

    name: str
    faces: int
    media: int


@dataclass(frozen=True)
class Deleted:
    """How much a deletion removed; `still_in` names the snapshots that hold it all the same."""

    media: int = 0
    faces: int = 0
    labels: int = 0
    still_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Appearance:
    """An unbroken run of a person in a video."""

    id: str
    start_s: float
    end_s: float
