"""MTCNN's proposals: arithmetic on many boxes, (n, 4) float32 of x1, y1, x2, y2 in pixels.

As in MTCNN's original code, the pixel at x2, y2 counts as part of a box in `moved` and
`suppressed_within`: a side is x2 - x1 + 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BLOCK = 128  # boxes compared with each other at once: bounds memory


def moved(boxes: Array, offsets: Array) -> Array:
    """Move each edge by a share of the box's side, as MTCNN's networks advise; offsets (n, 4)."""
    refined: Array = boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)
    return refined


def squared(boxes: Array) -> Array:
    """Make boxes square around their centre, with the longer side."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides * np.float32(0.5) - longer * np.float32(0.5)
    squares: Array = np.concatenate([corner, corner + longer], axis=1)
    return squares


def suppressed(boxes: Array, scores: Array, max_iou: float) -> Array:
    """Return the indices of the boxes that no better one overlaps too much, best first.

    Of equal scores the earlier box is the better one. The same as torchvision's `nms`, to the last
    bit; memory grows with the number of boxes only.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = boxes[order]
    kept = np.zeros(len(ranked), bool)
    for start in range(0, len(ranked), BLOCK):
        block = ranked[start : start + BLOCK]
        free = np.ones(len(block), bool)
        better = ranked[:start][kept[:start]]
        for part in range(0, len(better), BLOCK):
            free &= ~_overlapping(better[part : part + BLOCK], block, max_iou).any(axis=0)
        free[free] = _best_among(block[free], max_iou)
        kept[start : start + BLOCK] = free
    survivors: Array = order[kept]
    return survivors


def _best_among(boxes: Array, max_iou: float) -> Array:
    """Return for each box (n, 4), best first, whether it stays: (n,)."""
    apart = ~_overlapping(boxes, boxes, max_iou)
    free = np.ones(len(boxes), bool)
    for index in range(len(boxes)):
        if free[index]:
            free[index + 1 :] &= apart[index, index + 1 :]
    return free


def _overlapping(boxes: Array, others: Array, max_iou: float) -> Array:
    """Return for each box (n, 4) and other box (m, 4) whether they overlap too much: (n, m)."""
    x1, y1, x2, y2 = (edge[:, None] for edge in boxes.T)
    width = np.minimum(x2, others[:, 2]) - np.maximum(x1, others[:, 0])
    height = np.minimum(y2, others[:, 3]) - np.maximum(y1, others[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (x2 - x1) * (y2 - y1)
    other_areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    with np.errstate(invalid="ignore"):  # of two boxes without area
        # In float64, as a threshold rounded to float32 could move past a quotient.
        overlap: Array = shared / (areas + other_areas - shared) > np.float64(max_iou)
    return overlap


def suppressed_within(boxes: Array, scores: Array, max_share: float) -> Array:
    """Return the same as `suppressed` for overlap as a share of the smaller box."""
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1)
    left = np.argsort(scores)[::-1]
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        overlap = np.maximum(high - low + 1, 0).prod(axis=1)
        left = left[overlap / np.minimum(areas[best], areas[left]) <= max_share]
    return np.array(kept, dtype=np.int64)
