"""Measures of finding people in videos: plain functions on masks of frames, spans and ranks.

Frames stand for time: a second is right by as many of its frames as are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from indexer.evaluation.video.truth import Span

    Array = np.ndarray[Any, Any]

_SAME_TIME_S = 1e-4
"""Times of one frame differ by less: containers keep them to the microsecond."""


def covered(spans: Iterable[Span], times_s: Array) -> Array:
    """Return which frames lie in any of the spans, both ends included: (frames,) bool."""
    mask = np.zeros(len(times_s), bool)
    for start_s, end_s in spans:
        mask |= (times_s >= start_s - _SAME_TIME_S) & (times_s <= end_s + _SAME_TIME_S)
    return mask


def seconds(mask: Array, times_s: Array) -> tuple[int, ...]:
    """Return the whole seconds, counted from 0, in which any frame of a mask lies."""
    return tuple(np.unique(np.floor(times_s[mask] + _SAME_TIME_S).astype(int)).tolist())


@dataclass(frozen=True)
class Moments:
    """How many frames, of one person or of many, were found rightly, missed, and found wrongly."""

    right: int = 0
    missed: int = 0
    wrong: int = 0

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.right + other.right, self.missed + other.missed, self.wrong + other.wrong
        )

    @property
    def recall(self) -> float | None:
        """Part of what is to be found that was found; None where nothing is to be found."""
        total = self.right + self.missed
        return self.right / total if total else None

    @property
    def precision(self) -> float | None:
        """Part of what was found that is right; None where nothing was found."""
        total = self.right + self.wrong
        return self.right / total if total else None


def moments(found: Array, visible: Array, present: Array) -> Moments:
    """Compare the frames on which a person was found with those on which they are: (frames,) bool.

    visible: they count. present: they are there, but where they are not visible, too (too small,
    cut off), it is neither right nor wrong to find them.
    """
    return Moments(
        right=int((found & visible).sum()),
        missed=int((~found & visible).sum()),
        wrong=int((found & ~visible & ~present).sum()),
    )


def average_precision(relevant: Sequence[bool], total: int | None = None) -> float:
    """Return the average precision of a ranking, 0 to 1.

    relevant: of each that was found, best first. total: of all that are relevant, found or not; by
    default those found. The mean over the relevant of the precision at each one's rank, 0 for one
    not found (Manning et al., Introduction to Information Retrieval, 2008, section 8.4). Raises
    ValueError if nothing is relevant.
    """
    count = sum(relevant) if total is None else total
    if not count:
        raise ValueError("Average precision is not defined where nothing is relevant.")
    ranks = np.flatnonzero(np.asarray(relevant, bool)) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum() / count)


def joined(spans: Sequence[Span], gap_s: float) -> tuple[Span, ...]:
    """Return spans in order, those that follow within a time made one."""
    whole: list[Span] = []
    for start_s, end_s in sorted(spans):
        if whole and start_s - whole[-1][1] <= gap_s + _SAME_TIME_S:
            whole[-1] = whole[-1][0], max(whole[-1][1], end_s)
        else:
            whole.append((start_s, end_s))
    return tuple(whole)


def span_errors(found: Sequence[Span], true: Sequence[Span]) -> list[float]:
    """Return how far the starts and ends of true spans were missed, in seconds, two for each.

    Each true span is compared with the found one that shares most time with it; those that none
    overlaps are left out, as they are missed altogether.
    """
    errors: list[float] = []
    for start_s, end_s in true:
        shared = [
            (min(end_s, other_end_s) - max(start_s, other_start_s), other_start_s, other_end_s)
            for other_start_s, other_end_s in found
        ]
        longest, found_start_s, found_end_s = max(shared, default=(-1.0, 0.0, 0.0))
        if longest >= -_SAME_TIME_S:
            errors += [abs(found_start_s - start_s), abs(found_end_s - end_s)]
    return errors


def share_of(found: Array, reference: Array) -> float | None:
    """Return the part of a reference's rows that are among those found; None if it has none.

    found, reference: (n, columns) ints, such as (query, clip, second); rows that repeat count once.
    """
    wanted = {tuple(row) for row in reference.tolist()}
    if not wanted:
        return None
    return len(wanted & {tuple(row) for row in found.tolist()}) / len(wanted)
