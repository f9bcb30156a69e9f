"""Segments: starting media, claiming work, and losing claims."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from indexer.errors import ClaimLost
from indexer.records import SegmentCounts, SegmentSpan
from tests.engines.builders import (
    MODEL,
    axis,
    claim,
    finish,
    link,
    make_face,
    photo,
    present,
    start,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index

MINUTES = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0, 120.0), SegmentSpan(2, 120.0))
VIDEO = video("v")


def states(index: Index) -> list[str]:
    return [segment.state for segment in index.list_segments(VIDEO.id)]


def test_a_started_media_has_one_pending_segment_for_each_span(index: Index) -> None:
    index.start_media(VIDEO, MINUTES)
    segments = index.list_segments(VIDEO.id)
    assert [segment.span for segment in segments] == list(MINUTES)
    assert states(index) == ["pending", "pending", "pending"]
    assert {segment.attempts for segment in segments} == {0}


def test_starting_again_under_the_same_options_disturbs_nothing(index: Index) -> None:
    segment = start(index, VIDEO, MINUTES)
    finish(index, segment)
    index.start_media(VIDEO, MINUTES[:1])
    assert states(index) == ["done", "pending", "pending"]


def test_starting_again_under_other_options_starts_anew(index: Index) -> None:
    segment = start(index, VIDEO, MINUTES)
    index.start_media(replace(VIDEO, options="b"), MINUTES[:2])
    assert states(index) == ["pending", "pending"]
    with pytest.raises(ClaimLost):
        finish(index, segment)


@pytest.mark.parametrize("failed", [False, True])
def test_a_finished_media_starts_anew_and_keeps_its_faces_meanwhile(
    index: Index, failed: bool
) -> None:
    segment = start(index, VIDEO, MINUTES[1:])
    finish(index, segment, [make_face(VIDEO, axis(0), at_s=70.0, segment=1)])
    last = claim(index, VIDEO)
    index.fail_segment(last, "broken") if failed else finish(index, last)
    assert link(index, VIDEO).state == ("failed" if failed else "done")

    index.start_media(VIDEO, MINUTES[1:])
    media = index.get_media(VIDEO.id)
    assert media is not None
    assert (media.state, media.error, media.indexed_at) == ("working", None, None)
    assert [(s.state, s.attempts, s.error) for s in index.list_segments(VIDEO.id)] == [
        ("pending", 0, None)
    ] * 2
    assert index.count() == 1
    finish(index, claim(index, VIDEO))
    assert index.count() == 0


def test_segments_are_listed_by_their_state(index: Index) -> None:
    finish(index, start(index, VIDEO, MINUTES))
    claimed = claim(index, VIDEO)
    done, taken, pending = index.list_segments(VIDEO.id)
    assert index.list_segments(VIDEO.id, states=["pending", "claimed"]) == [taken, pending]
    assert taken == claimed
    assert index.list_segments(VIDEO.id, states=["done"]) == [done]
    assert index.list_segments(VIDEO.id, states=["failed"]) == []
    assert index.list_segments("unknown", states=["done"]) == []


def test_a_claim_takes_the_first_free_segment_and_raises_its_attempts(index: Index) -> None:
    index.start_media(VIDEO, MINUTES)
    before = datetime.now(timezone.utc)
    first, second = claim(index, VIDEO, "ann", 60.0), claim(index, VIDEO, "bob", 60.0)
    assert (first.span.number, first.owner, first.attempts) == (0, "ann", 1)
    assert (second.span.number, second.owner, second.attempts) == (1, "bob", 1)
    assert first.state == "claimed"
    assert first.lease_until is not None
    in_a_minute = before + timedelta(seconds=60)
    assert in_a_minute <= first.lease_until <= datetime.now(timezone.utc) + timedelta(seconds=60)
    assert index.list_segments(VIDEO.id)[0] == first


def test_nothing_is_claimed_where_nothing_is_free(index: Index) -> None:
    assert index.claim_segment("unknown", owner="a", lease_s=60, max_attempts=3) is None
    finish(index, start(index, VIDEO, MINUTES[:2]))
    claim(index, VIDEO)
    assert index.claim_segment(VIDEO.id, owner="a", lease_s=60, max_attempts=3) is None


def test_a_segment_whose_lease_has_run_out_is_claimed_by_another(index: Index) -> None:
    index.start_media(VIDEO, MINUTES[:1])
    lost = claim(index, VIDEO, "ann", lease_s=-1.0)
    taken = claim(index, VIDEO, "bob")
    assert (taken.span, taken.owner, taken.attempts) == (MINUTES[0], "bob", 2)
    for attempt in (
        lambda: index.renew_claim(lost, lease_s=60),
        lambda: index.fail_segment(lost, "broken"),
        lambda: finish(index, lost, [make_face(VIDEO, axis(0))]),
    ):
        with pytest.raises(ClaimLost):
            attempt()
    assert index.list_segments(VIDEO.id) == [taken]
    assert index.count() == 0


def test_the_same_owner_loses_an_older_claim_to_a_newer_one(index: Index) -> None:
    index.start_media(VIDEO, MINUTES[:1])
    older, newer = claim(index, VIDEO, lease_s=-1.0), claim(index, VIDEO)
    with pytest.raises(ClaimLost):
        finish(index, older)
    finish(index, newer)


def test_a_claim_past_its_lease_is_held_until_another_takes_it(index: Index) -> None:
    index.start_media(VIDEO, MINUTES[:1])
    segment = claim(index, VIDEO, lease_s=-1.0)
    index.renew_claim(segment, lease_s=60.0)
    assert index.claim_segment(VIDEO.id, owner="bob", lease_s=60, max_attempts=3) is None
    index.renew_claim(segment, lease_s=-1.0)
    index.adopt_model(MODEL)
    finish(index, segment)
    assert states(index) == ["done"]


def test_a_segment_attempted_too_often_fails_and_the_next_one_is_claimed(index: Index) -> None:
    index.start_media(VIDEO, MINUTES[:2])
    for attempt in (1, 2):
        segment = index.claim_segment(VIDEO.id, owner="a", lease_s=-1.0, max_attempts=2)
        assert segment is not None
        assert (segment.span.number, segment.attempts) == (0, attempt)
    segment = index.claim_segment(VIDEO.id, owner="a", lease_s=60.0, max_attempts=2)
    assert segment is not None
    assert segment.span.number == 1
    given_up = index.list_segments(VIDEO.id)[0]
    assert (given_up.state, given_up.attempts, given_up.owner) == ("failed", 2, None)
    assert "2 attempts" in (given_up.error or "")


def test_a_failed_segment_says_why_and_is_not_claimed_again(index: Index) -> None:
    index.start_media(VIDEO, MINUTES[:1])
    index.fail_segment(claim(index, VIDEO), "moov atom not found in /p/\udcff.mp4")
    failed = index.list_segments(VIDEO.id)[0]
    assert (failed.state, failed.owner, failed.lease_until) == ("failed", None, None)
    assert failed.error == "moov atom not found in /p/\udcff.mp4"
    assert index.claim_segment(VIDEO.id, owner="a", lease_s=60, max_attempts=3) is None


def test_owners_of_claims_are_told_once_each(index: Index) -> None:
    index.start_media(VIDEO, MINUTES)
    assert index.claim_owners() == ()
    for owner in ("host/2/0", "host/1/0", "host/2/0"):
        claim(index, VIDEO, owner)
    assert sorted(index.claim_owners()) == ["host/1/0", "host/2/0"]


def test_released_claims_are_pending_again_and_keep_their_attempts(index: Index) -> None:
    index.start_media(VIDEO, MINUTES)
    mine, theirs = claim(index, VIDEO, "me"), claim(index, VIDEO, "them")
    assert index.release_claims("me") == 1
    assert index.release_claims("me") == 0
    released, kept, _ = index.list_segments(VIDEO.id)
    assert (released.state, released.attempts, released.owner) == ("pending", 1, None)
    assert kept == theirs
    with pytest.raises(ClaimLost):
        index.renew_claim(mine, lease_s=60.0)
    assert claim(index, VIDEO, "me").attempts == 2


def test_a_finished_segment_keeps_its_counts_and_tracks(index: Index) -> None:
    segment = start(index, VIDEO, MINUTES)
    counts = SegmentCounts(frames=1500, key_frames=30, faces=12, decode_errors=2)
    index.finish_segment(segment, [], tracks=b"tracks", counts=counts)
    done = index.list_segments(VIDEO.id)[0]
    assert (done.state, done.owner, done.lease_until) == ("done", None, None)
    assert (done.counts, done.tracks, done.attempts) == (counts, b"tracks", 1)


def test_finishing_a_segment_twice_changes_nothing(index: Index) -> None:
    segment = start(index, photo("p"))
    face = make_face(photo("p"), axis(0))
    finish(index, segment, [face])
    with pytest.raises(ClaimLost):
        finish(index, segment, [])
    assert present(index, face).id == face.id


def test_a_deleted_media_takes_its_claims_with_it(index: Index) -> None:
    segment = start(index, VIDEO, MINUTES)
    index.delete_media([VIDEO.id])
    with pytest.raises(ClaimLost, match=VIDEO.id):
        finish(index, segment, [make_face(VIDEO, axis(0))])
    assert (index.claim_owners(), index.count()) == ((), 0)


def test_workers_at_the_same_time_never_claim_the_same_segment(
    open_again: Callable[[], Index],
) -> None:
    numbers, workers = range(12), [open_again() for _ in range(4)]
    workers[0].start_media(VIDEO, [SegmentSpan(n, 60.0 * n, 60.0 * (n + 1)) for n in numbers])
    barrier = threading.Barrier(len(workers))

    def claim_all(worker: int) -> list[int]:
        """Claim what is free, each time at the same moment as the others."""
        claimed = []
        for _ in range(len(numbers) // len(workers)):
            barrier.wait(timeout=60)
            segment = claim(workers[worker], VIDEO, owner=f"host/{worker}")
            assert (segment.owner, segment.attempts) == (f"host/{worker}", 1)
            claimed.append(segment.span.number)
        return claimed

    with ThreadPoolExecutor(len(workers)) as pool:
        claimed = list(pool.map(claim_all, range(len(workers))))
    assert sorted(number for of_one in claimed for number in of_one) == list(numbers)
    stored = workers[0].list_segments(VIDEO.id)
    assert all(stored[n].owner == f"host/{w}" for w, of_one in enumerate(claimed) for n in of_one)
