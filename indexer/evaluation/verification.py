"""Whether two photos show one person: LFW's protocol on pairs, with as many folds as there are.

Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, UMass TR 07-49 (2007); with a
network trained on other photos it is "unrestricted with labeled outside data" (TR UM-CS-2014-003).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.evaluation.rates import allowed_accepts, far_key, roc_of
from indexer.evaluation.similarity import lengths_differ
from indexer.evaluation.wrong_pairs import wrong_among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.evaluation.rates import Roc
    from indexer.evaluation.records import Features, Pair
    from indexer.evaluation.wrong_pairs import WrongPair

    Array = np.ndarray[Any, Any]

PAIR_FARS = (1e-2, 1e-3, 1e-4)
"""LFW's 3,000 pairs of different people resolve the first two; `all_pairs` measures lower ones."""


@dataclass(frozen=True)
class FoldAccuracies:
    """Accuracy on each fold at the threshold that is best on all the others.

    accuracies, thresholds: (folds,) float64; nan for a fold of which no pair is left.
    """

    accuracies: Array = field(repr=False)
    thresholds: Array = field(repr=False)

    @property
    def mean(self) -> float:
        """The mean over folds, as LFW reports it."""
        return float(np.nanmean(self.accuracies))

    @property
    def std(self) -> float | None:
        """The sample standard deviation over folds (divisor folds - 1), None for a single fold.

        LFW's standard error of the mean is this, divided by the root of the number of folds.
        """
        there = self.accuracies[~np.isnan(self.accuracies)]
        return float(there.std(ddof=1)) if len(there) > 1 else None


@dataclass(frozen=True)
class Verification:
    """How well pairs are told apart.

    With a single fold its threshold is chosen on the very pairs that it is measured on, so that
    the accuracy is a little too good, and has no deviation.
    cosine, euclidean: accuracies of both measures; roc, euclidean_roc: over the pairs of all folds.
    They differ for vectors of unequal lengths alone, as `lengths_differ` says.
    accuracy_all: the mean over folds where a pair with a photo without face counts as wrong.
    pairs: how many were compared; pairs_left_out: how many lack a face. wrong: those told wrongly
    by cosine, the worst first.
    """

    cosine: FoldAccuracies
    euclidean: FoldAccuracies
    accuracy_all: float
    roc: Roc
    euclidean_roc: Roc
    lengths_differ: bool
    pairs: int
    pairs_left_out: int
    wrong: tuple[WrongPair, ...] = ()

    @property
    def tar_at_far(self) -> dict[str, float | None]:
        """TAR at each rate of PAIR_FARS, over all folds; None for rates so few pairs cannot tell.

        A rate is told when it allows one false accept at least. Where it allows only a few, the
        next photo may change it: `false_accepts_at_far` says how many stand behind each.
        """
        return _tar_at_far(self.roc)

    @property
    def false_accepts_at_far(self) -> dict[str, int]:
        """How many pairs of different people each rate of PAIR_FARS allows to be accepted."""
        return {far_key(far): allowed_accepts(self.roc.different, far) for far in PAIR_FARS}

    def metrics(self) -> dict[str, Any]:
        """Return the numbers, under the names of `Outcome`."""
        return {
            "accuracy": self.cosine.mean,
            "accuracy_std": self.cosine.std,
            "accuracy_all": self.accuracy_all,
            "auc": self.roc.auc,
            "eer": self.roc.equal_error_rate,
            "tar_at_far": self.tar_at_far,
            "false_accepts_at_far": self.false_accepts_at_far,
            "folds": len(self.cosine.accuracies),
            "pairs": self.pairs,
            "pairs_left_out": self.pairs_left_out,
            "euclidean": {
                "accuracy": self.euclidean.mean,
                "accuracy_std": self.euclidean.std,
                "auc": self.euclidean_roc.auc,
                "eer": self.euclidean_roc.equal_error_rate,
                "tar_at_far": _tar_at_far(self.euclidean_roc),
            },
            "wrong_pairs": [dict(vars(pair)) for pair in self.wrong],
        }

    def arrays(self) -> dict[str, Array]:
        """Return what plots need, under the names of `Outcome`."""
        arrays = _curve("roc", self.roc) | {"fold_accuracies": self.cosine.accuracies}
        return arrays | (_curve("roc_euclidean", self.euclidean_roc) if self.lengths_differ else {})


