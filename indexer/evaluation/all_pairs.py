"""All pairs of different photos: thresholds at low false-accept rates, and who reaches them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.evaluation.rates import allowed_accepts, far_key, reached
from indexer.evaluation.records import FARS
from indexer.evaluation.similarity import BLOCK, codes_of, pictures_of, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Array = np.ndarray[Any, Any]

LEAST_ACCEPTS = 10
"""A rate is told where it accepts this many pairs of different people: the count is then known
within about a third either way (a Poisson count of 10 deviates by 3.2). Doddington et al. (Speech
Communication 31, 2000) ask for 30 to be within 30 % in nine of ten repetitions, of independent
trials; with ten it is about half."""

BINS = 200
"""Of the histograms: 0.01 wide, from -1 to 1."""


@dataclass(frozen=True)
class AllPairs:
    """The cosines of all pairs of different photos.

    photos, people: compared ones; repeated: photos left out as they show the same picture as
    another; per_person: the most photos of a person that were taken, None for all. same,
    different: numbers of pairs. threshold_at_far: the lowest cosine whose FAR is at most the rate;
    None where the rate accepts fewer than LEAST_ACCEPTS pairs. tar_at_far: share of the pairs of
    one person that reach it; None without any. same_scores: their cosines, (same,) float32.
    edges: (BINS + 1,) of the histograms; histogram_same, histogram_different: (BINS,) int64.
    """

    photos: int
    people: int
    repeated: int
    per_person: int | None
    same: int
    different: int
    threshold_at_far: Mapping[str, float | None]
    tar_at_far: Mapping[str, float | None]
    same_scores: Array = field(repr=False)
    edges: Array = field(repr=False)
    histogram_same: Array = field(repr=False)
    histogram_different: Array = field(repr=False)

    def metrics(self) -> dict[str, Any]:
        """Return the numbers, under the names of `Outcome`."""
        return {
            "all_pairs": {
                "photos": self.photos,
                "people": self.people,
                "repeated": self.repeated,
                "per_person": self.per_person,
                "same": self.same,
                "different": self.different,
                "threshold_at_far": dict(self.threshold_at_far),
                "tar_at_far": dict(self.tar_at_far),
            }
        }

    def arrays(self) -> dict[str, Array]:
        """Return what plots need, under the names of `Outcome`."""
        return {
            "score_edges": self.edges,
            "score_same": self.histogram_same,
            "score_different": self.histogram_different,
        }


def compare_all(
    vectors: Array, persons: Sequence[str], *, per_person: int | None = None
) -> AllPairs:
    """Compare every photo with every other.

    vectors: (n, dimensions) floats, of any length. persons: who is in each. per_person: take only
    the first so many photos of a person, as one with hundreds makes most pairs of one person.
    Needs 4 bytes for each pair of one person and each hundredth pair of different people (87
    million pairs: below 20 MB), besides blocks of BLOCK cosines. Raises UsageError for under two
    photos.
    """
    rows = compared_rows(vectors, persons, per_person)
    if len(rows) < 2:
        raise UsageError(f"{len(rows)} photos make no pair: at least two photos are needed.")
    codes, counts = codes_of([persons[row] for row in rows])
    different = (len(rows) ** 2 - int((counts.astype(np.int64) ** 2).sum())) // 2
    highest = _Highest(allowed_accepts(different, max(FARS)) + 1)
    same_scores, both = [], np.zeros((2, BINS), np.int64)
    for same_block, different_block in pair_blocks(vectors[rows], codes):
        same_scores.append(same_block)
        highest.add(different_block)
        both += _histogram(same_block), _histogram(different_block)
    same = np.concatenate(same_scores)
    thresholds = {far_key(far): _threshold(highest.sorted, different, far) for far in FARS}
    return AllPairs(
        photos=len(rows),
        people=len(counts),
        repeated=len(vectors) - len(_distinct(vectors)),
        per_person=per_person,
        same=len(same),
        different=different,
        threshold_at_far=thresholds,
        tar_at_far={
            key: None if threshold is None else reached(same, threshold)
            for key, threshold in thresholds.items()
        },
        same_scores=same,
        edges=np.linspace(-1.0, 1.0, BINS + 1),
        histogram_same=both[0],
        histogram_different=both[1],
    )


def compared_rows(vectors: Array, persons: Sequence[str], per_person: int | None) -> Array:
    """Return the rows of different pictures, the first `per_person` of each person, in order.

    The same bytes under two names give equal vectors; such a pair is no evidence of anything.
    """
    taken: dict[str, int] = {}
    rows = []
    for row in _distinct(vectors):
        count = taken.get(persons[row], 0)
        if per_person is None or count < per_person:
            taken[persons[row]] = count + 1
            rows.append(row)
    return np.array(rows, np.int64)


def pair_blocks(vectors: Array, codes: Array) -> Iterator[tuple[Array, Array]]:
    """Yield the cosines of all pairs of different rows, in blocks: those of one code, the others.

    vectors: (n, dimensions), of any length; codes: (n,) ints. Each block: two (pairs,) float32.
    """
    units = unit(vectors)
    step = max(1, BLOCK // len(units))
    for start in range(0, len(units), step):
        stop = min(start + step, len(units))
        cosines = (units[start:stop] @ units[start:].T).clip(-1.0, 1.0)
        same = codes[start:stop, None] == codes[None, start:]
        # Each pair once: the other photo comes later.
        later = np.arange(start, len(units)) > np.arange(start, stop)[:, None]
        yield cosines[same & later], cosines[~same & later]


class _Highest:
    """Keeps the highest of many scores, at most twice as many as it must."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept = np.empty(0, np.float32)
        self._bound = -np.inf

    def add(self, scores: Array) -> None:
        self._kept = np.append(self._kept, scores[scores > self._bound])
        if len(self._kept) > 2 * self._count:
            self._kept = -np.partition(-self._kept, self._count - 1)[: self._count]
            self._bound = self._kept.min()

    @property
    def sorted(self) -> Array:
        """The highest scores, highest first, float32."""
        return -np.sort(-self._kept)[: self._count]


def _threshold(highest: Array, different: int, far: float) -> float | None:
    """Return the lowest float32 that no more pairs reach than a rate allows."""
    allowed = allowed_accepts(different, far)
    if allowed < LEAST_ACCEPTS:
        return None
    return float(np.nextafter(highest[allowed], np.float32(np.inf)))


def _histogram(scores: Array) -> Array:
    bins = ((scores + 1.0) * (BINS / 2)).astype(np.int64)
    return np.bincount(bins.clip(0, BINS - 1), minlength=BINS)


def _distinct(vectors: Array) -> Array:
    """Return the rows that equal no earlier one, in order."""
    return np.sort(np.unique(pictures_of(vectors), return_index=True)[1])
