"""LFW's protocol on pairs: folds, thresholds, photos without a face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score, roc_curve

from indexer.errors import UsageError
from indexer.evaluation.records import Features, Pair
from indexer.evaluation.verification import best_threshold, fold_accuracies, verify
from tests.evaluation.made_up import at, features_of, scattered

S, D = True, False


def pairs_of(features: Features, *, folds: int, of_each: int, seed: int = 0) -> list[Pair]:
    """Drawn pairs of both kinds."""
    generator = np.random.default_rng(seed)
    pairs: list[Pair] = []
    for fold in range(folds):
        for same in (True, False):
            wanted = len(pairs) + of_each
            while len(pairs) < wanted:
                a, b = generator.choice(len(features.names), 2, replace=False)
                if (features.persons[a] == features.persons[b]) == same:
                    pairs.append(Pair(features.names[a], features.names[b], same, fold))
    return pairs


@pytest.mark.parametrize(
    ("scores", "same", "threshold"),
    [
        ([0.2, 0.8], [D, S], 0.5),
        ([0.1, 0.2, 0.6, 0.8], [D, D, S, S], 0.4),
        ([0.3, 0.5, 0.7], [D, S, S], 0.4),
        ([0.1, 0.3, 0.5, 0.9], [D, S, D, S], 0.6),  # the median of 0.1 to 0.3 and 0.5 to 0.9
        ([0.4, 0.4, 0.6], [S, D, D], np.nextafter(0.6, 1)),  # refuse all: one wrong
        ([0.5, 0.6], [S, S], 0.5),  # accept all
        ([0.5], [D], np.nextafter(0.5, 1)),
    ],
)
def test_the_threshold_is_the_middle_of_the_best(scores, same, threshold: float) -> None:
    assert best_threshold(np.array(scores), np.array(same)) == pytest.approx(threshold)


def test_no_threshold_is_better_than_the_best() -> None:
    generator = np.random.default_rng(11)
    for _ in range(200):
        scores, same = generator.integers(0, 8, 20) / 8, generator.random(20) < 0.5
        found = ((scores >= best_threshold(scores, same)) == same).mean()
        others = np.append(np.unique(scores), 2.0)
        assert found == max(((scores >= other) == same).mean() for other in others)


def test_each_fold_is_judged_by_the_threshold_of_the_others() -> None:
    """The folds are told apart at 0.5 and at 0.8, and each with the other's threshold in part."""
    scores = np.array([0.4, 0.6, 0.7, 0.9])
    folds = fold_accuracies(scores, np.array([D, S, D, S]), np.array([0, 0, 1, 1]), 2)
    assert folds.thresholds == pytest.approx([0.8, 0.5])
    assert folds.accuracies.tolist() == [0.5, 0.5]
    assert (folds.mean, folds.std) == (0.5, 0.0)


def test_the_deviation_is_that_of_a_sample() -> None:
    scores, same = np.array([0.1, 0.9, 0.1, 0.9, 0.9, 0.9]), np.array([D, S, D, S, D, S])
    folds = fold_accuracies(scores, same, np.array([0, 0, 1, 1, 2, 2]), 3)
    assert folds.accuracies.tolist() == [1.0, 1.0, 0.5]
    assert folds.std == pytest.approx(np.sqrt(((1 / 6) ** 2 * 2 + (1 / 3) ** 2) / 2))


def test_pairs_by_hand() -> None:
    features = features_of([("A", at(0)), ("A", at(20)), ("B", at(90)), ("B", at(130))])
    a1, a2, b1, b2 = features.names
    pairs = [
        Pair(a1, a2, S, 0),  # cosine 0.94
        Pair(a1, b1, D, 0),  # 0
        Pair(b1, b2, S, 1),  # 0.77
        Pair(a2, b1, D, 1),  # 0.34
    ]
    found = verify(features, pairs).metrics()
    assert (found["accuracy"], found["accuracy_std"], found["accuracy_all"]) == (1.0, 0.0, 1.0)
    assert (found["auc"], found["eer"], found["pairs"], found["pairs_left_out"]) == (1.0, 0.0, 4, 0)
    assert found["tar_at_far"] == {"1e-2": None, "1e-3": None, "1e-4": None}
    assert found["euclidean"] == {
        "accuracy": 1.0,
        "accuracy_std": 0.0,
        "auc": 1.0,
        "eer": 0.0,
        "tar_at_far": found["tar_at_far"],
    }


def test_many_pairs_as_scikit_learn_counts_them() -> None:
    features = scattered([4] * 40, spread=1.2)
    pairs = pairs_of(features, folds=4, of_each=60)
    found = verify(features, pairs)
    rows = {name: row for row, name in enumerate(features.names)}
    first, second = (
        np.array([features.vectors[rows[getattr(pair, side)]] for pair in pairs], np.float64)
        for side in ("first", "second")
    )
    cosines, same = (first * second).sum(axis=1), np.array([pair.same for pair in pairs])
    folds = np.array([pair.fold for pair in pairs])
    for fold, threshold in enumerate(found.cosine.thresholds):
        held = folds == fold
        expected = accuracy_score(same[held], cosines[held] >= threshold)
        assert found.cosine.accuracies[fold] == pytest.approx(expected)
    assert found.roc.auc == pytest.approx(roc_auc_score(same, cosines), abs=1e-6)
    distances = np.linalg.norm(first - second, axis=1)
    assert found.euclidean_roc.auc == pytest.approx(roc_auc_score(same, -distances), abs=1e-6)
    assert 0.6 < found.cosine.mean < 0.95
    # For vectors of length 1 both measures order pairs alike.
    assert found.euclidean.mean == pytest.approx(found.cosine.mean)