def verify(features: Features, pairs: Sequence[Pair]) -> Verification:
    """Measure how well pairs of photos are told apart, by cosine and by Euclidean distance.

    Raises UsageError if a pair names a photo that is neither among the features nor missing there,
    and if not both kinds of pairs are left to compare.
    """
    rows = _rows(features, pairs)
    folds = np.array([pair.fold for pair in pairs])
    both = (rows >= 0).all(axis=1)
    same = np.array([pair.same for pair in pairs], bool)[both]
    first, second = (features.vectors[rows[both, side]].astype(np.float64) for side in (0, 1))
    cosines = _cosines(first, second)
    distances = np.linalg.norm(first - second, axis=1)
    roc = roc_of(cosines, same)
    by_cosine = fold_accuracies(cosines, same, folds[both], int(folds.max()) + 1)
    compared, listed = (np.bincount(of, minlength=folds.max() + 1) for of in (folds[both], folds))
    correct = np.nan_to_num(by_cosine.accuracies) * compared
    has_pairs = listed > 0
    return Verification(
        cosine=by_cosine,
        euclidean=fold_accuracies(-distances, same, folds[both], len(by_cosine.accuracies)),
        accuracy_all=float((correct[has_pairs] / listed[has_pairs]).mean()),
        roc=roc,
        euclidean_roc=roc_of(-distances, same),
        lengths_differ=lengths_differ(features.vectors),
        pairs=int(both.sum()),
        pairs_left_out=int((~both).sum()),
        wrong=wrong_among(
            [pairs[place] for place in np.flatnonzero(both).tolist()],
            cosines,
            by_cosine.thresholds,
        ),
    )


def _tar_at_far(roc: Roc) -> dict[str, float | None]:
    return {far_key(far): roc.tar_at(far) for far in PAIR_FARS}


def _curve(name: str, roc: Roc) -> dict[str, Array]:
    return {f"{name}_far": roc.far, f"{name}_tar": roc.tar, f"{name}_threshold": roc.thresholds}


def fold_accuracies(scores: Array, same: Array, folds: Array, count: int) -> FoldAccuracies:
    """Return each fold's accuracy at the threshold that is best on the others.

    scores: (n,) floats, higher for likelier pairs. same: (n,) bool. folds: (n,) ints from 0.
    """
    accuracies, thresholds = np.full(count, np.nan), np.full(count, np.nan)
    for fold in np.unique(folds):
        held = folds == fold
        others = held if held.all() else ~held
        thresholds[fold] = best_threshold(scores[others], same[others])
        accuracies[fold] = ((scores[held] >= thresholds[fold]) == same[held]).mean()
    return FoldAccuracies(accuracies, thresholds)


def best_threshold(scores: Array, same: Array) -> float:
    """Return the threshold that puts the most pairs on their side.

    Where many do, it is the middle one (the median of all that do, if these are no single points),
    so that the chance of which scores were met moves it least.
    """
    order = np.argsort(scores, kind="stable")
    ordered, same = scores[order].astype(np.float64), same[order]
    starts = np.append(0, np.flatnonzero(np.diff(ordered)) + 1)
    values = ordered[starts]
    refused_same = np.append(np.append(0, np.cumsum(same))[starts], same.sum())
    refused = np.append(starts, len(same))
    # Thresholds above values[i - 1] and up to values[i] refuse the first `refused[i]` pairs.
    right = (refused - refused_same) + (same.sum() - refused_same)
    best = np.flatnonzero(right == right.max())
    highs = np.append(values, np.nextafter(values[-1], np.inf))[best]
    lows = np.append(values[0], values)[best]
    ends = np.cumsum(np.maximum(highs - lows, 0.0))
    middle = int(np.searchsorted(ends, ends[-1] / 2))
    threshold = highs[middle] - (ends[middle] - ends[-1] / 2)
    if best[middle] == 0:
        return float(highs[middle])
    return float(max(threshold, np.nextafter(lows[middle], np.inf)))


def _rows(features: Features, pairs: Sequence[Pair]) -> Array:
    """Return the rows of both photos of each pair, (pairs, 2) int64; -1 for one without a face."""
    rows = dict.fromkeys(features.missing, -1)
    rows |= {name: row for row, name in enumerate(features.names)}
    named = [(pair.first, pair.second) for pair in pairs]
    if unknown := sorted({name for both in named for name in both} - rows.keys()):
        raise UsageError(
            f"The pairs name {len(unknown)} photos that the folder does not have, such as "
            f"{unknown[0]}. Give the whole folder, or pairs of the photos that are in it."
        )
    return np.array([(rows[first], rows[second]) for first, second in named]).reshape(-1, 2)


def _cosines(first: Array, second: Array) -> Array:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    products = (first * second).sum(axis=1)
    cosines: Array = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return cosines.clip(-1.0, 1.0)
