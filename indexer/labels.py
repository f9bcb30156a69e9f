"""Labels and the faces they name: labels are the authority, a face's `person` is a copy.

Pure functions; engines call them inside their transactions.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from indexer.boxes import iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.records import Face, Label

SAME_TIME_S = 0.02
"""Half a frame at 25 frames a second: times nearer than that are the same frame."""

SAME_PLACE_IOU = 0.5
"""Boxes that overlap more are the same face (the usual bound of detection metrics)."""

_AUTHORITY = {"folder": 0, "csv": 1, "hand": 2}


def persons_of(faces: Sequence[Face], labels: Sequence[Label]) -> dict[str, str | None]:
    """Return the name of each face of one media, by face id; None for unnamed ones.

    A label names the face it lies on (same time, IoU > 0.5) and all faces of that face's
    appearance. Where labels disagree a label by hand beats one from a CSV, that beats one from a
    folder; then the label on the face itself beats one on its appearance; then the latest wins.
    """
    on_face: dict[str, list[Label]] = defaultdict(list)
    on_appearance: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        face = find_face(faces, label)
        if face is None:
            continue
        on_face[face.id].append(label)
        if face.appearance_id is not None:
            on_appearance[face.appearance_id].append(label)
    return {
        face.id: _strongest(on_face[face.id], on_appearance.get(face.appearance_id or "", []))
        for face in faces
    }


def unmatched(faces: Sequence[Face], labels: Sequence[Label]) -> tuple[Label, ...]:
    """Return the labels that lie on none of their media's faces."""
    return tuple(label for label in labels if find_face(faces, label) is None)


def labels_naming(face: Face, faces: Sequence[Face], labels: Sequence[Label]) -> list[Label]:
    """Return the labels that give a face its name: those on it and on its appearance."""
    naming = []
    for label in labels:
        labelled = find_face(faces, label)
        if labelled is not None and (
            labelled.id == face.id
            or (face.appearance_id is not None and labelled.appearance_id == face.appearance_id)
        ):
            naming.append(label)
    return naming


def find_face(faces: Sequence[Face], label: Label) -> Face | None:
    """Return the face a label lies on, or None.

    That is the face of the same time with the largest IoU above 0.5. If the frame of the label
    was not kept, it is the nearest face in time, at the same place, of an appearance that spans
    the label's time.
    """
    same_time = [face for face in faces if abs(face.timestamp_s - label.timestamp_s) <= SAME_TIME_S]
    if placed := _placed(same_time, label):
        return max(placed, key=lambda face: iou(face.box_xyxy, label.box_xyxy))
    spanning = _placed([face for face in faces if _spans(face, label.timestamp_s)], label)
    return min(spanning, key=lambda face: abs(face.timestamp_s - label.timestamp_s), default=None)


def _placed(faces: Sequence[Face], label: Label) -> list[Face]:
    return [face for face in faces if iou(face.box_xyxy, label.box_xyxy) > SAME_PLACE_IOU]


def _spans(face: Face, timestamp_s: float) -> bool:
    if face.appearance_start_s is None or face.appearance_end_s is None:
        return False
    return (
        face.appearance_start_s - SAME_TIME_S <= timestamp_s <= face.appearance_end_s + SAME_TIME_S
    )


def _strongest(direct: Sequence[Label], shared: Sequence[Label]) -> str | None:
    ranked = [(label, True) for label in direct] + [(label, False) for label in shared]
    if not ranked:
        return None
    label, _ = max(
        ranked, key=lambda pair: (_AUTHORITY[pair[0].source], pair[1], pair[0].created_at)
    )
    return label.person
