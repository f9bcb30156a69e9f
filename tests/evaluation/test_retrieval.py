"""Retrieval: what the first results show, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.neighbors import NearestNeighbors

from indexer.errors import UsageError
from indexer.evaluation.records import Features, Metric
from indexer.evaluation.retrieval import retrieve
from tests.evaluation.made_up import at, features_of, scattered

SIX = features_of(
    [("A", at(0)), ("A", at(10)), ("A", at(60)), ("B", at(25)), ("B", at(62)), ("C", at(170))]
)


def test_six_photos_by_hand() -> None:
    found = retrieve(SIX, k=2)
    assert found.neighbours.tolist() == [[1, 3], [0, 3], [4, 3], [1, 0], [2, 3], [4, 2]]
    # Right among the first two: 1, 1, 0 of 2 for A; 0, 1 of 1 for B. C is no query.
    assert found.queries == 5
    assert found.top == pytest.approx((1 + 1 + 0 + 0 + 1) / 2 / 5)
    assert found.top_of_existing == pytest.approx((1 / 2 + 1 / 2 + 0 + 0 + 1) / 5)
    assert found.recall_at == {"1": 2 / 5}
    # Rankings of A1: A2 B1 A3 B2 C; A2: A1 B1 A3 B2 C; A3: B2 B1 A2 A1 C; B1: A2 A1 A3 B2 C;
    # B2: A3 B1 A2 A1 C.
    first, third = (1 + 2 / 3) / 2, (1 / 3 + 2 / 4) / 2
    expected = [first, first, third, 1 / 4, 1 / 2]
    assert found.average_precision[:5] == pytest.approx(expected)
    assert np.isnan(found.average_precision[5])
    assert found.mean_average_precision == pytest.approx(np.mean(expected))
    assert found.scores[0] == pytest.approx([np.cos(np.radians(10)), np.cos(np.radians(25))])


def test_who_has_few_photos_and_who_has_many_is_told_apart() -> None:
    features = scattered([2, 3, 5, 70, 1, 16], spread=1.5)
    found = retrieve(features)
    bands = {band["photos"]: band for band in found.by_photos}
    assert [(name, b["people"], b["queries"]) for name, b in bands.items()] == [
        ("2-3", 2, 5), ("4-7", 1, 5), ("16-63", 1, 16), ("64+", 1, 70),
    ]  # fmt: skip
    for key, overall in (("map", "map"), ("top20_of_existing", "top20_of_existing")):
        weighted = sum(band[key] * band["queries"] for band in found.by_photos) / found.queries
        assert weighted == pytest.approx(found.metrics()[overall])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_rankings_are_those_of_scikit_learn(metric) -> None:
    features = scattered([1] * 30 + [2] * 30 + [6] * 20 + [25] * 3, spread=1.0)
    lengths = np.random.default_rng(6).uniform(0.5, 2, (len(features.names), 1))
    vectors = (features.vectors * lengths).astype(np.float32)
    features = Features(features.names, features.persons, vectors)
    found = retrieve(features, metric=metric)
    model = NearestNeighbors(n_neighbors=21, algorithm="brute", metric=metric)
    distances, rows = model.fit(vectors.astype(np.float64)).kneighbors()
    assert (found.neighbours == rows[:, :20]).mean() > 0.999
    expected = 1 - distances[:, :20] if metric == "cosine" else distances[:, :20]
    assert found.scores == pytest.approx(expected, abs=1e-4)
    persons = np.array(features.persons)
    right = persons[rows[:, :20]] == persons[:, None]
    others = np.array([(persons == person).sum() - 1 for person in persons])
    asked = others > 0
    assert found.top == pytest.approx(right[asked].mean(), abs=1e-3)
    shares = right[asked].sum(axis=1) / np.minimum(others[asked], 20)
    assert found.top_of_existing == pytest.approx(shares.mean(), abs=1e-3)
    assert found.recall_at["5"] == pytest.approx(right[asked, :5].any(axis=1).mean(), abs=1e-3)
    everyone = NearestNeighbors(n_neighbors=len(persons) - 1, algorithm="brute", metric=metric)
    distances, rows = everyone.fit(vectors.astype(np.float64)).kneighbors()
    for query in np.flatnonzero(asked)[::7]:
        truth = persons[rows[query]] == persons[query]
        precision = average_precision_score(truth, -distances[query])
        assert found.average_precision[query] == pytest.approx(precision, abs=1e-3)


def test_what_a_store_returned_is_counted_as_it_is() -> None:
    """It missed one, found a stranger, and names the query itself, which never counts."""
    returned = np.array([[1, 2], [3, -1], [2, 0], [4, 0], [-1, -1], [0, 1]])
    found = retrieve(SIX, returned, k=2)
    assert found.top == pytest.approx((2 + 0 + 1 + 1 + 0) / 2 / 5)
    assert found.top_of_existing == pytest.approx((2 / 2 + 0 + 1 / 2 + 1 + 0) / 5)
    assert found.recall_at == {"1": 2 / 5}
    assert found.mean_average_precision == retrieve(SIX, k=2).mean_average_precision
    assert np.isnan(found.scores[1, 1])
    assert found.scores[0] == pytest.approx([np.cos(np.radians(10)), 0.5])
    assert (found.neighbours == returned).all()


def test_scores_of_a_store_are_kept() -> None:
    returned, scores = np.zeros((6, 1), np.int64), np.full((6, 1), 0.25)
    assert retrieve(SIX, returned, scores, k=1).scores.tolist() == scores.tolist()


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (np.zeros((6, 3), np.int64), "not \\(6, 2\\)"),
        (np.zeros((6, 2)), "whole numbers"),
        (np.full((6, 2), [0, 6]), "beyond the 6 photos"),
        (np.full((6, 2), [0, -2]), "beyond the 6 photos"),
        (np.full((6, 2), [3, 3]), "twice"),
    ],
)
def test_what_cannot_be_neighbours_is_refused(returned: np.ndarray, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        retrieve(SIX, returned, k=2)


def test_fewer_photos_than_results_are_enough() -> None:
    found = retrieve(SIX)
    assert found.neighbours[0].tolist() == [1, 3, 2, 4, 5] + [-1] * 15
    assert found.metrics()["top20_of_existing"] == 1.0
    assert found.recall_at == {"1": 2 / 5, "5": 1.0, "20": 1.0}


def test_equal_photos_come_in_order_of_rows() -> None:
    lengths = [("A", 1), ("B", 2), ("A", 4), ("B", 8)]
    features = features_of([(person, [length, 0.0]) for person, length in lengths])
    assert retrieve(features, k=3).neighbours.tolist() == [
        [1, 2, 3],
        [0, 2, 3],
        [0, 1, 3],
        [0, 1, 2],
    ]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_copy_of_the_query_is_no_result(metric: Metric) -> None:
    """A1 is there twice, B under two names: only A2 finds, and is found by, another picture."""
    features = features_of(
        [("A", at(0)), ("A", at(0)), ("A", at(40)), ("B", at(20)), ("C", at(20))]
    )
    found = retrieve(features, k=3, metric=metric)
    assert (found.queries, found.copies) == (3, 2)
    assert found.neighbours.tolist() == [
        [3, 4, 2],
        [3, 4, 2],
        [3, 4, 0],
        [0, 1, 2],
        [0, 1, 2],
    ]
    # A2 has two right ones, of which one is among the three.
    assert found.top_of_existing == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert found.average_precision[:3] == pytest.approx([1 / 3, 1 / 3, (1 / 3 + 2 / 4) / 2])
    assert np.isnan(found.average_precision[3:]).all()


def test_who_has_copies_of_one_photo_alone_has_nothing_to_find() -> None:
    with pytest.raises(UsageError, match="Nobody has two different photos"):
        retrieve(features_of([("A", at(0)), ("A", at(0)), ("B", at(9))]))


def test_without_two_photos_of_anybody_nothing_can_be_found() -> None:
    with pytest.raises(UsageError, match="Nobody has two different photos"):
        retrieve(features_of([("A", at(0)), ("B", at(9))]))


def test_numbers_and_arrays_have_the_names_of_outcomes() -> None:
    found = retrieve(SIX)
    assert set(found.metrics()) == {
        "top20", "top20_of_existing", "map", "recall_at", "queries", "copies", "by_photos",
    }  # fmt: skip
    assert {name: values.shape for name, values in found.arrays().items()} == {
        "neighbours": (6, 20), "neighbour_scores": (6, 20), "average_precision": (6,),
    }  # fmt: skip
