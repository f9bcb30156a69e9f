"""Faces of a segment become tracks: who continues whom, and until when."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.tracks import Tracker, assign, pack_tracks, unpack_tracks, without_faces
from tests.people import LEFT, RIGHT, face, look

MIDDLE = (110.0, 20.0, 170.0, 80.0)


def spans(*looks, max_gap_s: float = 2.0) -> list[tuple[float, float]]:
    """Track (look, faces) pairs; return each track's start and end."""
    tracker = Tracker(min_cosine=0.6, max_gap_s=max_gap_s)
    for seen, faces in looks:
        tracker.add(seen, faces)
    return [(track.start_s, track.end_s) for track, _ in tracker.runs()]


def test_a_person_seen_in_each_key_frame_is_one_track_until_the_last_duplicate() -> None:
    looks = [(look(t, t + 0.9), [face("anna", t)]) for t in (0.0, 1.0, 2.0)]
    assert spans(*looks) == [(0.0, 2.9)]


def test_a_missed_detection_within_the_gap_does_not_end_a_track() -> None:
    looks = [
        (look(0.0, 0.9), [face("anna", 0.0)]),
        (look(1.0, 1.9), []),
        (look(2.0, 2.5), [face("anna", 2.0)]),
    ]
    assert spans(*looks) == [(0.0, 2.5)]


def test_a_longer_gap_ends_a_track() -> None:
    looks = [
        (look(0.0, 0.9), [face("anna", 0.0)]),
        (look(1.0, 1.9), []),
        (look(3.5, 4.0), [face("anna", 3.5)]),
    ]
    assert spans(*looks) == [(0.0, 0.9), (3.5, 4.0)]


def test_a_cut_to_somebody_else_ends_a_track_even_if_the_person_is_soon_back() -> None:
    looks = [
        (look(0.0, 0.9), [face("anna", 0.0, LEFT)]),
        (look(1.0, 1.4, cut=True), [face("bert", 1.0, RIGHT)]),
        (look(1.5, 2.0, cut=True), [face("anna", 1.5, LEFT)]),
    ]
    assert spans(*looks) == [(0.0, 0.9), (1.0, 1.4), (1.5, 2.0)]


def test_a_cut_to_nobody_shorter_than_the_gap_does_not() -> None:
    looks = [
        (look(0.0, 0.9), [face("anna", 0.0)]),
        (look(1.0, 1.4, cut=True), []),
        (look(1.5, 2.0, cut=True), [face("anna", 1.5)]),
    ]
    assert spans(*looks) == [(0.0, 2.0)]


def test_a_cut_to_the_same_person_elsewhere_in_the_picture_goes_on() -> None:
    looks = [
        (look(0.0, 0.9), [face("anna", 0.0, LEFT)]),
        (look(1.0, 1.9, cut=True), [face("bert", 1.0, LEFT), face("anna", 1.0, RIGHT)]),
    ]
    assert spans(*looks) == [(0.0, 1.9), (1.0, 1.9)]


def test_somebody_else_in_the_same_place_ends_a_track_without_a_cut() -> None:
    looks = [
        (look(0.0, 0.9), [face("anna", 0.0)]),
        (look(1.0, 1.4), [face("bert", 1.0)]),
        (look(1.5, 2.0), [face("anna", 1.5)]),
    ]
    assert spans(*looks) == [(0.0, 0.9), (1.0, 1.4), (1.5, 2.0)]


def test_two_people_at_once_are_two_tracks_though_they_change_places() -> None:
    looks = [
        (look(0.0), [face("anna", 0.0, LEFT), face("bert", 0.0, RIGHT)]),
        (look(1.0), [face("bert", 1.0, LEFT), face("anna", 1.0, RIGHT)]),
    ]
    assert spans(*looks) == [(0.0, 1.0), (0.0, 1.0)]


def test_a_turned_head_goes_on_by_its_place_though_it_looks_less_alike() -> None:
    looks = [
        (look(0.0), [face("anna", 0.0)]),
        (look(1.0), [face("anna", 1.0, likeness=0.55)]),
    ]
    assert spans(*looks) == [(0.0, 1.0)]


def test_the_same_little_likeness_elsewhere_is_another_track() -> None:
    looks = [
        (look(0.0), [face("anna", 0.0, LEFT)]),
        (look(1.0), [face("anna", 1.0, RIGHT, likeness=0.55)]),
    ]
    assert spans(*looks) == [(0.0, 0.0), (1.0, 1.0)]


def test_one_person_twice_in_a_picture_is_two_tracks() -> None:
    looks = [(look(t), [face("anna", t, LEFT), face("anna", t, MIDDLE)]) for t in (0.0, 1.0)]
    assert spans(*looks) == [(0.0, 1.0), (0.0, 1.0)]


def test_nobody_gives_no_track() -> None:
    assert spans((look(0.0), []), (look(1.0), [])) == []


def test_pairs_are_chosen_for_the_highest_sum_and_never_forbidden() -> None:
    scores = np.array([[0.9, 0.8], [0.85, -np.inf]])
    assert assign(scores) == [(0, 1), (1, 0)]
    assert assign(np.array([[-np.inf]])) == []
    assert assign(np.zeros((0, 3))) == []


def test_tracks_of_deleted_faces_are_dropped_with_their_embeddings() -> None:
    tracker = Tracker(min_cosine=0.6, max_gap_s=2.0)
    anna, bert = face("anna", 1.0), face("bert", 1.0, RIGHT)
    tracker.add(look(1.0), [anna, bert])
    packed = pack_tracks([track for track, _ in tracker.runs()], min_cosine=0.6)
    (left,), _ = unpack_tracks(without_faces(packed, {anna.id}))
    assert left.face_ids == (bert.id,)


def test_tracks_survive_packing() -> None:
    tracker = Tracker(min_cosine=0.6, max_gap_s=2.0)
    tracker.add(look(61.0, 61.5), [face("anna", 61.0), face("bert", 61.0, RIGHT)])
    tracks = [track for track, _ in tracker.runs()]
    unpacked, min_cosine = unpack_tracks(pack_tracks(tracks, min_cosine=0.6))
    assert unpacked == tracks
    assert min_cosine == pytest.approx(0.6)
    assert np.array_equal(unpacked[0].mean, tracks[0].mean)


def test_no_tracks_are_packed_as_something() -> None:
    packed = pack_tracks([], min_cosine=0.5)
    assert packed
    assert unpack_tracks(packed) == ([], 0.5)
