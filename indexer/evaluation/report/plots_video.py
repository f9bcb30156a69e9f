"""The plot of settings for videos: what is found against what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.evaluation.report.drawing import ACCENT, SERIES, inline_svg, new_drawing
from indexer.evaluation.report.labels import label_points
from indexer.evaluation.report.measures import VIDEO
from indexer.evaluation.report.plots import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from indexer.evaluation.records import Outcome

GOAL_FOUND, GOAL_DETECTIONS = 0.99, 0.10
"""Goals of the key-frame settings: what is found at least, and what it costs at most."""


def found_for_detections(runs: Sequence[Outcome], key: str, *, above: float = 0.0) -> str | None:
    """Return found share over share of detections; None if no run has both.

    above: draw only the part above this share, and nothing if that is all there is.
    """
    found, detections = VIDEO[0], VIDEO[1]
    known = [
        (each, cost, share)
        for each in runs
        if (cost := detections.of(each)) and (share := found.of(each)) is not None
    ]
    inside = [each for each in known if each[2] > above]
    if not inside or (above and len(inside) == len(known)):
        return None
    points = np.array([(100 * cost, 100 * share) for _, cost, share in inside])
    lowest = 100 * above or max(min(float(points[:, 1].min()), 97.0) - 2.5, 0.0)
    left, right = min(float(points[:, 0].min()) / 1.6, 5.0), max(150.0, 1.3 * points[:, 0].max())
    figure, axes = new_drawing(470, 340)
    _draw_goals(axes, left)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(lowest, 100 + (100 - lowest) * 0.1)
    axes.plot(points[:, 0], points[:, 1], "o", color=SERIES[0], markersize=7)
    ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100) if left <= tick <= right]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("detections, % of those on every frame")
    axes.set_ylabel("found, % of what every frame finds")
    label_points(figure, axes, points, [shortened(each.name, 28) for each, *_ in inside], points)
    said = f"Share found against share of detections for {len(inside)} settings"
    return inline_svg(figure, key, said)


def _draw_goals(axes: Axes, left: float) -> None:
    found, detections = 100 * GOAL_FOUND, 100 * GOAL_DETECTIONS
    axes.fill_between([left, detections], found, 100.0, color=ACCENT, alpha=0.16, linewidth=0)
    axes.axhline(found, color=ACCENT, linewidth=1, linestyle=(0, (4, 2)))
    axes.axvline(detections, color=ACCENT, linewidth=1, linestyle=(0, (4, 2)))
