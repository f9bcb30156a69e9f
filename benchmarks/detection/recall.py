"""How many of the faces that one setting finds another one finds, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.boxes import iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    Array = np.ndarray[Any, Any]

MIN_IOU = 0.5
"""Overlap from which two boxes are of one face, as in the PASCAL VOC challenge (2010)."""


@dataclass(frozen=True)
class Recall:
    """What became of the faces of a reference.

    sizes_px: (n,) shorter side of each face's box in the reference. found: (n,) bool, whether it is
    among those compared. extra: faces among those that are none of the reference's.
    """

    sizes_px: Array
    found: Array
    extra: int

    def percent(self, least_px: float = 0.0, below_px: float = np.inf) -> float | None:
        """Return how many per cent of the faces of a size were found; None if there are none."""
        wanted = (self.sizes_px >= least_px) & (self.sizes_px < below_px)
        return 100 * float(self.found[wanted].mean()) if wanted.any() else None


def recall_of(reference: Sequence[Array], compared: Sequence[Array]) -> Recall:
    """Return which faces of the reference are found again, picture by picture.

    reference, compared: for each picture (n, 4) of x1, y1, x2, y2 in pixels. Each box counts once;
    those that overlap most are paired first, down to an IoU of MIN_IOU.
    """
    sizes, found, extra = [np.zeros(0)], [np.zeros(0, bool)], 0
    for expected, boxes in zip(reference, compared, strict=True):
        again = np.zeros(len(expected), bool)
        matched = _matched(expected, boxes)
        again[matched] = True
        sizes.append((expected[:, 2:] - expected[:, :2]).min(axis=1, initial=np.inf))
        found.append(again)
        extra += len(boxes) - len(matched)
    return Recall(np.concatenate(sizes), np.concatenate(found), extra)


def _matched(expected: Array, boxes: Array) -> list[int]:
    """Return the rows of `expected` that have a box of their own."""
    overlaps = np.array(
        [[iou(tuple(one), tuple(other)) for other in boxes.tolist()] for one in expected.tolist()]
    ).reshape(len(expected), len(boxes))
    rows = []
    while overlaps.size and overlaps.max() >= MIN_IOU:
        row, column = np.unravel_index(int(overlaps.argmax()), overlaps.shape)
        rows.append(int(row))
        overlaps[row], overlaps[:, column] = 0.0, 0.0
    return rows
