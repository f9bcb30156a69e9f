"""Whether results are the same; what differs is told in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.ingest.records import Run, Seen, Tolerances

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Difference:
    """What two results have apart at most, and what is beyond the tolerance, in words."""

    box_px: float = 0.0
    vector: float = 0.0
    texts: tuple[str, ...] = ()

    def __add__(self, other: Difference) -> Difference:
        return Difference(
            max(self.box_px, other.box_px),
            max(self.vector, other.vector),
            self.texts + other.texts,
        )


def pairs(expected: Array, found: Array) -> list[tuple[int, int, float]]:
    """Return each box's nearest of the other side: (index, index, largest edge's distance).

    expected, found: (n, 4) and (m, 4). Each box is taken once, the nearest pairs first, so that
    min(n, m) pairs come back.
    """
    apart = np.abs(expected[:, None] - found[None]).max(axis=2, initial=0.0)
    chosen = []
    for _ in range(min(apart.shape)):
        row, column = np.unravel_index(int(apart.argmin()), apart.shape)
        chosen.append((int(row), int(column), float(apart[row, column])))
        apart[row], apart[:, column] = np.inf, np.inf
    return chosen


def compare_boxes(where: str, expected: Array, found: Array, tolerance_px: float) -> Difference:
    """Compare the faces of one picture: none may be missing, extra or elsewhere."""
    texts = []
    if len(expected) != len(found):
        texts.append(f"{where}: {len(expected)} faces expected, {len(found)} found.")
    apart = [distance for _, _, distance in pairs(expected, found)]
    far = [distance for distance in apart if distance > tolerance_px]
    if far:
        texts.append(f"{where}: {len(far)} boxes differ, by up to {max(far):.3f} px.")
    return Difference(max(apart, default=0.0), 0.0, tuple(texts))


def compare_vectors(where: str, expected: Array, found: Array, tolerance: float) -> Difference:
    """Compare the vectors of the same faces in the same order."""
    apart = float(np.abs(expected - found).max(initial=0.0))
    texts = (f"{where}: vectors differ by up to {apart:.1e}.",) if apart > tolerance else ()
    return Difference(0.0, apart, texts)


def compare_index(where: str, stages: Run, index: Run, tolerances: Tolerances) -> Difference:
    """Compare what indexing stored with what the stages gave, one after the other.

    An index keeps all faces of a photo. Of a video it keeps each appearance's best ones: they must
    be among those given, and as nobody is in a picture twice, at least as many appearances must
    last at a frame's time as faces were given on it.
    """
    texts = []
    for name in ("frames", "key_frames", "faces_met"):
        expected, found = getattr(stages, name), getattr(index, name)
        if expected != found:
            what = name.replace("_", " ")
            texts.append(f"{where}: indexing had {found} {what}, the stages {expected}.")
    given = {each.number: each for each in stages.seen}
    difference = Difference(texts=tuple(texts))
    for stored in index.seen:
        there = f"{where}, stored faces of frame {stored.number}"
        if stored.number not in given:
            difference += Difference(texts=(f"{there}: it was not kept.",))
            continue
        difference += _among(there, given[stored.number], stored, tolerances)
    return difference + Difference(texts=tuple(_lost(where, stages.seen, index)))


def _lost(where: str, given: Iterable[Seen], index: Run) -> Iterator[str]:
    """Yield where fewer people are stored than there were."""
    stored = {each.number: len(each.boxes) for each in index.seen}
    for each in given:
        if index.spans is None:
            found = stored.get(each.number, 0)
        else:
            found = sum(start_s <= each.timestamp_s <= end_s for start_s, end_s in index.spans)
        if found < len(each.boxes):
            what = "faces" if index.spans is None else "appearances"
            yield (
                f"{where}, picture {each.number}: {found} {what} are stored for "
                f"{len(each.boxes)} faces."
            )


def compare_borders(where: str, whole: Run, parted: Run, segment_s: float) -> Difference:
    """Compare who goes on over the borders of segments with an index of the video in one segment.

    Key frames next to a border are others, so that spans need not be the same: but where somebody
    was seen across a border, somebody must be.
    """

    def across(run: Run, border_s: float) -> int:
        return sum(start_s < border_s <= end_s for start_s, end_s in run.spans or ())

    last_s = max((end_s for _, end_s in whole.spans or ()), default=0.0)
    borders = [number * segment_s for number in range(1, int(last_s // segment_s) + 1)]
    return Difference(
        texts=tuple(
            f"{where}: nobody goes on over the border at {border_s:g} s, in one segment "
            f"{across(whole, border_s)} did."
            for border_s in borders
            if across(whole, border_s) and not across(parted, border_s)
        )
    )


def _among(where: str, given: Seen, stored: Seen, tolerances: Tolerances) -> Difference:
    matched = pairs(stored.boxes, given.boxes)
    mine = [row for row, _, _ in matched]
    theirs = [column for _, column, _ in matched]
    return compare_boxes(
        where, given.boxes[theirs], stored.boxes, tolerances.box_px
    ) + compare_vectors(where, given.vectors[theirs], stored.vectors[mine], tolerances.vector)


def shortened(texts: Sequence[str], limit: int = 20) -> Iterable[str]:
    """Yield the first texts, and how many there are besides."""
    yield from texts[:limit]
    if len(texts) > limit:
        yield f"… and {len(texts) - limit} more."
