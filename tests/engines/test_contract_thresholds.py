"""Thresholds that were measured on the index's own faces go before the model's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer.errors import ModelMismatch, UsageError
from indexer.records import Thresholds
from tests.engines.builders import MODEL, OTHER_MODEL, add_photo, axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index

OWN = Thresholds(possible=0.61, same_person=0.83, basis="our own faces")
CALIBRATED = replace(MODEL, calibrated=OWN)


def test_verdicts_hold_from_the_thresholds_that_were_set(open_again: Callable[[], Index]) -> None:
    index, reader = open_again(), open_again()
    index.adopt_model(MODEL)
    assert MODEL.verdict(0.75) == "same person"
    index.set_thresholds(MODEL.key, OWN)
    for opened in (index, reader, open_again()):
        assert opened.model == CALIBRATED
        assert opened.model.key == MODEL.key
        verdicts = [opened.model.verdict(cosine) for cosine in (0.6, 0.61, 0.82, 0.83)]
        assert verdicts == ["different", "possible", "possible", "same person"]


def test_they_stay_when_the_model_is_adopted_again_as_every_ingest_does(index: Index) -> None:
    index.adopt_model(MODEL)
    index.set_thresholds(MODEL.key, OWN)
    index.adopt_model(MODEL)
    assert index.model == CALIBRATED
    add_photo(index, "p", axis(0))
    assert index.model == CALIBRATED


def test_a_new_program_may_bring_better_ones_of_the_model_meanwhile(index: Index) -> None:
    index.adopt_model(MODEL)
    index.set_thresholds(MODEL.key, OWN)
    better = replace(MODEL, weights_path="/moved", thresholds=Thresholds(0.4, 0.6, "measured anew"))
    index.adopt_model(better)
    assert index.model == replace(better, calibrated=OWN)
    index.set_thresholds(MODEL.key, None)
    assert index.model == better


def test_they_can_be_set_again_and_taken_away_twice(index: Index) -> None:
    index.adopt_model(replace(MODEL, thresholds=None))
    for thresholds in (OWN, Thresholds(0.5, 0.5, "others"), None, None):
        index.set_thresholds(MODEL.key, thresholds)
        assert index.model == replace(MODEL, thresholds=None, calibrated=thresholds)


def test_another_index_does_not_take_them_with_the_model(index: Index) -> None:
    index.adopt_model(CALIBRATED)
    assert index.model == MODEL


def test_thresholds_of_another_model_are_refused(index: Index) -> None:
    with pytest.raises(ModelMismatch, match="not chosen yet"):
        index.set_thresholds(MODEL.key, OWN)
    index.adopt_model(MODEL)
    for thresholds in (OWN, None):
        with pytest.raises(ModelMismatch, match="say nothing of the index's model"):
            index.set_thresholds(OTHER_MODEL.key, thresholds)
    assert index.model == MODEL


@pytest.mark.parametrize(
    ("possible", "same_person"), [(0.7, 0.6), (0.5, 1.001), (-1.1, 0.5), (float("nan"), 0.5)]
)
def test_what_no_cosine_can_be_is_refused(
    index: Index, possible: float, same_person: float
) -> None:
    index.adopt_model(MODEL)
    with pytest.raises(UsageError, match="Thresholds are cosines"):
        index.set_thresholds(MODEL.key, Thresholds(possible, same_person, "odd"))
    assert index.model == MODEL


def test_they_go_with_the_model_that_they_were_measured_with(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.set_thresholds(MODEL.key, OWN)
    index.begin_version(replace(OTHER_MODEL, calibrated=OWN))
    assert index.model == CALIBRATED
    index.put_vectors(OTHER_MODEL.key, {face.id: axis(0, dimensions=4)})
    index.activate_version(OTHER_MODEL.key)
    assert index.model == OTHER_MODEL
