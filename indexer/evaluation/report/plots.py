"""Plots of runs on photos: ROC curves, histograms of scores, folds, people by photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.report.drawing import (
    DIFFERENT,
    INK,
    MARKERS,
    REST,
    SAME,
    SERIES,
    dash,
    inline_svg,
    new_drawing,
)
from indexer.evaluation.report.measures import number
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from indexer.evaluation.records import Array, Outcome
    from indexer.evaluation.report.runs import Curve

WIDTH_PX, HEIGHT_PX = 470, 330
LOWEST_FAR = 1e-5
FAR_TICKS = ("1e-5", "1e-4", "1e-3", "1e-2", "0.1", "1")
_POINTS = 400
THRESHOLDS_MARKED = (("1e-3", "possible"), ("1e-5", "same person"))


def roc(
    curves: Sequence[Curve], key: str, *, lowest_tar: float, measure: str = "roc"
) -> str | None:
    """Return the ROC curves over a logarithmic axis of FAR; None if no run has one.

    measure: which ones, `roc` or `roc_euclidean`.
    """
    drawn = [c for c in curves if {f"{measure}_far", f"{measure}_tar"} <= set(c.outcome.arrays)]
    if not drawn:
        return None
    figure, axes = new_drawing(WIDTH_PX, HEIGHT_PX)
    for curve in reversed(drawn):
        far, tar = curve_points(curve.outcome, measure)
        axes.plot(far, tar, **series_style(curve.place))
    axes.set_xscale("log")
    axes.set_xticks([10.0**power for power in range(-5, 1)], FAR_TICKS)
    axes.minorticks_off()
    axes.set_xlim(LOWEST_FAR, 1)
    axes.set_ylim(lowest_tar, 1 + (1 - lowest_tar) * 0.02)
    axes.set_xlabel("false-accept rate (FAR)")
    axes.set_ylabel("true-accept rate (TAR)")
    said = "all" if lowest_tar == 0 else f"the part above {lowest_tar:g}"
    by = " by Euclidean distance" if measure == "roc_euclidean" else ""
    return inline_svg(figure, key, f"ROC curves{by} of {len(drawn)} configurations, {said}")


def curve_points(outcome: Outcome, measure: str = "roc") -> tuple[Array, Array]:
    """Return FAR and TAR of the drawn part of a ROC curve: at most 400 points, FAR from 1e-5.

    Without a false accept there is no place on a logarithmic axis; the curve starts at the first.
    """
    far = np.asarray(outcome.arrays[f"{measure}_far"], float)
    tar = np.asarray(outcome.arrays[f"{measure}_tar"], float)
    order = np.lexsort((tar, far))
    far, tar = far[order], tar[order]
    shown_part = np.flatnonzero(far >= LOWEST_FAR)
    if not shown_part.size:
        return far[:0], tar[:0]
    if shown_part.size > _POINTS:
        grid = np.geomspace(far[shown_part[0]], far[shown_part[-1]], _POINTS)
        last = np.searchsorted(far, grid * (1 + 1e-9), side="right") - 1
        shown_part = np.unique(np.clip(last, shown_part[0], shown_part[-1]))
    far, tar = far[shown_part], tar[shown_part]
    return far, tar


def series_style(place: int | None) -> dict[str, Any]:
    """Return how a configuration's lines look, everywhere the same; those past the palette grey."""
    if place is None:
        return {"color": REST, "linewidth": 1.0, "linestyle": "-", "zorder": 1.5}
    return {"color": SERIES[place], "linestyle": dash(place), "zorder": 3}


def scores(curve: Curve, key: str) -> str | None:
    """Return the histogram of cosines of same and different pairs, each as shares of its own."""
    arrays = curve.outcome.arrays
    if not {"score_edges", "score_same", "score_different"} <= set(arrays):
        return None
    edges = np.asarray(arrays["score_edges"], float)
    figure, axes = new_drawing(300, 180)
    top = 0.0
    for name, colour, line in (("score_different", DIFFERENT, "--"), ("score_same", SAME, "-")):
        counts = np.asarray(arrays[name], float)
        shares = counts / max(counts.sum(), 1)
        top = max(top, float(shares.max(initial=0)))
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.18)
        axes.stairs(shares, edges, color=colour, linewidth=1.6, linestyle=line)
    _mark_thresholds(axes, curve.outcome, top)
    low, high = _span(arrays)
    axes.set_xlim(low, high)
    axes.set_ylim(0, top * 1.32 or 1)
    axes.set_yticks([])
    axes.set_xlabel("cosine")
    axes.spines["left"].set_visible(False)
    said = f"Histogram of cosines of same and different pairs, {shown(curve.name)}"
    return inline_svg(figure, key, said)


