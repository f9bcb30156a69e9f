"""Tracks of segments become appearances, with the faces worth keeping."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.appearances import LinkPlan, best_faces, plan_links, quality
from indexer.records import Appearance, Face, Segment, SegmentSpan
from indexer.settings import AppearanceSettings
from indexer.tracks import Tracker, pack_tracks
from tests.people import LEFT, MEDIA_ID, RIGHT, face, label, look

SETTINGS = AppearanceSettings(max_gap_s=2.0, max_faces=3)


def segment(number: int, *looks) -> tuple[Segment, list[Face]]:
    """Track a segment's (look, faces) pairs, as the pipeline does."""
    tracker = Tracker(min_cosine=0.6, max_gap_s=2.0)
    for seen, faces in looks:
        tracker.add(seen, faces)
    tracks = [track for track, _ in tracker.runs()]
    span = SegmentSpan(number, number * 60.0, number * 60.0 + 60.0)
    packed = pack_tracks(tracks, min_cosine=0.6)
    return Segment(MEDIA_ID, span, "done", tracks=packed), [f for _, fs in looks for f in fs]


def plan(*parts, labels=()) -> LinkPlan:
    return plan_links(
        [part[0] for part in parts], [f for part in parts for f in part[1]], labels, SETTINGS
    )


def spans(made: LinkPlan) -> list[tuple[float, float]]:
    return sorted({(a.start_s, a.end_s) for a in made.appearances.values() if a})


def test_a_track_that_goes_on_over_a_segment_border_is_one_appearance() -> None:
    first = segment(0, (look(59.0, 59.96), [face("anna", 59.0)]))
    second = segment(1, (look(60.0, 61.0), [face("anna", 60.0)]))
    assert spans(plan(first, second)) == [(59.0, 61.0)]


def test_a_gap_over_the_border_is_bridged_only_within_the_limit() -> None:
    first = segment(0, (look(58.0, 58.5), [face("anna", 58.0)]))
    near = segment(1, (look(60.2, 61.0), [face("anna", 60.2)]))
    far = segment(1, (look(60.8, 61.0), [face("anna", 60.8)]))
    assert spans(plan(first, near)) == [(58.0, 61.0)]
    assert spans(plan(first, far)) == [(58.0, 58.5), (60.8, 61.0)]


def test_somebody_else_after_the_border_ends_the_appearance() -> None:
    first = segment(0, (look(59.0, 59.96), [face("anna", 59.0)]))
    second = segment(
        1,
        (look(60.0, 60.4), [face("bert", 60.0)]),
        (look(60.5, 61.0), [face("anna", 60.5)]),
    )
    assert spans(plan(first, second)) == [(59.0, 59.96), (60.0, 60.4), (60.5, 61.0)]


def test_an_appearance_can_last_over_many_segments() -> None:
    parts = [
        segment(n, (look(60.0 * n, 60.0 * n + 59.96), [face("anna", 60.0 * n)])) for n in range(5)
    ]
    made = plan(*parts)
    assert spans(made) == [(0.0, 299.96)]
    assert sum(a is not None for a in made.appearances.values()) == SETTINGS.max_faces
    assert len(made.surplus) == 2


def test_an_empty_segment_shorter_than_the_gap_does_not_end_it() -> None:
    parts = []
    for number, at_s in ((0, 0.9), (1, None), (2, 2.1)):
        looks = [] if at_s is None else [(look(at_s), [face("anna", at_s)])]
        made, faces = segment(number, *looks)
        span = SegmentSpan(number, float(number), number + 1.0)
        parts.append((replace(made, span=span), faces))
    assert spans(plan(*parts)) == [(0.9, 2.1)]


def test_a_segment_without_anybody_ends_it() -> None:
    first = segment(0, (look(59.9), [face("anna", 59.9)]))
    third = segment(2, (look(120.0), [face("anna", 120.0)]))
    assert len(spans(plan(first, segment(1), third))) == 2
    assert len(spans(plan(first, third))) == 2


