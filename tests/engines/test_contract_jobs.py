"""Queued media: batches, what is listed and counted of them, and cancelling."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines.jobs import CANCELLED
from indexer.errors import ClaimLost
from indexer.records import Deleted, SegmentCounts, SegmentSpan
from tests.engines.builders import (
    MODEL,
    add_photo,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    photo,
    put_path,
    start,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.job_records import BatchCounts
    from indexer.records import Media

MINUTES = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0, 120.0))
VIDEO = video("v")
LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)
FIRST, SECOND = "20240501T120000-1", "20240501T120000-2"


def stored(index: Index, media: Media) -> Media:
    found = index.get_media(media.id)
    assert found is not None
    return found


def counts(index: Index, batch: str) -> BatchCounts:
    (found,) = index.list_batches([batch], recent_since=LONG_AGO)
    return found


def everything(index: Index) -> list[Any]:
    """All that an index holds of media, their segments, files, faces and labels."""
    media = list(index.iter_media())
    faces = [(face, face.vector.tobytes()) for face in index.iter_faces(embeddings=True)]
    segments = [index.list_segments(each.id) for each in media]
    return [media, segments, list(index.iter_files()), faces, index.list_labels()]


def done_video(index: Index) -> list[Any]:
    """Index a labelled video of two segments in a batch; return what the index holds then."""
    put_path(index, VIDEO, "/v.mp4")
    index.adopt_model(MODEL)
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    for number in (0, 1):
        face = make_face(VIDEO, axis(number), at_s=60.0 * number + 1, segment=number)
        counts = SegmentCounts(1500, 30, 1, 2, 3, ("the file ends early \udcff",))
        index.finish_segment(claim(index, VIDEO), [face], tracks=b"", counts=counts)
    index.label([make_label(face, "Ann")])
    link(index, VIDEO)
    return everything(index)


# --- queueing ----------------------------------------------------------------------------------


def test_a_queued_media_waits_in_its_batch_with_its_segments_pending(index: Index) -> None:
    before = datetime.now(timezone.utc)
    assert index.queue_media(VIDEO, MINUTES, batch=FIRST)
    media = stored(index, VIDEO)
    assert (media.state, media.batch, media.options) == ("queued", FIRST, VIDEO.options)
    assert media.queued_at is not None
    assert before <= media.queued_at <= datetime.now(timezone.utc)
    assert [(s.span, s.state, s.attempts) for s in index.list_segments(VIDEO.id)] == [
        (span, "pending", 0) for span in MINUTES
    ]


def test_the_first_claim_makes_a_queued_media_a_working_one(index: Index) -> None:
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    claim(index, VIDEO)
    assert (stored(index, VIDEO).state, stored(index, VIDEO).batch) == ("working", FIRST)


def test_queueing_again_disturbs_nothing_and_says_so(index: Index) -> None:
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    queued = everything(index)
    assert not index.queue_media(VIDEO, MINUTES, batch=SECOND)
    assert everything(index) == queued
    segment = claim(index, VIDEO)
    assert not index.queue_media(VIDEO, MINUTES[:1], batch=SECOND)
    index.start_media(VIDEO, MINUTES[:1])
    assert index.list_segments(VIDEO.id)[0] == segment
    assert stored(index, VIDEO).batch == FIRST


def test_queueing_under_other_options_starts_anew_in_the_new_batch(index: Index) -> None:
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    segment = claim(index, VIDEO)
    assert index.queue_media(replace(VIDEO, options="b"), MINUTES[:1], batch=SECOND)
    assert (stored(index, VIDEO).state, stored(index, VIDEO).batch) == ("queued", SECOND)
    with pytest.raises(ClaimLost):
        finish(index, segment)


def test_a_queued_media_is_worked_on_and_linked_as_any_other(index: Index) -> None:
    index.adopt_model(MODEL)
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    assert link(index, VIDEO).state == "queued"
    finish(index, claim(index, VIDEO))
    assert link(index, VIDEO).state == "working"
    finish(index, claim(index, VIDEO))
    done = link(index, VIDEO)
    assert (done.state, done.batch) == ("done", FIRST)


def test_what_is_started_directly_is_in_no_batch(index: Index) -> None:
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    index.start_media(replace(VIDEO, options="b", batch=FIRST, queued_at=LONG_AGO), MINUTES)
    assert (stored(index, VIDEO).batch, stored(index, VIDEO).queued_at) == (None, None)
    assert index.list_batches([FIRST], recent_since=LONG_AGO) == []


def test_a_finished_segment_tells_when(index: Index) -> None:
    before = datetime.now(timezone.utc)
    finish(index, start(index, VIDEO, MINUTES))
    index.fail_segment(claim(index, VIDEO), "broken")
    for segment in index.list_segments(VIDEO.id):
        assert segment.finished_at is not None
        assert before <= segment.finished_at <= datetime.now(timezone.utc)
    index.start_media(VIDEO, MINUTES)
    assert {s.finished_at is None for s in index.list_segments(VIDEO.id)} == {False}
    link(index, VIDEO)
    index.start_media(VIDEO, MINUTES)
    assert {s.finished_at for s in index.list_segments(VIDEO.id)} == {None}


# --- listing and counting ----------------------------------------------------------------------


def test_media_are_listed_by_state_and_batch(index: Index) -> None:
    add_photo(index, "done", path="/done.jpg")
    for name, batch in (("a", FIRST), ("b", FIRST), ("c", SECOND)):
        index.queue_media(photo(name), [SegmentSpan(0)], batch=batch)
    claim(index, photo("b"))

    def ids(**wanted: Any) -> set[str]:
        return {media.id for media in index.iter_media(**wanted)}

    assert ids(states=["queued"]) == {photo("a").id, photo("c").id}
    assert ids(states=["working", "done"]) == {photo("b").id, photo("done").id}
    assert ids(batch=FIRST) == {photo("a").id, photo("b").id}
    assert ids(batch=FIRST, states=["queued"]) == {photo("a").id}
    assert ids(batch="unknown") == ids(states=["failed"]) == set()


def test_a_batch_counts_its_media_and_segments_by_state(index: Index) -> None:
    index.adopt_model(MODEL)
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    index.queue_media(photo("p"), [SegmentSpan(0)], batch=FIRST)
    index.queue_media(photo("other"), [SegmentSpan(0)], batch=SECOND)
    finish(index, claim(index, VIDEO))
    index.fail_segment(claim(index, photo("p")), "broken")
    link(index, photo("p"))
    claim(index, VIDEO)
    found = counts(index, FIRST)
    assert {s: n for s, n in found.media.items() if n} == {"working": 1, "failed": 1}
    assert {s: n for s, n in found.segments.items() if n} == {"done": 1, "claimed": 1, "failed": 1}
    assert found.recent == 2
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    assert index.list_batches([FIRST], recent_since=later)[0].recent == 0
    assert found.queued_at == stored(index, VIDEO).queued_at.replace(  # type: ignore[union-attr]
        microsecond=found.queued_at.microsecond
    )


def test_batches_are_listed_newest_first_and_by_pages(index: Index) -> None:
    names = [f"20240501T12000{n}-x" for n in range(5)]
    for number, batch in enumerate(names):
        index.queue_media(photo(f"p{number}"), [SegmentSpan(0)], batch=batch)

    def listed(**page: Any) -> list[str]:
        return [found.id for found in index.list_batches(recent_since=LONG_AGO, **page)]

    assert listed() == names[::-1]
    assert listed(limit=2) == [names[4], names[3]]
    assert listed(limit=2, before=names[3]) == [names[2], names[1]]
    assert listed(before=names[0]) == []
    assert listed(ids=[names[0], "unknown", names[2]]) == [names[2], names[0]]


def test_a_batch_without_media_is_gone(index: Index) -> None:
    index.queue_media(photo("p"), [SegmentSpan(0)], batch=FIRST)
    index.delete_media([photo("p").id])
    assert index.list_batches(recent_since=LONG_AGO) == []


# --- cancelling --------------------------------------------------------------------------------


def test_cancelling_removes_what_was_never_done_with_everything(index: Index) -> None:
    add_photo(index, "other", axis(2), path="/other.jpg")
    others = everything(index)
    put_path(index, VIDEO, "/v.mp4")
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    face = make_face(VIDEO, axis(0), at_s=1.0)
    finish(index, claim(index, VIDEO), [face])
    index.label([make_label(face, "Ann")])
    held = claim(index, VIDEO)

    cancelled = index.cancel_media([VIDEO.id])
    assert (cancelled.removed, cancelled.restored, cancelled.cut_short) == ((VIDEO.id,), (), ())
    assert cancelled.deleted == Deleted(media=1, faces=1, labels=1)
    assert everything(index) == others
    assert index.claim_owners() == ()
    with pytest.raises(ClaimLost):
        finish(index, held, [make_face(VIDEO, axis(0), at_s=61.0, segment=1)])
    assert index.count() == 1


@pytest.mark.parametrize("begun", ["queued", "claimed", "failed"])
def test_cancelling_restores_a_done_media_of_which_nothing_is_new_yet(
    index: Index, begun: str
) -> None:
    before = done_video(index)
    index.queue_media(replace(VIDEO, options="b"), [SegmentSpan(0)], batch=SECOND)
    held = None if begun == "queued" else claim(index, VIDEO)
    if held is not None and begun == "failed":
        index.fail_segment(held, "broken")

    assert index.cancel_media([VIDEO.id]).restored == (VIDEO.id,)
    assert everything(index) == before
    assert stored(index, VIDEO).state == "done"
    assert index.list_batches([SECOND], recent_since=LONG_AGO) == []
    if held is not None:
        with pytest.raises(ClaimLost):
            finish(index, held, [])
    assert everything(index) == before
    assert link(index, VIDEO).state == "done"


def test_a_restored_media_can_be_done_anew(index: Index) -> None:
    done_video(index)
    index.queue_media(replace(VIDEO, options="b"), [SegmentSpan(0)], batch=SECOND)
    index.cancel_media([VIDEO.id])
    index.queue_media(replace(VIDEO, options="b"), [SegmentSpan(0)], batch=SECOND)
    new = make_face(VIDEO, axis(3), at_s=100.0, x=200.0)
    finish(index, claim(index, VIDEO), [new])
    assert link(index, VIDEO).state == "done"
    assert [face.id for face in index.iter_faces()] == [new.id]


def test_cancelling_restores_a_failed_media_that_is_tried_again(index: Index) -> None:
    index.queue_media(VIDEO, MINUTES[:1], batch=FIRST)
    index.fail_segment(claim(index, VIDEO), "moov atom not found in \udcff.mp4")
    failed = link(index, VIDEO)
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    assert stored(index, VIDEO).state == "queued"
    index.cancel_media([VIDEO.id])
    assert stored(index, VIDEO) == failed


def test_cancelling_restores_what_was_queued_twice_under_changing_options(index: Index) -> None:
    before = done_video(index)
    index.queue_media(replace(VIDEO, options="b"), MINUTES, batch=SECOND)
    claim(index, VIDEO)
    index.queue_media(replace(VIDEO, options="c"), MINUTES[:1], batch=SECOND)
    index.cancel_media([VIDEO.id])
    assert everything(index) == before


@pytest.mark.parametrize("twice", [False, True])
def test_cancelling_too_late_keeps_the_old_faces_of_the_segments_not_reached(
    index: Index, twice: bool
) -> None:
    done_video(index)
    index.queue_media(replace(VIDEO, options="b"), MINUTES, batch=SECOND)
    new = make_face(VIDEO, axis(3), at_s=2.0)
    finish(index, claim(index, VIDEO), [new])
    if twice:
        index.queue_media(replace(VIDEO, options="c"), MINUTES, batch=SECOND)
    held = claim(index, VIDEO)

    assert index.cancel_media([VIDEO.id]).cut_short == (VIDEO.id,)
    with pytest.raises(ClaimLost):
        finish(index, held, [])
    media = link(index, VIDEO)
    assert (media.state, media.error) == ("failed", CANCELLED)
    faces = list(index.iter_faces())
    assert [(face.timestamp_s, face.person) for face in faces] == [(2.0, None), (61.0, "Ann")]
    assert len(index.list_labels()) == 1
    assert index.cancel_media([VIDEO.id]).cut_short == ()


def test_cancelling_ignores_what_is_not_in_progress(index: Index) -> None:
    before = done_video(index)
    index.fail_segment(start(index, photo("p")), "broken")
    link(index, photo("p"))
    put_path(index, photo("unstarted"), "/unstarted.jpg")
    before = everything(index)
    cancelled = index.cancel_media([VIDEO.id, photo("p").id, photo("unstarted").id, "unknown"])
    assert (cancelled.removed, cancelled.restored, cancelled.cut_short) == ((), (), ())
    assert everything(index) == before


def test_several_media_are_cancelled_together(index: Index) -> None:
    before = done_video(index)
    index.queue_media(replace(VIDEO, options="b"), MINUTES, batch=SECOND)
    for name in "abc":
        index.queue_media(photo(name), [SegmentSpan(0)], batch=SECOND)
    ids = [media.id for media in index.iter_media(batch=SECOND)]
    cancelled = index.cancel_media([*ids, *ids])
    assert sorted(cancelled.removed) == sorted(photo(name).id for name in "abc")
    assert cancelled.restored == (VIDEO.id,)
    assert everything(index) == before