def _mark_thresholds(axes: Axes, outcome: Outcome, top: float) -> None:
    for height, (far, word) in zip((1.2, 1.07), THRESHOLDS_MARKED, strict=True):
        at = number(outcome.metrics, "all_pairs", "threshold_at_far", far)
        if at is None:
            continue
        axes.plot([at, at], [0, top * (height + 0.04)], color=INK, linewidth=1.1)
        axes.annotate(
            f"{word} {at:.2f}".replace("-", "−"),
            (at, top * height), xytext=(4, 0), textcoords="offset points",
            fontsize=10, va="center", color=INK, gid="halo",
        )  # fmt: skip


def _span(arrays: Any) -> tuple[float, float]:
    """Return the part of the axis that has pairs, a little wider."""
    edges = np.asarray(arrays["score_edges"], float)
    some = np.flatnonzero(np.asarray(arrays["score_same"]) + np.asarray(arrays["score_different"]))
    if not some.size:
        return float(edges[0]), float(edges[-1])
    low, high = float(edges[some[0]]), float(edges[some[-1] + 1])
    margin = 0.03 * (high - low)
    return low - margin, high + margin


def folds(curves: Sequence[Curve], key: str) -> str | None:
    """Return the accuracy of each fold, a row for each configuration, with mean and deviation."""
    drawn = [c for c in curves if np.size(c.outcome.arrays.get("fold_accuracies", ()))]
    if not drawn:
        return None
    figure, axes = new_drawing(780, 66 + 24 * len(drawn))
    for row, curve in enumerate(drawn):
        values = 100 * np.asarray(curve.outcome.arrays["fold_accuracies"], float)
        mean, spread = float(values.mean()), float(values.std())
        colour = REST if curve.place is None else SERIES[curve.place]
        axes.plot([mean - spread, mean + spread], [row, row], color=colour, linewidth=7, alpha=0.3,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot(values, np.full(len(values), row), "o", color=colour, markersize=4, alpha=0.9)
        axes.plot([mean, mean], [row - 0.3, row + 0.3], color=INK, linewidth=1.6)
    axes.set_yticks(range(len(drawn)), [shortened(c.name) for c in drawn])
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("accuracy, %")
    return inline_svg(figure, key, f"Accuracy of each fold for {len(drawn)} configurations")


def by_photos(curves: Sequence[Curve], key: str, measure: str, label: str) -> str | None:
    """Return a measure for people with few or many photos, a line for each configuration."""
    drawn = [c for c in curves if c.outcome.metrics.get("by_photos")]
    groups = list(
        dict.fromkeys(str(item["photos"]) for c in drawn for item in c.outcome.metrics["by_photos"])
    )
    if not groups:
        return None
    figure, axes = new_drawing(WIDTH_PX, HEIGHT_PX * 0.85)
    for curve in reversed(drawn):
        known = [
            (groups.index(str(item["photos"])), value)
            for item in curve.outcome.metrics["by_photos"]
            if (value := number(item, measure)) is not None
        ]
        if known:
            marker = "" if curve.place is None else MARKERS[curve.place]
            axes.plot(*zip(*sorted(known), strict=True), marker=marker, markersize=5.5,
                      **series_style(curve.place))  # fmt: skip
    axes.set_xticks(range(len(groups)), groups)
    axes.set_xlim(-0.3, len(groups) - 0.7)
    axes.set_ylim(bottom=0, top=1.03)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("photos of the person")
    axes.set_ylabel(label)
    return inline_svg(figure, key, f"{label} of people with few and many photos")


def shortened(name: str, letters: int = 34) -> str:
    """Return a name that fits beside a plot."""
    text = shown(name)
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
