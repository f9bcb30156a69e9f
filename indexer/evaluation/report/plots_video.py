"""The plot of settings for videos: what is found against what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.evaluation.report.drawing import ACCENT, MUTED, SERIES, inline_svg, new_drawing
from indexer.evaluation.report.labels import label_points
from indexer.evaluation.report.measures import VIDEO
from indexer.evaluation.report.plots import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.evaluation.records import Outcome

GOAL_FOUND, GOAL_DETECTIONS = 0.99, 0.10
"""Goals of the key-frame settings: what is found at least, and what it costs at most."""


def found_for_detections(runs: Sequence[Outcome], key: str) -> str | None:
    """Return found share over share of detections; None if no run has both."""
    found, detections = VIDEO[0], VIDEO[1]
    known = [
        (each, cost, share)
        for each in runs
        if (cost := detections.of(each)) and (share := found.of(each)) is not None
    ]
    if not known:
        return None
    points = np.array([(100 * cost, 100 * share) for _, cost, share in known])
    lowest = max(min(float(points[:, 1].min()), 97.0) - 2.5, 0.0)
    left, right = min(float(points[:, 0].min()) / 1.6, 5.0), max(130.0, 1.3 * points[:, 0].max())
    figure, axes = new_drawing(620, 380)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(lowest, 100 + (100 - lowest) * 0.12)
    axes.fill_between([left, 100 * GOAL_DETECTIONS], 100 * GOAL_FOUND, 100.0, color=ACCENT,
                      alpha=0.14, linewidth=0)  # fmt: skip
    axes.axhline(100 * GOAL_FOUND, color=ACCENT, linewidth=1, linestyle=(0, (4, 2)))
    axes.axvline(100 * GOAL_DETECTIONS, color=ACCENT, linewidth=1, linestyle=(0, (4, 2)))
    axes.plot(points[:, 0], points[:, 1], "o", color=SERIES[0], markersize=7)
    ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100) if left <= tick <= right]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("detections, % of those on every frame")
    axes.set_ylabel("found, % of what every frame finds")
    axes.tick_params(labelcolor=MUTED)
    label_points(figure, axes, points, [shortened(each.name, 28) for each, *_ in known], points)
    said = f"Share found against share of detections for {len(known)} settings"
    return inline_svg(figure, key, said)
