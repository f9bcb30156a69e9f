"""Frames of one segment -> key frames: those that differ enough to be worth looking at.

The default compares each frame with the last kept one, as a whole and cell by cell. Everything
here starts anew with each segment, so segments can be worked on apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.decisions import Checks, differs, mean_difference
from indexer.differences import Look
from indexer.frames import KeyFrame
from indexer.strategy import parse_strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.frames import Frame
    from indexer.settings import KeyframeSettings


ROUNDING_S = 1e-6  # 0.84 - 0.04 s are a little less than 0.8 in floating point


def random_times(timestamps_s: np.ndarray, count: int, seed: int) -> frozenset[float]:
    """Return the times of `count` frames drawn from a whole video (all, if it has no more)."""
    chosen = np.random.default_rng(seed).choice(
        timestamps_s, size=min(count, len(timestamps_s)), replace=False
    )
    return frozenset(np.round(chosen, 6).tolist())


def key_frames(
    frames: Iterable[Frame],
    settings: KeyframeSettings,
    *,
    drawn_times: frozenset[float] = frozenset(),
    checks: Checks | None = None,
) -> Iterator[KeyFrame]:
    """Yield the key frames of one segment.

    drawn_times: what `random_times` drew for the whole video, for the strategy random=N. A frame
    that `delta-e` drops looks like the key frame before it, which is so until then; other
    strategies know nothing of the frames between. checks: counts what deciding took.
    """
    strategy = parse_strategy(settings.strategy)
    comparison = _Comparison(settings, checks or Checks())
    kept: Frame | None = None
    kept_delta_e, until_s = np.inf, 0.0
    period: int | None = None
    for frame in frames:
        if strategy.name == "delta-e":
            is_new, difference = comparison.look(frame)
        else:
            is_new = True
            if strategy.name == "fps":
                now = int(frame.timestamp_s * strategy.amount + 1e-6)
                is_new, period = now != period, now
            elif strategy.name == "random":
                is_new = round(frame.timestamp_s, 6) in drawn_times
            difference = comparison.measure(frame) if is_new else 0.0
        if is_new:
            if kept is not None:
                yield KeyFrame(kept, kept_delta_e, until_s)
            kept, kept_delta_e, until_s = frame, difference, frame.timestamp_s
        elif strategy.name == "delta-e":
            until_s = frame.timestamp_s
    if kept is not None:
        yield KeyFrame(kept, kept_delta_e, until_s)


class _Comparison:
    """Compares each frame with the reference: the last kept frame, or the previous one."""

    def __init__(self, settings: KeyframeSettings, checks: Checks) -> None:
        self._settings = settings
        self._checks = checks
        self._reference: Look | None = None
        self._kept_s = -np.inf

    def look(self, frame: Frame) -> tuple[bool, float]:
        """Return whether a frame is new, and its mean difference to the reference if it is."""
        look, reference, settings = Look(frame), self._reference, self._settings
        look.take_coarse_points()
        if reference is None or reference.frame.shape != frame.shape:
            is_new, difference = True, np.inf
        else:
            gap_s = frame.timestamp_s - self._kept_s
            is_new = gap_s >= settings.max_gap_s - ROUNDING_S
            is_new = is_new or differs(reference, look, settings, self._checks)
            difference = mean_difference(reference, look) if is_new else 0.0
        if is_new:
            self._kept_s = frame.timestamp_s
        if is_new or settings.reference == "previous":
            self._reference = look
        return is_new, difference

    def measure(self, frame: Frame) -> float:
        """Return a frame's mean difference to the frame measured before, and remember it."""
        look = Look(frame)
        reference, self._reference = self._reference, look
        if reference is None or reference.frame.shape != frame.shape:
            return np.inf
        return mean_difference(reference, look)
