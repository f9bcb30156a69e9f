"""MTCNN's proposals: arithmetic on many boxes, (n, 4) float32 of x1, y1, x2, y2 in pixels.

As in MTCNN's original code, the pixel at x2, y2 counts as part of a box in `moved` and
`suppressed_within`: a side is x2 - x1 + 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


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
    """Return the indices of the boxes that no better one overlaps too much, best first."""
    import torch
    from torchvision.ops import nms

    kept: Array = nms(torch.from_numpy(boxes), torch.from_numpy(scores), max_iou).numpy()
    return kept


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
