"""Measures of finding people in videos, against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.evaluation.video.measures import (
    Moments,
    average_precision,
    covered,
    joined,
    moments,
    seconds,
    share_of,
    span_errors,
)
from indexer.evaluation.video.truth import spans_of

TIMES_S = np.arange(10) / 2  # two frames a second, five seconds


def mask(text: str) -> np.ndarray:
    return np.array([letter == "x" for letter in text])


def test_a_span_covers_its_first_and_its_last_frame() -> None:
    assert covered([(1.0, 2.0)], TIMES_S).tolist() == mask("..xxx.....").tolist()


def test_a_span_of_one_moment_covers_one_frame() -> None:
    assert covered([(4.5, 4.5)], TIMES_S).tolist() == mask(".........x").tolist()


def test_times_that_were_rounded_to_microseconds_still_meet_their_frames() -> None:
    thirds = np.arange(6) / 3
    assert covered([(0.333333, 0.666667)], thirds).tolist() == mask(".xx...").tolist()


def test_spans_may_overlap_and_lie_anywhere() -> None:
    found = covered([(0.0, 0.5), (0.5, 1.0), (9.0, 12.0)], TIMES_S)
    assert found.tolist() == mask("xxx.......").tolist()


def test_no_span_covers_nothing() -> None:
    assert not covered([], TIMES_S).any()


def test_seconds_are_those_in_which_any_frame_lies() -> None:
    assert seconds(mask(".x..xx...x"), TIMES_S) == (0, 2, 4)
    assert seconds(mask(".........."), TIMES_S) == ()


def test_spans_are_the_runs_of_frames_by_the_times_of_their_ends() -> None:
    assert spans_of(mask("xx..x...xx"), TIMES_S) == ((0.0, 0.5), (2.0, 2.0), (4.0, 4.5))
    assert spans_of(mask(".........."), TIMES_S) == ()


def test_moments_count_frames_right_missed_and_wrong() -> None:
    visible = mask("..xxxx....")
    counted = moments(mask("...xxxx..."), visible, present=visible)
    assert counted == Moments(right=3, missed=1, wrong=1)
    assert (counted.recall, counted.precision) == (3 / 4, 3 / 4)


def test_finding_a_face_that_is_there_but_does_not_count_is_neither_right_nor_wrong() -> None:
    counted = moments(mask(".xxxxxx..."), visible=mask("..xxxx...."), present=mask(".xxxxxx..."))
    assert counted == Moments(right=4, missed=0, wrong=0)


def test_moments_of_several_people_add_up() -> None:
    total = Moments(3, 1, 0) + Moments(1, 3, 4)
    assert (total.recall, total.precision) == (4 / 8, 4 / 8)


def test_nothing_to_find_has_no_recall_and_nothing_found_no_precision() -> None:
    assert Moments(right=0, missed=0, wrong=2).recall is None
    assert Moments(right=0, missed=2, wrong=0).precision is None


def test_average_precision_of_a_textbook_ranking() -> None:
    # Relevant at ranks 1, 3 and 6, of 4: (1/1 + 2/3 + 3/6 + 0) / 4.
    ranking = [True, False, True, False, False, True]
    assert average_precision(ranking, 4) == pytest.approx((1 + 2 / 3 + 1 / 2) / 4)


def test_average_precision_is_one_when_all_relevant_come_first() -> None:
    assert average_precision([True, True, False]) == 1.0


def test_average_precision_is_nought_when_nothing_relevant_is_found() -> None:
    assert average_precision([], 3) == 0.0


def test_average_precision_needs_something_relevant() -> None:
    with pytest.raises(ValueError, match="nothing is relevant"):
        average_precision([False, False])


def test_spans_within_the_gap_are_one() -> None:
    spans = [(5.0, 6.0), (0.0, 1.0), (3.0, 4.0)]
    assert joined(spans, 1.0) == ((0.0, 1.0), (3.0, 6.0))
    assert joined(spans, 2.0) == ((0.0, 6.0),)


def test_a_span_within_another_ends_nothing_early() -> None:
    assert joined([(0.0, 9.0), (1.0, 2.0)], 0.0) == ((0.0, 9.0),)


def test_span_errors_are_those_of_start_and_end_against_the_span_that_shares_most() -> None:
    found = [(0.0, 1.2), (1.5, 4.0)]
    assert span_errors(found, [(1.0, 4.2)]) == pytest.approx([0.5, 0.2])


def test_a_true_span_that_nothing_overlaps_has_no_error_but_is_missed() -> None:
    assert span_errors([(0.0, 1.0)], [(2.0, 3.0)]) == []
    assert span_errors([], [(2.0, 3.0)]) == []


def test_a_found_moment_within_a_span_counts_as_overlap() -> None:
    assert span_errors([(2.5, 2.5)], [(2.0, 4.0)]) == pytest.approx([0.5, 1.5])


def test_the_share_is_that_of_the_reference_and_more_does_not_help() -> None:
    reference = np.array([[0, 0, 1], [0, 0, 2], [0, 1, 0], [1, 0, 0]])
    found = np.array([[0, 0, 1], [0, 0, 1], [1, 0, 0], [9, 9, 9]])
    assert share_of(found, reference) == 2 / 4
    assert share_of(np.empty((0, 3), int), reference) == 0.0


def test_there_is_no_share_of_nothing() -> None:
    assert share_of(np.array([[1, 2, 3]]), np.empty((0, 3), int)) is None
