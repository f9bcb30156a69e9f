"""Cancelling: what was never done leaves nothing, what was done is what it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer.engines.jobs import CANCELLED
from indexer.errors import ClaimLost
from indexer.records import Deleted, SegmentSpan
from tests.engines.batches import (
    FIRST,
    LONG_AGO,
    MINUTES,
    SECOND,
    VIDEO,
    done_video,
    everything,
    stored,
)
from tests.engines.builders import (
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
)

if TYPE_CHECKING:
    from indexer.engines.base import Index


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
