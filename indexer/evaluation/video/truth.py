"""Who can be seen when, and where: what a plan means, without any network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.video.geometry import placements
from indexer.evaluation.video.plan import FRAMES_PER_S, HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.evaluation.video.plan import ClipPlan

    Array = np.ndarray[Any, Any]

Span = tuple[float, float]
"""Start and end in seconds: the times of its first and its last frame."""

MOST_COVERED = 0.1
"""Part of a face's box that somebody in front may cover while the face still counts as visible."""

_HEAD = 1.3
"""A head's box over its face's, about the same centre: what somebody in front covers."""


@dataclass(frozen=True)
class PersonTruth:
    """When and where a person is in a clip.

    boxes: (frames, 4) float64, x1, y1, x2, y2 of the face in pixels; not a number where no part of
    it is in the frame. visible: (frames,) bool; where the face counts: its box is not narrower than
    the detector's minimum, lies inside the frame, and nobody in front covers more than
    MOST_COVERED of it.
    """

    person: str
    boxes: Array = field(repr=False, compare=False)
    visible: Array = field(repr=False, compare=False)

    @property
    def present(self) -> Array:
        """(frames,) bool: some part of the face is in the frame, though it may not count."""
        present: Array = ~np.isnan(self.boxes[:, 0])
        return present


def times_of(plan: ClipPlan) -> Array:
    """Return the times of a clip's frames, (frames,) float64, in seconds to the microsecond."""
    times: Array = np.round(np.arange(plan.frames) / FRAMES_PER_S, 6)
    return times


def truth_of(plan: ClipPlan, min_face_px: float) -> tuple[PersonTruth, ...]:
    """Return the truth about everybody in a clip, in order of name.

    min_face_px: shortest side of a face's box with which it counts, in pixels.
    """
    names = sorted({actor.person for shot in plan.shots for actor in shot.actors})
    boxes = {name: np.full((plan.frames, 4), np.nan) for name in names}
    visible = {name: np.zeros(plan.frames, bool) for name in names}
    first = 0
    for shot in plan.shots:
        during = slice(first, first + shot.frames)
        faces = np.array([placements(actor, shot).boxes() for actor in shot.actors])
        counts: Sequence[Array] | Array = _counts(faces, min_face_px) if len(faces) else []
        for actor, of_actor, counted in zip(shot.actors, faces, counts, strict=True):
            inside = _shared(of_actor, np.array([0.0, 0.0, WIDTH, HEIGHT])) > 0
            boxes[actor.person][during] = np.where(inside[:, None], of_actor, np.nan)
            visible[actor.person][during] = counted
        first += shot.frames
    return tuple(PersonTruth(name, boxes[name], visible[name]) for name in names)


def spans_of(mask: Array, times_s: Array) -> tuple[Span, ...]:
    """Return the unbroken runs of frames: mask (frames,) bool, times_s (frames,) ascending."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return tuple(
        (float(times_s[start]), float(times_s[end]))
        for start, end in zip(starts, ends, strict=True)
    )


def _counts(faces: Array, min_face_px: float) -> Array:
    """Return which faces count, (actors, frames) bool, of boxes (actors, frames, 4)."""
    low, high = faces[..., :2], faces[..., 2:]
    large = (high - low).min(axis=2) >= min_face_px
    inside = (low >= 0).all(axis=2) & (high <= (WIDTH, HEIGHT)).all(axis=2)
    hidden = np.zeros(large.shape, bool)
    for number, face in enumerate(faces):
        for in_front in faces[number + 1 :]:
            covered = _shared(face, _enlarged(in_front)) / _shared(face, face)
            hidden[number] |= covered > MOST_COVERED
    counted: Array = large & inside & ~hidden
    return counted


def _shared(first: Array, second: Array) -> Array:
    """Return the area that boxes share, (frames,); either may be one box for all frames."""
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    area: Array = np.maximum(high - low, 0.0).prod(axis=-1)
    return area


def _enlarged(faces: Array) -> Array:
    centres = (faces[:, :2] + faces[:, 2:]) / 2
    halves = (faces[:, 2:] - faces[:, :2]) / 2 * _HEAD
    return np.concatenate([centres - halves, centres + halves], axis=1)


def named(people: Sequence[PersonTruth], person: str) -> PersonTruth | None:
    """Return the truth about one person, None if they are not in the clip."""
    return next((each for each in people if each.person == person), None)
