"""Several workers on one video: each segment is done once, and who lost a claim changes nothing."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from itertools import count
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.errors import ClaimLost
from indexer.tracks import pack_tracks
from tests.clips import BROWN, GREY, clip, shot
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.contents import contents, differences, put_back
from tests.elasticsearch.dying import interrupted_before
from tests.elasticsearch.ingests import completed, ingest_process
from tests.engines.builders import (
    MODEL,
    WHOLE,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    make_track,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

    from indexer.engines.base import Index
    from indexer.records import Face, Segment

WORKERS = 3
SHARED = video("shared")


def test_workers_that_share_a_video_end_with_what_one_worker_has(
    elasticsearch_url: str,
    location: str,
    tmp_path: Path,
    portraits: dict[str, np.ndarray],
    memory: Path,
) -> None:
    shots = [shot(portraits, "eileen", 22), shot(portraits, "", 3, BROWN)]
    clip(tmp_path / "long.mp4", *shots, shot(portraits, "grace", 20, GREY))
    with new_collection(elasticsearch_url) as alone:
        completed(alone, tmp_path, memory)
        expected = contents(alone)
    assert len(expected["segments-1"]) == 9
    with ExitStack() as stack:
        workers = [
            stack.enter_context(ingest_process(location, tmp_path, memory)) for _ in range(WORKERS)
        ]
        reports = [worker.answer() for worker in workers]
    assert [report.failed for report in reports] == [[]] * WORKERS
    found = contents(location)
    assert differences(found, expected) == []
    assert {segment["attempts"] for segment in found["segments-1"].values()} == {1}


@pytest.mark.parametrize("others_finish", ["at once", "afterwards"])
def test_who_has_lost_a_claim_overwrites_nothing(location: str, others_finish: str) -> None:
    with open_index(location, create=True, settings=SETTINGS) as index:
        index.adopt_model(MODEL)
        index.start_media(SHARED, WHOLE)
        index.label([make_label(seen_by_slow()[0], "Ann")])
        started = contents(location)
        take_over(index)()
        expected = contents(location)
        for number in count(1):
            put_back(location, started)
            slow = claim(index, SHARED, "slow", lease_s=0.0)
            finish_late: list[Callable[[], None]] = []

            def others(finish_late: list[Callable[[], None]] = finish_late) -> None:
                finish_late.append(take_over(index))
                if others_finish == "at once":
                    finish_late[0]()

            with interrupted_before(number, others) as requests, suppress(ClaimLost):
                finish_with_track(index, slow, seen_by_slow())
            if len(requests) < number:
                break
            if others_finish == "afterwards":
                finish_late[0]()
            assert differences(contents(location), expected) == [], requests
    assert number > 2


def seen_by_slow() -> list[Face]:
    return [make_face(SHARED, axis(0), at_s=1.0), make_face(SHARED, axis(1), at_s=2.0)]


def seen_by_others() -> list[Face]:
    """One face that the slow worker has found too, and one that it has not."""
    return [make_face(SHARED, axis(3), at_s=1.0), make_face(SHARED, axis(4), at_s=3.0)]


def take_over(index: Index) -> Callable[[], None]:
    """Claim the segment for another worker; return what finishes and links it."""
    segment = claim(index, SHARED, "other")

    def finish_and_link() -> None:
        finish_with_track(index, segment, seen_by_others())
        assert link(index, SHARED).state == "done"

    return finish_and_link


def finish_with_track(index: Index, segment: Segment, faces: list[Face]) -> None:
    track = make_track(faces, start_s=0.0, end_s=4.0)
    finish(index, segment, faces, tracks=pack_tracks([track], min_cosine=0.5))
