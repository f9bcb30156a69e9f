"""The pairs that are told wrongly, and those that several networks tell wrongly."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from indexer.evaluation.records import Outcome, Pair

    Array = np.ndarray[Any, Any]

LEAST_ACCURACY = 0.95
"""Of a network that is asked which pairs are hard: one that errs often says nothing of them."""


@dataclass(frozen=True)
class WrongPair:
    """A pair on the wrong side of its fold's threshold.

    first, second: names of photos. same: whether the list of pairs says that they show one person.
    """

    first: str
    second: str
    same: bool
    fold: int
    cosine: float
    threshold: float

    @property
    def by(self) -> float:
        """How far the cosine is on the wrong side."""
        return abs(self.cosine - self.threshold)


@dataclass(frozen=True)
class MissedPair:
    """A pair that several networks tell wrongly. missed_by: the pair as each of their runs saw it,
    by the run's name.
    """  # noqa: D205

    missed_by: Mapping[str, WrongPair]

    @property
    def pair(self) -> WrongPair:
        """The pair, as the first of the runs saw it."""
        return next(iter(self.missed_by.values()))


def wrong_among(pairs: Sequence[Pair], cosines: Array, thresholds: Array) -> tuple[WrongPair, ...]:
    """Return the pairs that are told wrongly, the worst first.

    cosines: (n,), of the pairs. thresholds: of the folds; a pair is accepted from there on.
    """
    wrong = [
        WrongPair(p.first, p.second, p.same, p.fold, float(cosine), float(thresholds[p.fold]))
        for p, cosine in zip(pairs, cosines, strict=True)
        if (cosine >= thresholds[p.fold]) != p.same
    ]
    return tuple(sorted(wrong, key=lambda pair: -pair.by))


def wrong_pairs_of(outcome: Outcome) -> tuple[WrongPair, ...] | None:
    """Return the pairs that a run told wrongly; None if it did not verify."""
    told = outcome.metrics.get("wrong_pairs")
    return None if told is None else tuple(WrongPair(**each) for each in told)


def voters(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the most accurate run of each network that seldom errs, the best first.

    All are over the same number of pairs, the largest there is: of networks that have seen fewer,
    nobody knows what they say of the others.
    """
    able = [
        each
        for each in outcomes
        if each.metrics.get("wrong_pairs") is not None
        and each.metrics["accuracy"] >= LEAST_ACCURACY
    ]
    most = max((each.metrics["pairs"] for each in able), default=0)
    best: dict[str, Outcome] = {}
    for each in sorted(able, key=lambda run: -run.metrics["accuracy"]):
        if each.metrics["pairs"] == most:
            best.setdefault(str(each.made_with.get("weights_sha256", each.name)), each)
    return list(best.values())


def missed_by_several(voting: Sequence[Outcome]) -> list[MissedPair]:
    """Return the pairs that two or more runs tell wrongly: those that most miss first."""
    seen: dict[tuple[str, str], dict[str, WrongPair]] = defaultdict(dict)
    for outcome in voting:
        for pair in wrong_pairs_of(outcome) or ():
            seen[pair.first, pair.second][outcome.name] = pair
    missed = [MissedPair(by) for by in seen.values() if len(by) > 1]
    return sorted(
        missed, key=lambda each: (-len(each.missed_by), -sum(p.by for p in each.missed_by.values()))
    )


def missed_document(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what several networks miss, as JSON takes it; nothing with fewer than two networks."""
    voting = voters(outcomes)
    if len(voting) < 2:
        return {}
    pairs = [
        {
            "first": each.pair.first,
            "second": each.pair.second,
            "same": each.pair.same,
            "missed_by": {
                name: {"cosine": seen.cosine, "threshold": seen.threshold}
                for name, seen in each.missed_by.items()
            },
        }
        for each in missed_by_several(voting)
    ]
    return {"missed_by_several": {"networks": [run.name for run in voting], "pairs": pairs}}
