"""Finishing segments and linking media: what is stored, and when a media counts as done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import ModelMismatch, NotFound, UsageError
from indexer.records import Filters, SegmentSpan
from indexer.settings import AppearanceSettings
from indexer.tracks import pack_tracks
from tests.engines.builders import (
    MODEL,
    add_photo,
    add_video,
    at_cosine,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    make_track,
    photo,
    present,
    start,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index

MINUTES = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0))
VIDEO = video("v")


def test_faces_are_searchable_before_the_media_is_done_and_it_says_so(index: Index) -> None:
    segment = start(index, VIDEO, MINUTES)
    face = make_face(VIDEO, axis(0), at_s=1.0)
    finish(index, segment, [face])
    assert [hit.face.id for hit in index.search(axis(0), 5)] == [face.id]
    assert [group.media.state for group in index.search_groups(axis(0)[None], 5)] == ["working"]
    assert present(index, face).appearance_id is None


def test_a_segment_replaces_all_faces_of_its_time_span_and_no_others(index: Index) -> None:
    first = start(index, VIDEO, MINUTES)
    kept = make_face(VIDEO, axis(0), at_s=59.9)
    finish(index, first, [kept])
    gone = [make_face(VIDEO, axis(1), at_s=t, segment=1) for t in (60.0, 61.0)]
    finish(index, claim(index, VIDEO), gone)
    link(index, VIDEO)

    index.start_media(replace(VIDEO, options="b"), MINUTES)
    finish(index, claim(index, VIDEO), [kept])
    new = make_face(VIDEO, axis(2), at_s=60.0, segment=1)
    assert index.count() == 3
    finish(index, claim(index, VIDEO), [new])
    assert [face.id for face in index.iter_faces()] == [kept.id, new.id]
    assert index.search(axis(2), 1)[0].score == 1.0
    assert [hit.score for hit in index.search(axis(1), 5)] == [0.0, 0.0]


def test_a_face_found_again_is_stored_once(index: Index) -> None:
    before = add_photo(index, "p", axis(0))[0]
    after = add_photo(index, "p", axis(1))[0]
    assert before.id == after.id
    assert index.count() == 1
    assert [hit.score for hit in index.search(axis(1), 5)] == [1.0]


def test_a_face_that_does_not_fit_is_refused_and_nothing_is_stored(index: Index) -> None:
    segment = start(index, VIDEO, MINUTES)
    fitting = make_face(VIDEO, axis(0), at_s=1.0)
    refused = {
        UsageError: [
            make_face(video("another"), axis(0), at_s=1.0),
            make_face(VIDEO, axis(0), at_s=60.0),
            make_face(VIDEO, axis(0, dimensions=9), at_s=1.0),
            make_face(VIDEO, axis(0) * np.float32(2.0), at_s=1.0),
            make_face(VIDEO, axis(0) * np.float32(np.nan), at_s=1.0),
            make_face(VIDEO, axis(0), at_s=1.0, thumbnail=None),
        ],
        ModelMismatch: [make_face(VIDEO, axis(0), at_s=1.0, model="tiny-other")],
    }
    for error, faces in refused.items():
        for face in faces:
            with pytest.raises(error):
                finish(index, segment, [fitting, face])
            assert (index.count(), index.list_segments(VIDEO.id)[0]) == (0, segment)
    finish(index, segment, [fitting])


def test_faces_without_an_adopted_model_are_refused(index: Index) -> None:
    index.start_media(VIDEO, MINUTES)
    with pytest.raises(ModelMismatch):
        finish(index, claim(index, VIDEO), [make_face(VIDEO, axis(0))])


def test_a_photo_is_done_once_it_is_linked_and_its_faces_have_no_appearance(index: Index) -> None:
    media = photo("p")
    finish(index, start(index, media), [make_face(media, axis(0))])
    linked = index.link_appearances(media.id, AppearanceSettings(), warnings=["no date", "\udcff"])
    assert (linked.state, linked.error, linked.warnings) == ("done", None, ("no date", "\udcff"))
    assert linked.indexed_at is not None
    assert index.get_media(media.id) == linked
    assert [face.appearance_id for face in index.iter_faces()] == [None]


def test_a_media_stays_working_while_a_segment_is_pending_or_claimed(index: Index) -> None:
    segment = start(index, VIDEO, MINUTES)
    assert link(index, VIDEO).state == "working"
    face = make_face(VIDEO, axis(0), at_s=1.0)
    track = make_track([face], start_s=1.0, end_s=2.0)
    finish(index, segment, [face], tracks=pack_tracks([track], min_cosine=0.5))
    assert link(index, VIDEO).state == "working"
    last = claim(index, VIDEO)
    assert link(index, VIDEO).state == "working"
    assert index.list_segments(VIDEO.id)[0].tracks != b""
    finish(index, last)
    assert link(index, VIDEO).state == "done"
    assert present(index, face).appearance_start_s == 1.0


def test_linking_gives_faces_their_appearance_and_drops_the_tracks(index: Index) -> None:
    ann, bob = add_video(index, "v", (1.0, 4.5, [axis(0), axis(0)]), (2.0, 9.25, [axis(1)]))
    first, second, other = (present(index, face) for face in (*ann, *bob))
    assert first.appearance_id == second.appearance_id != other.appearance_id
    assert (first.appearance_start_s, first.appearance_end_s) == (1.0, 4.5)
    assert (other.appearance_start_s, other.appearance_end_s) == (2.0, 9.25)
    assert [segment.tracks for segment in index.list_segments(VIDEO.id)] == [b""]
    assert index.stats()["appearances"] == 2


def test_an_appearance_over_two_segments_is_one(index: Index) -> None:
    faces = [make_face(VIDEO, axis(0), at_s=t, segment=int(t // 60)) for t in (58.0, 61.0)]
    segment = start(index, VIDEO, MINUTES)
    for face, end_s in zip(faces, (60.0, 65.0), strict=True):
        track = replace(make_track([face], start_s=face.timestamp_s, end_s=end_s), still_open=True)
        finish(index, segment, [face], tracks=pack_tracks([track], min_cosine=0.5))
        segment = claim(index, VIDEO) if face is faces[0] else segment
    link(index, VIDEO)
    spans = [(f.appearance_start_s, f.appearance_end_s) for f in index.iter_faces()]
    assert spans == [(58.0, 65.0), (58.0, 65.0)]
    assert index.stats()["appearances"] == 1


def test_linking_deletes_the_faces_beyond_the_best_of_an_appearance(index: Index) -> None:
    vectors = [at_cosine(0.9, towards) for towards in range(1, 8)]
    (faces,) = add_video(index, "v", (0.0, 7.0, vectors))
    kept = {face.id for face in index.iter_faces()}
    assert len(kept) == AppearanceSettings().max_faces == 5
    surplus = next(face for face in faces if face.id not in kept)
    assert index.thumbnail(surplus.id) is None
    assert surplus.id not in {hit.face.id for hit in index.search(surplus.vector, 10)}


def test_linking_again_changes_nothing(index: Index) -> None:
    add_video(index, "v", (0.0, 4.0, [axis(0)] * 2))
    before = index.get_media(VIDEO.id), list(index.iter_faces())
    again = index.link_appearances(VIDEO.id, AppearanceSettings(max_faces=1), warnings=["new"])
    assert (again, list(index.iter_faces())) == before


def test_a_media_with_a_failed_segment_is_failed_with_the_first_error(index: Index) -> None:
    spans = (*MINUTES[:1], SegmentSpan(1, 60.0, 120.0), SegmentSpan(2, 120.0))
    segment = start(index, VIDEO, spans)
    face = make_face(VIDEO, axis(0), at_s=1.0)
    finish(index, segment, [face])
    for error in ("the first", "the second"):
        index.fail_segment(claim(index, VIDEO), error)
    linked = link(index, VIDEO)
    assert (linked.state, linked.error) == ("failed", "the first")
    assert present(index, face).id == face.id


def test_linking_an_unknown_media_is_refused(index: Index) -> None:
    with pytest.raises(NotFound, match=VIDEO.id):
        link(index, VIDEO)


def test_labels_name_the_faces_of_a_segment_as_soon_as_it_is_finished(index: Index) -> None:
    face = make_face(VIDEO, axis(0), at_s=1.0)
    index.label([make_label(face, "Ann")])
    finish(index, start(index, VIDEO, MINUTES), [face])
    assert present(index, face).person == "Ann"


def test_labels_survive_redetection(index: Index) -> None:
    (ann,) = add_video(index, "v", (1.0, 5.0, [axis(0), axis(0)]))
    index.label([make_label(ann[0], "Ann")])

    index.start_media(replace(VIDEO, options="b"), [SegmentSpan(0)])
    moved = [make_face(VIDEO, axis(0), at_s=face.timestamp_s, x=12.0) for face in ann]
    tracks = pack_tracks([make_track(moved, start_s=1.0, end_s=5.0)], min_cosine=0.5)
    finish(index, claim(index, VIDEO), moved, tracks=tracks)
    link(index, VIDEO)
    assert {face.id for face in index.iter_faces()} == {face.id for face in moved}
    assert index.count(Filters(persons=("Ann",))) == 2


def test_a_name_spreads_over_the_appearance_once_it_is_linked(index: Index) -> None:
    faces = [make_face(VIDEO, axis(0), at_s=t) for t in (1.0, 2.0)]
    segment = start(index, VIDEO)
    tracks = pack_tracks([make_track(faces, start_s=1.0, end_s=3.0)], min_cosine=0.5)
    finish(index, segment, faces, tracks=tracks)
    index.label([make_label(faces[0], "Ann")])
    assert [present(index, face).person for face in faces] == ["Ann", None]
    link(index, VIDEO)
    assert [present(index, face).person for face in faces] == ["Ann", "Ann"]
    assert present(index, faces[0]).model == MODEL.key
