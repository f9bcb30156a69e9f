"""Where labels of points go, so that they cover neither each other nor many points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.report.drawing import FONT_PX, INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from indexer.evaluation.records import Array

_GAP_PX = 1.0
_REACHES_PX = (7.0, 16.0, 28.0, 42.0, 60.0, 80.0)
_DIRECTIONS = tuple(
    (round(float(np.cos(angle)), 3), round(float(np.sin(angle)), 3))
    for angle in np.deg2rad([0, 45, -45, 90, -90, 180, 135, -135, 22, -22])
)


def placed_labels(
    anchors: Array, sizes: Sequence[tuple[float, float]], obstacles: Array, area: Array
) -> list[tuple[float, float]]:
    """Return the centre of each label, in the order given; the first choose first.

    anchors: (n, 2) pixels that the labels belong to. sizes: width and height of each. obstacles:
    (m, 2) points better not covered. area: (4,) left, bottom, right, top that they stay in.
    """
    boxes: list[Array] = []
    centres = []
    for anchor, (width, height) in zip(anchors, sizes, strict=True):
        best, best_cost = (float(anchor[0]), float(anchor[1])), np.inf
        for reach in _REACHES_PX:
            for across, up in _DIRECTIONS:
                x = float(anchor[0]) + across * (reach + width / 2)
                y = float(anchor[1]) + up * (reach + height / 2)
                box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
                cost = _cost(box, boxes, obstacles, area) + reach / 20
                if cost < best_cost:
                    best, best_cost = (x, y), cost
        half = np.array([width / 2, height / 2])
        boxes.append(np.concatenate([np.array(best) - half, np.array(best) + half]))
        centres.append(best)
    return centres


def label_points(
    figure: Any, axes: Axes, anchors: Array, texts: Sequence[str], points: Array
) -> None:
    """Write labels beside the anchors, with a line to those that had to go far off.

    anchors: (n, 2), points: (m, 2) to leave visible, both in the coordinates of the axes.
    """
    figure.draw_without_rendering()  # the layout decides where the axes are
    scale = 72 / figure.dpi
    to_pixels = axes.transData.transform
    area = axes.get_window_extent()
    sizes = [(FONT_PX * 0.58 * len(text) + 4, FONT_PX * 1.25) for text in texts]
    places = placed_labels(
        to_pixels(anchors) * scale, sizes, to_pixels(points) * scale,
        np.array([area.x0, area.y0, area.x1, area.y1]) * scale,
    )  # fmt: skip
    for text, anchor, place in zip(texts, anchors, places, strict=True):
        x, y = axes.transData.inverted().transform(np.array(place) / scale)
        distance = np.linalg.norm(to_pixels(anchor) * scale - np.array(place))
        far = distance > 24 + FONT_PX * 0.29 * len(text)
        if far:
            axes.plot([anchor[0], x], [anchor[1], y], color=INK, linewidth=0.6, alpha=0.5)
        axes.text(x, y, text, ha="center", va="center", fontsize=FONT_PX, gid="halo", zorder=5)


def _cost(box: Array, boxes: Sequence[Array], obstacles: Array, area: Array) -> float:
    """Return how bad a place is: labels hide nothing else, least of all each other."""
    outside = np.maximum(area[:2] - box[:2], 0).sum() + np.maximum(box[2:] - area[2:], 0).sum()
    covered = np.sum(np.all((obstacles > box[:2] - 2) & (obstacles < box[2:] + 2), axis=1))
    overlap = 0.0
    for other in boxes:
        sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
        overlap += float(np.prod(np.maximum(sides + _GAP_PX, 0)))
    crowded = 50.0 if overlap > 0 else 0.0
    return float(100 * outside + 3 * covered + crowded + overlap)
