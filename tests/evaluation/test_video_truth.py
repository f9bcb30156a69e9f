"""The truth about a clip is what its plan means."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.evaluation.video.geometry import FACE_HEIGHT, FACE_WIDTH, placements, views
from indexer.evaluation.video.plan import HEIGHT, WIDTH, Actor, ClipPlan, Pose, Shot, View
from indexer.evaluation.video.truth import named, spans_of, times_of, truth_of

RATIO = FACE_HEIGHT / FACE_WIDTH


def actor(person: str, *path: Pose) -> Actor:
    """Return somebody whose only movement is that of the path."""
    return Actor(person, (f"{person}/{person}_0001.jpg",), path, sway_px=0.0, phase=0.0)


def standing(person: str, x: float = WIDTH / 2, face_px: float = 100.0) -> Actor:
    return actor(person, Pose(0.0, x, HEIGHT / 2, face_px))


def truth(*shots: Shot, person: str = "Ann", min_face_px: float = 40.0):
    plan = ClipPlan("clip", shots, seed=0)
    found = named(truth_of(plan, min_face_px), person)
    assert found is not None
    return spans_of(found.visible, times_of(plan)), found


def test_times_are_those_of_25_frames_a_second() -> None:
    plan = ClipPlan("clip", (Shot("one", 3), Shot("two", 1)), seed=0)
    assert times_of(plan).tolist() == [0.0, 0.04, 0.08, 0.12]


def test_somebody_is_visible_during_their_shots_to_the_frame() -> None:
    spans, found = truth(
        Shot("Ann", 25, (standing("Ann"),)),
        Shot("nobody", 10),
        Shot("Ann", 5, (standing("Ann"),)),
    )
    assert spans == ((0.0, 0.96), (1.4, 1.56))
    assert found.present.tolist() == [True] * 25 + [False] * 10 + [True] * 5


def test_a_box_is_where_the_path_says_about_its_centre() -> None:
    _, found = truth(Shot("Ann", 1, (standing("Ann", x=300, face_px=100),)))
    x1, y1, x2, y2 = found.boxes[0]
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((300, HEIGHT / 2))
    assert (y2 - y1) / (x2 - x1) == pytest.approx(RATIO)
    assert x2 - x1 == pytest.approx(100, rel=0.03)


def test_people_move_between_poses_and_the_camera_against_them() -> None:
    moving = actor("Ann", Pose(0.0, 100, 180, 60), Pose(1.0, 200, 180, 60))
    shot = Shot("pan", 26, (moving,), (View(0.0, 0, 0), View(1.0, 50, 0)))
    assert views(shot)[-1].tolist() == [50.0, 0.0]
    x = placements(moving, shot).x
    assert x[[0, 25]].tolist() == pytest.approx([100, 150])


def test_who_walks_in_counts_from_the_frame_on_which_all_of_the_face_is_inside() -> None:
    # From 100 px outside to the middle at 420 px a second; half of the face is 40 px.
    walking = actor("Ann", Pose(0.0, -100, 180, 80), Pose(1.0, 320, 180, 80))
    spans, found = truth(Shot("walk", 26, (walking,)))
    widths = found.boxes[:, 2] - found.boxes[:, 0]
    assert spans == ((0.36, 1.0),)
    assert found.boxes[8, 0] < 0 <= found.boxes[9, 0]
    assert np.isnan(widths[3])
    assert not np.isnan(widths[4])


def test_a_face_counts_from_the_detectors_minimum_on() -> None:
    coming = actor("Ann", Pose(0.0, 320, 180, 30), Pose(1.0, 320, 180, 60))
    shot = Shot("approach", 26, (coming,))
    _, found = truth(shot)
    widths = found.boxes[:, 2] - found.boxes[:, 0]
    assert found.visible.tolist() == (widths >= 40).tolist()
    assert 0 < found.visible.sum() < 26
    assert truth(shot, min_face_px=20)[1].visible.all()


def test_who_stands_behind_somebody_does_not_count() -> None:
    behind, before = standing("Ann", x=320), standing("Bob", x=330)
    shot = Shot("two", 5, (behind, before))
    assert truth(shot, person="Ann")[0] == ()
    assert truth(shot, person="Bob")[0] == ((0.0, 0.16),)


def test_who_stands_beside_somebody_counts() -> None:
    shot = Shot("two", 5, (standing("Ann", x=200), standing("Bob", x=440)))
    assert truth(shot, person="Ann")[0] == ((0.0, 0.16),)


def test_somebody_who_is_in_no_shot_is_not_known() -> None:
    assert named(truth_of(ClipPlan("clip", (Shot("nobody", 3),), seed=0), 40.0), "Ann") is None
