"""Whom an index followed through a clip, told by where people truly are: no embedding counts here.

This parts two ways to miss somebody: nobody was followed, or somebody was and was not recognised.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from indexer.boxes import iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from indexer.evaluation.video.truth import PersonTruth, Span
    from indexer.records import Face

LEAST_IOU = 0.3
"""Overlap from which a detected face is the true one: networks and truth draw boxes differently."""


def followed(
    faces: Iterable[Face], people: Sequence[PersonTruth]
) -> Mapping[str, tuple[Span, ...]]:
    """Return the spans of each person's appearances in a clip.

    faces: stored of the clip, linked to appearances. An appearance belongs to the person in whose
    true boxes most of its faces lie; those of nobody are left out.
    """
    votes: dict[tuple[str, Span], Counter[str]] = defaultdict(Counter)
    for face in faces:
        start_s, end_s = face.appearance_start_s, face.appearance_end_s
        if face.appearance_id is None or start_s is None or end_s is None:
            continue
        votes[face.appearance_id, (start_s, end_s)][_whose(face, people)] += 1
    spans: dict[str, list[Span]] = defaultdict(list)
    for (_, span), counted in votes.items():
        spans[counted.most_common(1)[0][0]].append(span)
    spans.pop("", None)
    return {person: tuple(sorted(each)) for person, each in spans.items()}


def _whose(face: Face, people: Sequence[PersonTruth]) -> str:
    """Return whose true box a face is nearest to, "" if it is nobody's."""
    best, person = LEAST_IOU, ""
    for each in people:
        box = each.boxes[face.frame_index]
        if not np.isnan(box[0]):
            overlap = iou(face.box_xyxy, tuple(box.tolist()))
            if overlap >= best:
                best, person = overlap, each.person
    return person
