"""Scores of pairs -> accept rates: ROC curve, its area, equal error rate, shares at set rates.

A pair is accepted when its score reaches the threshold. FAR: share of the pairs of different people
that are accepted; TAR: share of the pairs of one person (ISO/IEC 19795-1 has both).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

GALLERIES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""Numbers of faces among which a search may look, for the false hits that a rate makes there."""


@dataclass(frozen=True)
class Roc:
    """How many pairs each threshold accepts: first none, then from the highest score down.

    thresholds: (n + 1,) float64, inf and then all different scores. accepted_same,
    accepted_different: (n + 1,) int64, of the `same` and `different` pairs that there are.
    """

    thresholds: Array = field(repr=False)
    accepted_same: Array = field(repr=False)
    accepted_different: Array = field(repr=False)
    same: int
    different: int

    @property
    def far(self) -> Array:
        """False-accept rate at each threshold, 0 to 1."""
        return self.accepted_different / self.different

    @property
    def tar(self) -> Array:
        """True-accept rate at each threshold, 0 to 1."""
        return self.accepted_same / self.same

    @property
    def auc(self) -> float:
        """Area under TAR over FAR: the chance that a pair of one person scores higher (ties: half).

        Hanley and McNeil, Radiology 143 (1982).
        """
        far, tar = self.far, self.tar
        return float(((far[1:] - far[:-1]) * (tar[1:] + tar[:-1]) / 2).sum())

    @property
    def equal_error_rate(self) -> float:
        """The rate at which as many different pairs are accepted as pairs of one are refused.

        Between two thresholds the curve is taken to be straight.
        """
        excess = self.far - (1 - self.tar)
        after = int(np.argmax(excess >= 0))
        before = after - 1  # at no pair accepted, the excess is -1
        share = -excess[before] / (excess[after] - excess[before])
        return float(self.far[before] + share * (self.far[after] - self.far[before]))

    def tar_at(self, far: float) -> float | None:
        """Return the highest TAR whose FAR is at most `far`.

        None where that rate does not allow a single one of the pairs of different people: the
        threshold would lie above all of them, and say nothing of the rate.
        """
        allowed = allowed_accepts(self.different, far)
        if allowed < 1:
            return None
        last = int(np.searchsorted(self.accepted_different, allowed, side="right")) - 1
        return float(self.tar[last])


def roc_of(scores: Array, same: Array) -> Roc:
    """Return the ROC of pairs.

    scores: (n,) floats, higher for likelier pairs. same: (n,) bool, whether of one person.
    Raises UsageError unless there are pairs of both kinds.
    """
    positives = int(same.sum())
    if not 0 < positives < len(same):
        raise UsageError(
            f"Of {len(same)} pairs {positives} are of one person: rates need pairs of one person "
            "and of different people."
        )
    order = np.argsort(-scores, kind="stable")
    ordered, accepted_same = scores[order].astype(np.float64), np.cumsum(same[order])
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    return Roc(
        thresholds=np.append(np.inf, ordered[ends]),
        accepted_same=np.append(0, accepted_same[ends]),
        accepted_different=np.append(0, ends + 1 - accepted_same[ends]),
        same=positives,
        different=len(same) - positives,
    )


def allowed_accepts(different: int, far: float) -> int:
    """Return how many of so many pairs of different people a rate allows to be accepted."""
    return math.floor(far * different + 1e-9)  # 1e-3 of 3,000 is 3, whatever floats make of it


def far_key(far: float) -> str:
    """Return a power of ten as the key that outcomes have for it, e.g. "1e-3"."""
    return f"1e-{round(-math.log10(far))}"


def reached(scores: Array, threshold: float) -> float | None:
    """Return the share of scores that reach a threshold, 0 to 1; None if there are no scores."""
    return float((scores >= threshold).mean()) if len(scores) else None