def test_lengths_count_for_the_distance_alone() -> None:
    """As vectors are after a reduction of dimensions."""
    features = scattered([3] * 20)
    pairs = pairs_of(features, folds=2, of_each=40)
    lengths = np.random.default_rng(1).uniform(0.2, 5, (len(features.names), 1))
    longer = replace(features, vectors=(features.vectors * lengths).astype(np.float32))
    before, after = verify(features, pairs), verify(longer, pairs)
    assert after.roc.auc == pytest.approx(before.roc.auc)
    assert after.euclidean_roc.auc < before.euclidean_roc.auc
    arrays, told = after.arrays(), after.metrics()["euclidean"]
    rows = {name: row for row, name in enumerate(longer.names)}
    distances = [
        np.linalg.norm(longer.vectors[rows[p.first]] - longer.vectors[rows[p.second]])
        for p in pairs
    ]
    # By default scikit-learn drops points on straight lines.
    far, tar, _ = roc_curve([p.same for p in pairs], -np.array(distances), drop_intermediate=False)
    assert arrays["roc_euclidean_far"] == pytest.approx(far)
    assert arrays["roc_euclidean_tar"] == pytest.approx(tar)
    assert told["eer"] > before.metrics()["euclidean"]["eer"]
    assert told["tar_at_far"]["1e-2"] is None  # 80 different pairs cannot tell it
    assert not [name for name in before.arrays() if "euclidean" in name]


def test_a_pair_with_a_missing_photo_counts_as_wrong_in_accuracy_all_only() -> None:
    features = features_of([("A", at(0)), ("A", at(10)), ("B", at(90))], missing=("B/B_0002.jpg",))
    a1, a2, b1 = features.names
    pairs = [
        *(Pair(a1, a2, S, fold) for fold in (0, 1)),
        *(Pair(a1, b1, D, fold) for fold in (0, 1)),
        Pair(b1, "B/B_0002.jpg", S, 0),
        Pair(a1, "B/B_0002.jpg", D, 0),
    ]
    found = verify(features, pairs)
    assert (found.cosine.mean, found.pairs, found.pairs_left_out) == (1.0, 4, 2)
    assert found.accuracy_all == pytest.approx((2 / 4 + 2 / 2) / 2)


def test_a_fold_of_which_no_pair_is_left_has_no_accuracy() -> None:
    features = features_of([("A", at(0)), ("A", at(9)), ("B", at(90))], missing=("C/C_0001.jpg",))
    a1, a2, b1 = features.names
    pairs = [Pair(a1, a2, S, 0), Pair(a1, b1, D, 0), Pair(a1, "C/C_0001.jpg", D, 1)]
    found = verify(features, pairs)
    assert np.isnan(found.cosine.accuracies[1])
    assert (found.cosine.mean, found.accuracy_all) == (1.0, 0.5)


def test_a_fold_that_has_no_pairs_counts_nowhere() -> None:
    features = features_of([("A", at(0)), ("A", at(9)), ("B", at(90))])
    a1, a2, b1 = features.names
    found = verify(features, [Pair(a1, a2, S, 0), Pair(a1, b1, D, 2)])
    assert np.isnan(found.cosine.accuracies[1])
    assert found.accuracy_all == found.cosine.mean


def test_one_fold_takes_its_own_threshold_and_has_no_deviation() -> None:
    features = features_of([("A", at(0)), ("A", at(20)), ("B", at(90))])
    a1, a2, b1 = features.names
    found = verify(features, [Pair(a1, a2, S, 0), Pair(a1, b1, D, 0)])
    assert (found.cosine.mean, found.cosine.std) == (1.0, None)


def test_two_names_of_one_picture_are_two_photos() -> None:
    features = features_of([("A", at(0)), ("A", at(0)), ("B", at(90))])
    a1, a2, b1 = features.names
    assert verify(features, [Pair(a1, a2, S, 0), Pair(a2, b1, D, 0)]).cosine.mean == 1.0


def test_pairs_of_photos_that_are_not_there_are_refused() -> None:
    features = features_of([("A", at(0)), ("A", at(20))])
    pairs = [Pair(features.names[0], "Zoe/Zoe_0001.jpg", D, 0)]
    with pytest.raises(UsageError, match=r"name 1 photos .* such as Zoe/Zoe_0001"):
        verify(features, pairs)


def test_the_arrays_are_a_curve_and_the_folds() -> None:
    features = scattered([3] * 20)
    arrays = verify(features, pairs_of(features, folds=3, of_each=20)).arrays()
    assert set(arrays) == {"roc_far", "roc_tar", "roc_threshold", "fold_accuracies"}
    assert arrays["fold_accuracies"].shape == (3,)
    assert (arrays["roc_far"][0], arrays["roc_far"][-1], arrays["roc_tar"][-1]) == (0.0, 1.0, 1.0)
