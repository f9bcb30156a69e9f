"""Labels in plots stay beside their points, apart from each other, and inside."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from indexer.evaluation.report.labels import placed_labels

AREA = np.array([0.0, 0.0, 400.0, 300.0])
SIZE = (80.0, 14.0)


def placed(*anchors: tuple[float, float]) -> np.ndarray:
    points = np.array(anchors)
    return np.array(placed_labels(points, [SIZE] * len(anchors), points, AREA))


def test_a_label_alone_stands_to_the_right_of_its_point() -> None:
    assert placed((100, 100)).tolist() == [[147, 100]]


def test_points_far_from_each_other_keep_their_labels_beside_them() -> None:
    anchors = [(60, 40), (60, 140), (60, 164), (200, 250)]
    centres = placed(*anchors)
    assert np.array_equal(centres - np.array(anchors), [(47, 0)] * 4)


def test_labels_of_close_points_do_not_overlap() -> None:
    centres = placed(*[(200 + 3 * n, 150 + 2 * n) for n in range(8)])
    for one, other in combinations(centres, 2):
        assert np.any(np.abs(one - other) >= SIZE)


def test_labels_stay_inside() -> None:
    centres = placed((399, 1), (399, 299), (1, 150))
    half = np.array(SIZE) / 2
    assert (centres - half >= AREA[:2]).all()
    assert (centres + half <= AREA[2:]).all()
