"""Verdict thresholds of a model, from the cosines of all pairs of different people's photos."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexer.errors import UsageError
from indexer.evaluation.all_pairs import LEAST_ACCEPTS, compare_all
from indexer.evaluation.rates import GALLERIES, far_key, reached
from indexer.records import Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from indexer.evaluation.all_pairs import AllPairs

    Array = np.ndarray[Any, Any]

POSSIBLE_FAR, SAME_PERSON_FAR = 1e-3, 1e-5
"""False-accept rates of the verdicts `possible` and `same person`, for one pair of photos."""

DECIMALS = 4
"""Of thresholds, rounded up, so that no more pairs than a rate allows reach them. dlib's lie so
close together (0.9305 and 0.9558) that a thousandth holds a 25th of what is between them."""


@dataclass(frozen=True)
class Calibration:
    """Thresholds, and the photos and pairs behind them.

    tar_possible, tar_same_person: share of the pairs of one person that reach them, None without
    any. photos, people: compared ones; per_person: the most photos of one, None for all.
    """

    thresholds: Thresholds
    tar_possible: float | None
    tar_same_person: float | None
    photos: int
    people: int
    per_person: int | None
    same: int
    different: int

    @property
    def expected_false_hits(self) -> dict[str, dict[str, float]]:
        """How many faces of other people a search meets at each rate, by the gallery's size.

        FAR times the number of faces: a threshold that errs once in 1,000 pairs errs a thousand
        times in a gallery of a million.
        """
        return {
            far_key(far): {str(faces): far * faces for faces in GALLERIES}
            for far in (POSSIBLE_FAR, SAME_PERSON_FAR)
        }

    def metrics(self) -> dict[str, Any]:
        """Return the numbers, under `calibration`."""
        return {
            "calibration": {
                "possible": self.thresholds.possible,
                "same_person": self.thresholds.same_person,
                "basis": self.thresholds.basis,
                "tar_possible": self.tar_possible,
                "tar_same_person": self.tar_same_person,
                "photos": self.photos,
                "people": self.people,
                "per_person": self.per_person,
                "same": self.same,
                "different": self.different,
                "expected_false_hits": self.expected_false_hits,
            }
        }

    def arrays(self) -> dict[str, Array]:
        """Return nothing: plots need no more than the numbers."""
        return {}


def calibrate(
    vectors: Array,
    persons: Sequence[str],
    *,
    per_person: int | None = None,
    source: str = "photos",
) -> Calibration:
    """Return the thresholds at POSSIBLE_FAR and SAME_PERSON_FAR over all pairs.

    vectors: (n, dimensions) floats, one for each photo; persons: who is in each. per_person: take
    only the first so many photos of a person. source: what the photos are, for `Thresholds.basis`.
    A rate needs LEAST_ACCEPTS / rate pairs of different people (1,000,000 for 1e-5), and 1 / rate
    pairs of people (448 people for 1e-5, 46 for 1e-3): photos of the same two people err together,
    so that one pair that looks alike must not make up a whole rate.
    Raises UsageError, which says what is missing and what could be measured, for fewer.
    """
    pairs = compare_all(vectors, persons, per_person=per_person)
    possible, same_person = (_measured(pairs, far) for far in (POSSIBLE_FAR, SAME_PERSON_FAR))
    if possible is None or same_person is None:
        raise UsageError(_too_few(pairs, possible))
    tars = [reached(pairs.same_scores, threshold) for threshold in (possible, same_person)]
    basis = (
        f"cosines at false-accept rates {far_key(POSSIBLE_FAR)} and {far_key(SAME_PERSON_FAR)} "
        f"over {pairs.different:,} pairs of different people: {pairs.photos:,} {source} of "
        f"{pairs.people:,} people"
        + (f", at most {per_person} each" if per_person else "")
        + (
            f"; {tars[0]:.1%} and {tars[1]:.1%} of {pairs.same:,} pairs of one person reach them"
            if tars[0] is not None and tars[1] is not None
            else "; no pair of one person was there"
        ).replace("%", " %")
    )
    return Calibration(
        thresholds=Thresholds(possible, same_person, basis),
        tar_possible=tars[0],
        tar_same_person=tars[1],
        photos=pairs.photos,
        people=pairs.people,
        per_person=per_person,
        same=pairs.same,
        different=pairs.different,
    )


def _measured(pairs: AllPairs, far: float) -> float | None:
    """Return the threshold at a rate, rounded up, or None if too little stands behind it."""
    threshold = pairs.threshold_at_far[far_key(far)]
    if threshold is None or math.comb(pairs.people, 2) < _people_pairs(far):
        return None
    scale: int = 10**DECIMALS
    return math.ceil(threshold * scale) / scale


def _people_pairs(far: float) -> int:
    return round(1 / far)


def _too_few(pairs: AllPairs, possible: float | None) -> str:
    wanted, people = round(LEAST_ACCEPTS / SAME_PERSON_FAR), 2
    while math.comb(people, 2) < _people_pairs(SAME_PERSON_FAR):
        people += 1
    there = (
        f"`possible`, at {far_key(POSSIBLE_FAR)}, would be {possible:.{DECIMALS}f} here"
        if possible is not None
        else "not even `possible`, at 1e-3, can be told"
    )
    return (
        f"{pairs.photos:,} photos of {pairs.people:,} people make {pairs.different:,} pairs of "
        f"different people. The verdict `same person` allows one false accept in 100,000 pairs; "
        f"to tell it takes {wanted:,} such pairs and {people} people ({there}). Name more people, "
        "or take more photos of each; until then the model's own thresholds are the better ones."
    )
