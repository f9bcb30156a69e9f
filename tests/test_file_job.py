"""Several threads join one video: each reads it by itself, and nothing is opened for nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from indexer import open_index, sources
from indexer.file_job import FileJob
from indexer.ingest import Run
from indexer.media import content_id
from indexer.networks import Networks
from indexer.reports import Progress
from indexer.settings import KeyframeSettings
from indexer.timeline import read_timeline
from indexer.video import VideoReader
from tests.clips import clip, photo, shot, still

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index

THREADS, SEGMENTS = 3, 6


@contextmanager
def job_of(path: Path, networks: Networks) -> Iterator[tuple[FileJob, Run]]:
    """The job of a file in segments of a second, and its run, into an index beside it."""
    settings = replace(networks.settings, keyframes=KeyframeSettings(segment_s=1.0))
    networks = Networks(networks.detector, networks.embedder, settings)
    with open_index(path.parent / "faces.sightings", create=True) as index:
        index.adopt_model(networks.identity)
        run = Run(index, networks, Progress(), lambda *_: 0, lambda _: None, force=False)
        yield FileJob(run, 0, path), run


@pytest.fixture
def job(tmp_path: Path, portraits: Any, networks: Networks) -> Iterator[tuple[FileJob, Index]]:
    """The begun job of a video of so many segments of five frames each, and its index."""
    video = clip(tmp_path / "a.mp4", shot(portraits, "", 5 * SEGMENTS))
    with job_of(video, networks) as (job, run):
        assert job.begin()
        yield job, run.index


@contextmanager
def line_by_line(function: Any) -> Iterator[Counter[str]]:
    """Let threads that begin here run a function so slowly that they do each line side by side.

    Gives how often other functions were called, by name.
    """
    called: Counter[str] = Counter()

    def step(*_: object) -> Any:
        time.sleep(0.02)
        return step

    def call(frame: Any, *_: object) -> Any:
        called[frame.f_code.co_name] += 1
        return step if frame.f_code is function.__code__ else None

    traced = threading.gettrace()
    threading.settrace(call)
    try:
        yield called
    finally:
        threading.settrace(traced)  # type: ignore[arg-type]


def test_threads_that_begin_at_the_same_time_give_each_segment_all_its_frames(
    job: tuple[FileJob, Index],
) -> None:
    file_job, index = job
    with line_by_line(FileJob.work) as called, ThreadPoolExecutor(THREADS) as pool:
        for worked in [pool.submit(file_job.work) for _ in range(THREADS)]:
            worked.result()
    file_job.finish()
    (media,) = index.iter_media()
    segments = index.list_segments(media.id)
    assert [segment.counts.frames for segment in segments] == [5] * SEGMENTS
    assert media.state == "done"
    assert called[FileJob.work.__name__] == THREADS
    assert called[read_timeline.__name__] == 0, "who began it read the file for its times"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often videos were opened, and photos decoded, by name."""
    counts: Counter[str] = Counter()
    for owner, name in ((VideoReader, "__init__"), (sources.PhotoSource, "__init__")):
        monkeypatch.setattr(owner, name, _counted(getattr(owner, name), counts))
    return counts


def _counted(opens: Any, counts: Counter[str]) -> Any:
    def counted(self: Any, path: Path, *args: Any, **options: Any) -> None:
        counts[path.name] += 1
        opens(self, path, *args, **options)

    return counted


@pytest.mark.parametrize(("seconds", "times"), [(1, 1), (2, 2), (SEGMENTS, THREADS)])
def test_a_new_video_is_opened_once_for_each_thread_that_has_a_segment_to_work_on(
    seconds: int,
    times: int,
    tmp_path: Path,
    portraits: Any,
    networks: Networks,
    opened: Counter[str],
) -> None:
    video = clip(tmp_path / "a.mp4", shot(portraits, "", 5 * seconds))
    with job_of(video, networks) as (job, _), line_by_line(FileJob.work):
        assert job.begin()
        with ThreadPoolExecutor(THREADS) as pool:
            for worked in [pool.submit(job.work) for _ in range(THREADS)]:
                worked.result()
    assert opened == {video.name: times}


def test_a_photo_is_decoded_once_however_many_threads_are_free(
    tmp_path: Path, portraits: Any, networks: Networks, opened: Counter[str]
) -> None:
    picture = photo(tmp_path / "a.png", still(portraits, "grace"))
    with job_of(picture, networks) as (job, _), line_by_line(FileJob.work):
        assert job.begin()
        with ThreadPoolExecutor(THREADS) as pool:
            for worked in [pool.submit(job.work) for _ in range(THREADS)]:
                worked.result()
    assert opened == {picture.name: 1}


def test_a_video_that_another_file_stands_for_is_not_left_open(
    tmp_path: Path, portraits: Any, networks: Networks, opened: Counter[str]
) -> None:
    video = clip(tmp_path / "a.mp4", shot(portraits, "", 5))
    with job_of(video, networks) as (job, run):
        run.take(content_id(video))
        assert not job.begin()
        assert opened == {video.name: 1}
        assert str(video) not in {file.path for file in psutil.Process().open_files()}