def test_the_order_of_segments_and_faces_does_not_matter() -> None:
    first = segment(0, (look(59.0, 59.96), [face("anna", 59.0), face("bert", 59.0, RIGHT)]))
    second = segment(1, (look(60.0), [face("bert", 60.0, RIGHT), face("anna", 60.0)]))
    assert plan(first, second).appearances == plan(second, first).appearances


def test_planning_again_over_what_was_kept_changes_nothing() -> None:
    looks = [(look(float(t)), [face("anna", float(t), likeness=0.8)]) for t in range(8)]
    part = segment(0, *looks)
    once = plan(part)
    kept = [f for f in part[1] if f.id not in once.surplus]
    again = plan((part[0], kept))
    assert len(kept) == SETTINGS.max_faces
    assert again.appearances == once.appearances
    assert again.surplus == ()


def test_a_labelled_face_is_never_surplus() -> None:
    looks = [(look(float(t)), [face("anna", float(t), likeness=0.8)]) for t in range(8)]
    part = segment(0, *looks)
    worst = next(f for f in part[1] if f.id in plan(part).surplus)
    assert worst.id in plan(part, labels=[label(worst, "Anna")]).appearances


def test_faces_of_an_older_run_are_surplus() -> None:
    part = segment(0, (look(1.0), [face("anna", 1.0)]))
    old = face("anna", 7.0)
    made = plan((part[0], [*part[1], old]))
    assert made.surplus == (old.id,)


def test_faces_of_a_failed_segment_stay() -> None:
    done = segment(0, (look(1.0), [face("anna", 1.0)]))
    failed = Segment(MEDIA_ID, SegmentSpan(1, 60.0, 120.0), "failed")
    old = replace(
        face("bert", 70.0),
        appearance_id="old",
        appearance_start_s=69.0,
        appearance_end_s=71.0,
    )
    for made in (plan(done, (failed, [old])), plan((failed, [old]))):
        assert made.surplus == ()
        assert made.appearances[old.id] == Appearance("old", 69.0, 71.0)


def test_a_photo_keeps_all_faces_without_appearances() -> None:
    photo = Segment(MEDIA_ID, SegmentSpan(0), "done")
    faces = [face("anna", 0.0, LEFT), face("bert", 0.0, RIGHT)]
    assert plan((photo, faces)) == LinkPlan({f.id: None for f in faces}, ())


def test_the_most_typical_face_comes_first_and_the_next_differs_from_it() -> None:
    typical = [face("anna", float(t), likeness=0.95) for t in range(4)]
    profile = face("anna", 9.0, likeness=0.5)
    first, second = best_faces([profile, *typical], 2)
    assert first in typical
    assert second == profile


def test_of_two_differing_faces_the_better_one_is_kept() -> None:
    typical = [face("anna", float(t), likeness=0.95) for t in range(4)]
    blurred = replace(face("anna", 8.0, likeness=0.5), sharpness=5.0)
    sharp = face("anna", 9.0, likeness=0.5)
    assert best_faces([blurred, *typical, sharp], 2)[1] == sharp


def test_all_faces_of_a_short_run_are_kept() -> None:
    run = [face("anna", float(t)) for t in range(2)]
    assert sorted(f.id for f in best_faces(run, 5)) == sorted(f.id for f in run)
    assert best_faces([], 5) == []


@pytest.mark.parametrize(
    "worse",
    [
        {"probability": 0.9},
        {"face_px": 45.0},
        {"sharpness": 20.0},
        {"landmarks_xy": ((40, 40), (60, 40), (40, 50), (45, 60), (55, 60))},
    ],
)
def test_quality_falls_with_doubt_size_blur_and_profile(worse: dict) -> None:
    good = face("anna")
    assert quality(replace(good, **worse)) < quality(good) <= 1.0


def test_coinciding_eyes_do_not_break_quality() -> None:
    assert quality(replace(face("anna"), landmarks_xy=((5.0, 5.0),) * 5)) > 0
