"""All pairs of photos: exact thresholds at false-accept rates, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from indexer.errors import UsageError
from indexer.evaluation.all_pairs import BINS, compare_all
from indexer.evaluation.similarity import BLOCK, nearest, ranked, similarity_blocks, unit
from tests.evaluation.made_up import at, features_of, scattered


def brute_force(vectors: np.ndarray, persons) -> tuple[np.ndarray, np.ndarray]:
    """The cosines of all pairs of one person, and of all others."""
    first, second = np.triu_indices(len(vectors), k=1)
    units = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1)[:, None]
    cosines, same = (
        (units @ units.T)[first, second],
        np.array(persons)[first] == np.array(persons)[second],
    )
    return cosines[same], cosines[~same]


def test_three_photos_by_hand() -> None:
    features = features_of([("A", at(0)), ("A", at(60)), ("B", at(90))])
    found = compare_all(features.vectors, features.persons)
    assert (found.photos, found.people, found.same, found.different) == (3, 2, 1, 2)
    assert found.same_scores == pytest.approx([0.5])
    # cos 30 and cos 90, in bins of 0.01 from -1.
    assert np.flatnonzero(found.histogram_different).tolist() == [100, 186]
    assert set(found.threshold_at_far.values()) == {None}
    assert set(found.tar_at_far.values()) == {None}


def test_thresholds_and_shares_are_those_of_all_pairs_at_once() -> None:
    """More photos than fit into one block."""
    features = scattered([3] * 700, dimensions=16)
    assert len(features.names) ** 2 > BLOCK
    same, different = brute_force(features.vectors, features.persons)
    found = compare_all(features.vectors, features.persons)
    assert (found.same, found.different) == (len(same), len(different)) == (2100, 2_201_850)
    assert set(found.threshold_at_far) == {"1e-2", "1e-3", "1e-4", "1e-5"}
    for key, threshold in found.threshold_at_far.items():
        assert threshold is not None
        allowed = int(float(key) * len(different))
        assert (
            (different >= threshold + 1e-6).sum()
            <= allowed
            <= (different >= threshold - 1e-6).sum()
        )
        assert found.tar_at_far[key] == pytest.approx((same >= threshold).mean(), abs=1e-3)
    for scores, histogram in ((same, found.histogram_same), (different, found.histogram_different)):
        expected, _ = np.histogram(scores, found.edges)
        assert histogram.sum() == len(scores)
        assert np.abs(histogram - expected).max() <= 3  # roundings on the edges of bins


def test_at_a_threshold_no_more_pairs_are_accepted_than_the_rate_allows() -> None:
    """Many pairs have equal cosines: people are one of four directions."""
    photos = [(f"P{n}", np.eye(4)[n % 4] + 1e-4 * n * np.eye(4)[(n + 1) % 4]) for n in range(80)]
    features = features_of(photos)
    found = compare_all(features.vectors, features.persons)
    _, different = brute_force(features.vectors, features.persons)
    threshold = found.threshold_at_far["1e-2"]
    assert threshold is not None
    assert (different >= threshold).sum() <= 0.01 * len(different)
    assert found.threshold_at_far["1e-3"] is None  # 3 of 3,160 pairs


def test_only_the_first_photos_of_a_person_count_where_there_is_a_limit() -> None:
    features = scattered([30, 2, 2, 1])
    found = compare_all(features.vectors, features.persons, per_person=2)
    assert (found.photos, found.people, found.same) == (7, 4, 3)
    rows = [0, 1, 30, 31, 32, 33, 34]
    same, different = brute_force(features.vectors[rows], np.array(features.persons)[rows])
    assert np.sort(found.same_scores) == pytest.approx(np.sort(same), abs=1e-6)
    assert found.different == len(different)


def test_one_picture_under_two_names_makes_no_pair() -> None:
    photos = [("A", at(0)), ("A", at(40)), ("A", at(40)), ("B", at(90)), ("C", at(90))]
    features = features_of(photos)
    found = compare_all(features.vectors, features.persons)
    assert (found.photos, found.repeated, found.same, found.different) == (3, 2, 1, 2)


def test_lengths_do_not_matter() -> None:
    features = scattered([2] * 40)
    lengths = np.random.default_rng(2).uniform(0.1, 9, (80, 1)).astype(np.float32)
    before = compare_all(features.vectors, features.persons)
    after = compare_all(features.vectors * lengths, features.persons)
    assert after.threshold_at_far["1e-2"] == pytest.approx(before.threshold_at_far["1e-2"])


def test_one_photo_makes_no_pair() -> None:
    with pytest.raises(UsageError, match="1 photos make no pair"):
        compare_all(np.ones((1, 4), np.float32), ["A"])


def test_numbers_and_arrays_have_the_names_of_outcomes() -> None:
    features = scattered([2] * 40)
    found = compare_all(features.vectors, features.persons)
    assert {"same", "different", "threshold_at_far", "tar_at_far"} <= set(
        found.metrics()["all_pairs"]
    )
    shapes = {name: values.shape for name, values in found.arrays().items()}
    assert shapes == {"score_edges": (BINS + 1,), "score_same": (BINS,), "score_different": (BINS,)}


def test_distances_are_told_as_if_in_one_piece() -> None:
    generator = np.random.default_rng(4)
    queries, gallery = generator.normal(size=(2000, 8)), generator.normal(size=(3000, 8))
    expected = cdist(queries, gallery)
    found = np.concatenate([block for _, block in similarity_blocks(queries, gallery, "euclidean")])
    assert np.abs(found + expected).max() < 1e-5


def test_the_nearest_leave_the_query_itself_out() -> None:
    vectors = np.array([at(0), at(10), at(30), at(70)], np.float32)
    own = np.array([0, 2])
    assert nearest(vectors[own], vectors, 2, own=own).tolist() == [[1, 2], [1, 0]]
    assert nearest(vectors[own], vectors, 9, own=own).tolist() == [[1, 2, 3], [1, 0, 3]]
    assert nearest(vectors[own], vectors, 2).tolist() == [[0, 1], [2, 1]]


def test_a_vector_without_direction_is_like_nothing() -> None:
    assert unit(np.zeros((1, 3))).tolist() == [[0.0, 0.0, 0.0]]


def test_a_ranking_is_that_of_a_stable_sort_whatever_the_floats() -> None:
    generator = np.random.default_rng(8)
    rows = generator.integers(-3, 4, (50, 40)) * generator.choice([1e-30, 0.25, 1e8], (50, 40))
    rows = np.concatenate([rows, [[0.0, -0.0, -np.inf, np.inf, 1e-45, -1e-45] + [0.5] * 34]])
    rows = rows.astype(np.float32)
    assert (ranked(rows) == np.argsort(-rows, axis=1, kind="stable")).all()
