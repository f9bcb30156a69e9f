"""k-NN accuracy, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from indexer.errors import UsageError
from indexer.evaluation.classification import classify, stratified_split, vote
from indexer.evaluation.records import Features
from tests.evaluation.made_up import at, features_of, scattered


def test_most_votes_win_and_the_nearest_of_equally_many() -> None:
    neighbours = np.array([[3, 1, 1, 2, 0], [3, 1, 1, 3, 0], [5, 4, 3, 2, 1], [2, 7, 7, 2, 7]])
    assert vote(neighbours).tolist() == [1, 3, 5, 7]


def test_where_there_is_no_neighbour_there_is_no_vote() -> None:
    assert vote(np.array([[4, -1, -1, -1, -1], [-1, -1, -1, -1, -1]])).tolist() == [4, -1]


def test_six_photos_by_hand() -> None:
    features = features_of(
        [("A", at(0)), ("A", at(10)), ("A", at(60)), ("B", at(25)), ("B", at(62)), ("C", at(170))]
    )
    found = classify(features)
    # Nearest of A1 and A2 are each other; of A3 it is B2, of B1 A2, of B2 A3.
    assert found.leave_one_out["cosine"]["1"] == 2 / 5
    # All five others vote: two A against two B, the nearest decides; and A against one B.
    assert found.leave_one_out["cosine"]["5"] == 2 / 5
    assert found.queries == 5
    assert found.metrics()["knn_leave_one_out"] == 2 / 5


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_both_ways_as_scikit_learn_classifies(metric) -> None:
    features = scattered([1] * 20 + [3] * 20 + [12] * 12, spread=1.3)
    lengths = np.random.default_rng(6).uniform(0.5, 2, (len(features.names), 1))
    vectors = features.vectors * lengths
    found = classify(Features(features.names, features.persons, vectors.astype(np.float32)), seed=3)
    persons = np.array(features.persons)
    codes = np.unique(persons, return_inverse=True)[1]
    asked = np.flatnonzero(np.bincount(codes)[codes] > 1)
    nearest = KNeighborsClassifier(1, algorithm="brute", metric=metric)
    right = []
    for row in asked:
        rest = np.delete(np.arange(len(codes)), row)
        right.append(nearest.fit(vectors[rest], codes[rest]).predict(vectors[[row]])[0])
    expected = (np.array(right) == codes[asked]).mean()
    assert found.leave_one_out[metric]["1"] == pytest.approx(expected)
    train, test = stratified_split(codes, np.arange(len(codes)), seed=3)
    nearest.fit(vectors[train], codes[train])
    assert found.stratified[metric]["1"] == pytest.approx(nearest.score(vectors[test], codes[test]))
    assert 0.3 < expected < 1


def test_vectors_of_length_1_have_the_same_nearest_by_both_measures() -> None:
    features = scattered([3] * 20 + [12] * 12, spread=1.3)
    longer = Features(features.names, features.persons, 2 * features.vectors)
    found, of_longer = classify(features), classify(longer)
    assert found.leave_one_out["euclidean"] == of_longer.leave_one_out["euclidean"]
    assert found.stratified == of_longer.stratified


def test_five_votes_as_scikit_learn_counts_them_where_no_two_have_as_many() -> None:
    features = scattered([40] * 3, spread=2.5)
    codes = np.repeat(range(3), 40)
    train, test = stratified_split(codes, np.arange(len(codes)), seed=0)
    found = classify(features).stratified["cosine"]["5"]
    five = KNeighborsClassifier(5, algorithm="brute", metric="cosine")
    five.fit(features.vectors[train], codes[train])
    votes = codes[train][five.kneighbors(features.vectors[test], return_distance=False)]
    counts = np.sort([np.bincount(row, minlength=3) for row in votes], axis=1)
    tied = (counts[:, 2] == counts[:, 1]).sum()
    expected = five.score(features.vectors[test], codes[test])
    assert abs(found - expected) * len(test) <= tied
    assert tied < len(test) / 2


def test_the_split_takes_a_fifth_of_everybody_and_leaves_something_to_learn_from() -> None:
    codes = np.repeat(range(5), [1, 2, 3, 10, 100])
    train, test = stratified_split(codes, np.arange(len(codes)), seed=1)
    assert np.bincount(codes[test], minlength=5).tolist() == [0, 1, 1, 2, 20]
    assert np.bincount(codes[train], minlength=5).tolist() == [0, 1, 2, 8, 80]
    assert not set(train) & set(test)


def test_a_split_is_drawn_from_its_seed() -> None:
    codes = np.repeat(range(10), 10)
    first, again, other = (
        stratified_split(codes, np.arange(len(codes)), seed=seed)[1].tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_without_two_photos_of_anybody_nobody_can_be_named() -> None:
    with pytest.raises(UsageError, match="Nobody has two different photos"):
        classify(features_of([("A", at(0)), ("B", at(9))]))
    with pytest.raises(UsageError, match="Nobody has two different photos"):
        classify(features_of([("A", at(0)), ("A", at(0)), ("B", at(9))]))


def test_copies_are_on_the_same_side_of_the_split() -> None:
    codes = np.repeat([0, 1], [6, 3])
    pictures = np.array([0, 1, 0, 1, 0, 2, 3, 3, 3])
    for seed in range(10):
        train, test = stratified_split(codes, pictures, seed=seed)
        assert not set(pictures[train]) & set(pictures[test])
        # The second person has one picture alone, three times.
        assert sorted([*train, *test]) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_names_nobody(seed: int) -> None:
    """Each person's two pictures are far from each other, and near one of somebody else's."""
    photos = [("A", at(0)), ("A", at(90)), ("B", at(1)), ("B", at(91)), ("C", at(180))]
    alone = classify(features_of(photos), seed=seed)
    copied = classify(features_of([*photos, *photos]), seed=seed)
    assert (alone.queries, copied.queries) == (4, 8)  # those of C are copies of one
    for found in (alone, copied):
        assert found.leave_one_out["cosine"]["1"] == 0
        assert found.trained == found.tested
    assert copied.stratified["cosine"] == alone.stratified["cosine"]


def test_one_picture_under_two_names_does_not_name_itself_in_the_split() -> None:
    """Its copy is of another person: it would be the nearest and wrong."""
    photos = [("A", at(0)), ("A", at(1)), ("B", at(0)), ("B", at(1)), ("C", at(90)), ("C", at(91))]
    for seed in range(8):
        found = classify(features_of(photos), seed=seed)
        assert found.stratified["cosine"]["1"] > 0.6


def test_numbers_have_the_names_of_outcomes() -> None:
    found = classify(scattered([3] * 5), seed=9).metrics()
    assert set(found) == {"knn_leave_one_out", "knn_stratified", "knn"}
    assert found["knn"]["leave_one_out"]["cosine"]["1"] == found["knn_leave_one_out"]
    assert (found["knn"]["queries"], found["knn"]["tested"], found["knn"]["seed"]) == (15, 5, 9)
