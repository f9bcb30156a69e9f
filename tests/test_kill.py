"""Killed, crowded and starved runs lose nothing: the next one ends with the same index."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import open_index
from indexer.errors import StorageFull
from indexer.work import MAX_ATTEMPTS
from tests.clips import BROWN, GREY, clip, documents, photo, shot, still
from tests.ingest_process import IngestProcess, finished_segments, ingested, wait_until

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from indexer.engines.base import Index
    from indexer.records import Segment

KILLS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory, portraits) -> Path:
    """Two videos of four segments each, and eight photos around them."""
    folder = tmp_path_factory.mktemp("media")
    for name, first, second in (("b.mp4", "eileen", "grace"), ("f.mp4", "grace", "eileen")):
        shots = shot(portraits, first, 9), shot(portraits, "", 2, BROWN)
        clip(folder / name, *shots, shot(portraits, second, 8, GREY))
    for number, name in enumerate("acdegh"):
        people = ("eileen", "grace")[: 1 + number % 2]
        photo(folder / f"{name}.png", still(portraits, *people, shift=number))
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder, tmp_path_factory) -> list[Any]:
    """What the index holds after a run that nothing disturbs."""
    location = tmp_path_factory.mktemp("index") / "faces.sightings"
    report = ingested(location, folder)
    assert len(report.done) == 8
    return held(location)


def held(location: Path) -> list[Any]:
    with open_index(location) as index:
        assert index.claim_owners() == ()
        return documents(index)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_kills_at_any_moment_the_index_is_that_of_an_undisturbed_run(
    tmp_path, folder, undisturbed, seed: int
) -> None:
    location = tmp_path / "faces.sightings"
    chance = np.random.default_rng(seed)
    open_index(location, create=True).close()
    with open_index(location) as index:
        for _ in range(KILLS):
            done = finished_segments(index)
            with IngestProcess(location, folder) as process:
                # What was killed is done next, so that no part is ever killed twice.
                wait_until(lambda: finished_segments(index) > done or not process.runs)  # noqa: B023
                time.sleep(chance.uniform(0, 0.12))
    last = ingested(location, folder)
    assert (last.failed, last.waiting, last.lost_labels) == ([], [], [])
    assert held(location) == undisturbed


def test_nothing_is_done_twice_when_a_killed_run_goes_on(tmp_path, folder, undisturbed) -> None:
    location = tmp_path / "faces.sightings"
    assert ingested(location, folder, dies_at="f.mp4") is None
    with open_index(location) as index:
        media = {each.path: each for each in index.iter_media()}
        before = {path: each.indexed_at for path, each in media.items() if each.state == "done"}
        assert media[str(folder / "f.mp4")].state == "working"
        assert before
        assert len(index.claim_owners()) == 1
        in_hand = {key for key, segment in segments_of(index).items() if segment.owner}
        assert str(folder / "f.mp4") in {path for path, _ in in_hand}
    report = ingested(location, folder)
    assert report.skipped == sorted(before)
    assert report.done == sorted({str(path) for path in folder.iterdir()} - before.keys())
    with open_index(location) as index:
        after = {each.path: each.indexed_at for each in index.iter_media()}
        again = {key for key, segment in segments_of(index).items() if segment.attempts == 2}
        assert {segment.attempts for segment in segments_of(index).values()} == {1, 2}
    assert before.items() <= after.items()
    assert again == in_hand
    assert held(location) == undisturbed


def segments_of(index: Index) -> dict[tuple[str, int], Segment]:
    return {
        (media.path, segment.span.number): segment
        for media in index.iter_media()
        for segment in index.list_segments(media.id)
    }


def test_what_takes_its_worker_down_again_and_again_is_given_up(tmp_path, folder) -> None:
    location = tmp_path / "faces.sightings"
    for _ in range(MAX_ATTEMPTS):
        assert ingested(location, folder, dies_at="c.png") is None
    report = ingested(location, folder, dies_at="c.png")
    (text,) = report.failed
    assert text.startswith(f"{folder / 'c.png'}: Given up after {MAX_ATTEMPTS} attempts")
    assert len(report.done) + len(report.skipped) == 7
    (again,) = ingested(location, folder).failed
    assert again.startswith(f"{folder / 'c.png'} failed before")


def test_two_runs_at_the_same_time_share_the_work(tmp_path, folder, undisturbed) -> None:
    location = tmp_path / "faces.sightings"
    with IngestProcess(location, folder) as one, IngestProcess(location, folder) as other:
        reports = [one.answer(), other.answer()]
    everything = {str(path) for path in folder.iterdir()}
    for report in reports:
        assert (report.failed, report.warnings) == ([], [])
        assert {*report.done, *report.skipped, *report.waiting} == everything
    assert {*reports[0].done, *reports[1].done} == everything
    assert held(location) == undisturbed
    with open_index(location) as index:
        segments = [s for media in index.iter_media() for s in index.list_segments(media.id)]
    assert {segment.attempts for segment in segments} == {1}


def test_a_full_disk_ends_the_run_and_keeps_what_was_stored(tmp_path, folder, undisturbed) -> None:
    location = tmp_path / "faces.sightings"
    error = ingested(location, folder, file_bytes=500_000)
    assert isinstance(error, StorageFull)
    assert "Make room" in str(error) or "Free some space" in str(error)
    with open_index(location) as index:
        done = [media for media in index.iter_media() if media.state == "done"]
        assert len(done) < 8
        assert finished_segments(index) >= 1
    report = ingested(location, folder)
    assert (len(report.done) + len(report.skipped), report.failed) == (8, [])
    assert held(location) == undisturbed
