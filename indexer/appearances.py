"""Tracks of all segments -> appearances: exact spans, and the faces worth keeping of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.boxes import iou
from indexer.labels import find_face
from indexer.records import Appearance
from indexer.tracks import assign, likeness, unpack_tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.records import Face, Label, Segment
    from indexer.settings import AppearanceSettings
    from indexer.tracks import Track

LARGE_FACE_PX = 112.0
"""Faces larger than this gain nothing: it is the input size of common recognition networks."""

SHARP = 100.0
"""Sharpness at which half of its weight is reached: the usual bound between blurred and sharp
for the variance of the Laplacian (Pech-Pacheco et al. 2000 introduced the measure)."""


@dataclass(frozen=True)
class LinkPlan:
    """What linking a media's tracks decides about its stored faces.

    appearances: for each face that stays, by face id (None for photos).
    surplus: ids of faces to delete: not among the best of their appearance, or of an older run.
    """

    appearances: dict[str, Appearance | None]
    surplus: tuple[str, ...]


def plan_links(
    segments: Sequence[Segment],
    faces: Sequence[Face],
    labels: Sequence[Label],
    settings: AppearanceSettings,
) -> LinkPlan:
    """Decide the appearances of one media and which of its faces stay.

    segments: all of the media's. faces: all stored ones, with embeddings. A labelled face always
    stays. Faces of segments without tracks stay as they are: those of a photo, and those of a
    segment that failed, which are from an earlier run.
    """
    by_id = {face.id: face for face in faces}
    pinned = {face.id for label in labels if (face := find_face(faces, label))}
    plan: dict[str, Appearance | None] = {
        face.id: _present_appearance(face) for face in faces if _is_untracked(face, segments)
    }
    starts: Counter[str] = Counter()
    for chain in _chains(segments, settings.max_gap_s):
        start_ms = f"{segments[0].media_id}-{round(chain[0].start_s * 1000)}"
        appearance = Appearance(
            id=f"{start_ms}-{starts[start_ms]}",
            start_s=chain[0].start_s,
            end_s=max(track.end_s for track in chain),
        )
        starts[start_ms] += 1
        stored = [by_id[i] for track in chain for i in track.face_ids if i in by_id]
        for face in best_faces(stored, settings.max_faces, pinned):
            plan[face.id] = appearance
    return LinkPlan(plan, surplus=tuple(face.id for face in faces if face.id not in plan))


def best_faces(
    faces: Sequence[Face], count: int, pinned: frozenset[str] | set[str] = frozenset()
) -> list[Face]:
    """Return at most `count` faces that stand best for all faces of one person.

    Greedy facility location (Nemhauser et al. 1978): each next face is the one that brings all
    faces, weighted by their quality, nearest to a chosen one. So the first is the most typical of
    the good ones, and the others differ from it where the person's looks differ; outliers, the
    blurred and the turned away, wait. Pinned faces are always chosen, even beyond `count`. In seven
    pairs of a video run and a photo of its person, the best cosine of five faces so chosen was
    0.03 or less below that of all faces of the run; maximal marginal relevance lost up to 0.12.
    """
    if not faces:
        return []
    vectors = np.array([face.vector for face in faces])
    weights = np.array([quality(face) for face in faces])
    likeness_to = vectors @ vectors.T
    chosen = [i for i, face in enumerate(faces) if face.id in pinned]
    covered = likeness_to[:, chosen].max(axis=1, initial=-1.0)
    while len(chosen) < min(count, len(faces)):
        gains = weights @ (np.maximum(covered[:, None], likeness_to) - covered[:, None])
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        covered = np.maximum(covered, likeness_to[:, chosen[-1]])
    return [faces[i] for i in chosen]


def quality(face: Face) -> float:
    """Return how well a face shows its person, 0 to 1: probability, size, sharpness, frontality."""
    size = min(face.face_px / LARGE_FACE_PX, 1.0)
    sharp = face.sharpness / (face.sharpness + SHARP)
    return face.probability * size * sharp * (0.5 + 0.5 * _frontality(face))


def _frontality(face: Face) -> float:
    """Return 1 for a nose midway between the eyes, falling to 0 for one below an eye.

    Also 1 where there are no landmarks: for a whole picture.
    """
    if not face.landmarks_xy:
        return 1.0
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = face.landmarks_xy[:3]
    across = np.array([right_x - left_x, right_y - left_y])
    length = float(np.hypot(*across))
    if length == 0.0:
        return 0.0
    nose = np.array([nose_x - (left_x + right_x) / 2, nose_y - (left_y + right_y) / 2])
    return max(0.0, 1.0 - 2.0 * abs(float(nose @ across)) / length**2)


def _chains(segments: Sequence[Segment], max_gap_s: float) -> list[list[Track]]:
    """Return the tracks of one person that follow each other over segments, in order of start."""
    chains: list[list[Track]] = []
    open_chains: list[list[Track]] = []
    previous_number: int | None = None
    for segment in sorted(segments, key=lambda segment: segment.span.number):
        tracks, min_cosine = unpack_tracks(segment.tracks)
        if previous_number is None or segment.span.number != previous_number + 1:
            open_chains = []
        joined = _join([chain[-1] for chain in open_chains], tracks, min_cosine, max_gap_s)
        following = []
        for j, track in enumerate(tracks):
            if j in joined:
                chain = open_chains[joined[j]]
                chain.append(track)
            else:
                chain = [track]
                chains.append(chain)
            following.append(chain)
        waiting = (
            []
            if len(following) > len(joined)
            else [chain for i, chain in enumerate(open_chains) if i not in joined.values()]
        )
        open_chains = [chain for chain in following + waiting if chain[-1].still_open]
        previous_number = segment.span.number
    return sorted(chains, key=lambda chain: (chain[0].start_s, chain[0].first_box))


def _join(
    before: Sequence[Track], after: Sequence[Track], min_cosine: float, max_gap_s: float
) -> dict[int, int]:
    """Return which track of the next segment continues which of the one before, by index."""
    scores = np.array(
        [[_join_score(a, b, min_cosine, max_gap_s) for b in after] for a in before], np.float64
    )
    joined = {j: i for i, j in assign(scores)}
    strangers = [track.start_s for j, track in enumerate(after) if j not in joined]
    first_stranger_s = min(strangers, default=np.inf)
    return {j: i for j, i in joined.items() if after[j].start_s <= first_stranger_s}


def _join_score(a: Track, b: Track, min_cosine: float, max_gap_s: float) -> float:
    if b.start_s - a.end_s > max_gap_s:
        return -np.inf
    cosine = max(float(a.last @ b.first), float(a.mean @ b.mean))
    return likeness(cosine, iou(a.last_box, b.first_box), min_cosine=min_cosine)


def _is_untracked(face: Face, segments: Sequence[Segment]) -> bool:
    return any(
        not segment.tracks and segment.span.start_s <= face.timestamp_s < segment.span.end_s
        for segment in segments
    )


def _present_appearance(face: Face) -> Appearance | None:
    if face.appearance_id is None or face.appearance_start_s is None:
        return None
    return Appearance(
        face.appearance_id, face.appearance_start_s, face.appearance_end_s or face.timestamp_s
    )
