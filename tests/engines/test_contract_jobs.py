"""Queued media: batches, and what is listed and counted of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from indexer.errors import ClaimLost
from indexer.records import SegmentSpan
from tests.engines.batches import (
    FIRST,
    LONG_AGO,
    MINUTES,
    SECOND,
    VIDEO,
    counts,
    everything,
    stored,
)
from tests.engines.builders import (
    MODEL,
    add_photo,
    claim,
    finish,
    link,
    photo,
    start,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index

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
