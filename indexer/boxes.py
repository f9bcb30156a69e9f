"""Geometry of boxes (x1, y1, x2, y2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.records import Box


def iou(first: Box, second: Box) -> float:
    """Return the intersection of two boxes over their union, 0 to 1; 0 for empty boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(first) + _area(second) - shared)


def centre_distance(box: Box, width: float, height: float) -> float:
    """Return the distance of a box's centre from the middle of a width x height picture."""
    x = (box[0] + box[2]) / 2 - width / 2
    y = (box[1] + box[3]) / 2 - height / 2
    return float((x * x + y * y) ** 0.5)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
