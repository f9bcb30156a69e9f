"""Verdict thresholds, and the refusal to tell them from too little."""

from __future__ import annotations

import re

import numpy as np
import pytest

from indexer.embeddings.facenet import VGGFACE2_THRESHOLDS
from indexer.errors import UsageError
from indexer.evaluation.all_pairs import compare_all
from indexer.evaluation.calibration import Calibration, calibrate
from tests.evaluation.made_up import scattered

PEOPLE = scattered([3] * 480, spread=0.5, dimensions=32)


@pytest.fixture(scope="module")
def measured() -> Calibration:
    return calibrate(PEOPLE.vectors, PEOPLE.persons)


def test_thresholds_are_those_of_the_rates_rounded_up(measured: Calibration) -> None:
    exact = compare_all(PEOPLE.vectors, PEOPLE.persons).threshold_at_far
    for found, far in (
        (measured.thresholds.possible, "1e-3"),
        (measured.thresholds.same_person, "1e-5"),
    ):
        assert found == round(found, 4)
        assert exact[far] is not None
        assert exact[far] <= found < exact[far] + 0.0001
    assert (measured.photos, measured.people, measured.same) == (1440, 480, 1440)
    assert measured.different == 1440 * 1437 // 2


def test_no_more_pairs_of_different_people_reach_them_than_the_rates_say(
    measured: Calibration,
) -> None:
    cosines = PEOPLE.vectors.astype(np.float64) @ PEOPLE.vectors.T.astype(np.float64)
    first, second = np.triu_indices(len(cosines), k=1)
    same = np.array(PEOPLE.persons)[first] == np.array(PEOPLE.persons)[second]
    cosines = cosines[first, second]
    for threshold, far, tar in (
        (measured.thresholds.possible, 1e-3, measured.tar_possible),
        (measured.thresholds.same_person, 1e-5, measured.tar_same_person),
    ):
        assert (cosines[~same] >= threshold).mean() <= far
        assert (cosines[~same] >= threshold - 0.0002).mean() > far
        assert (cosines[same] >= threshold).mean() == pytest.approx(tar, abs=1e-3)


def test_the_basis_says_what_stands_behind_them_as_that_of_facenet_does() -> None:
    basis = calibrate(
        PEOPLE.vectors, PEOPLE.persons, per_person=10, source="LFW photos"
    ).thresholds.basis
    form = re.sub(r"[\d,.]*\d", "N", VGGFACE2_THRESHOLDS.basis)
    assert re.sub(r"[\d,.]*\d", "N", basis) == form
    assert "over 1,034,640 pairs of different people: 1,440 LFW photos of 480 people" in basis


def test_one_photo_of_each_is_enough_for_thresholds_and_tells_nothing_of_one_person() -> None:
    many = scattered([1] * 1500)
    found = calibrate(many.vectors, many.persons)
    assert (found.same, found.tar_possible, found.tar_same_person) == (0, None, None)
    assert found.thresholds.basis.endswith("; no pair of one person was there")


def test_false_hits_grow_with_the_gallery(measured: Calibration) -> None:
    expected = {
        "1e-3": {"1000": 1, "10000": 10, "100000": 100, "1000000": 1000, "10000000": 10_000},
        "1e-5": {"1000": 0.01, "10000": 0.1, "100000": 1, "1000000": 10, "10000000": 100},
    }
    for far, hits in measured.expected_false_hits.items():
        assert hits == pytest.approx(expected[far])


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([2] * 30, "60 photos of 30 people make 1,740 pairs .*not even `possible`, at 1e-3, can"),
        ([5] * 60, r"44,250 pairs .* 448 people \(`possible`, at 1e-3, would be 0\.\d{4} here"),
        # Pairs enough, but of too few people: two who look alike would make up the whole rate.
        ([360] * 5, "1,296,000 pairs of different people.*not even `possible`"),
        ([40] * 50, "1,960,000 pairs of different people.* 448 people .* would be"),
    ],
    ids=["few photos", "pairs for one rate", "five people", "fifty people"],
)
def test_too_few_are_refused_and_it_is_said_what_is_missing(counts: list[int], said: str) -> None:
    features = scattered(counts)
    with pytest.raises(UsageError, match=f"{said}.*Name more people"):
        calibrate(features.vectors, features.persons)


def test_a_limit_of_photos_counts_before_pairs_are_counted() -> None:
    with pytest.raises(UsageError, match="480 photos of 480 people"):
        calibrate(PEOPLE.vectors, PEOPLE.persons, per_person=1)
