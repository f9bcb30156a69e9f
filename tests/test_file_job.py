"""Several threads join one video: each reads it by itself, and finds out no more than it must."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from indexer import open_index
from indexer.file_job import FileJob
from indexer.ingest import Run
from indexer.networks import Networks
from indexer.reports import Progress
from indexer.settings import KeyframeSettings
from indexer.timeline import read_timeline
from tests.clips import clip, shot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index

THREADS, SEGMENTS = 3, 6


@pytest.fixture
def job(tmp_path: Path, portraits: Any, networks: Networks) -> Iterator[tuple[FileJob, Index]]:
    """The begun job of a video of so many segments, a second of five frames each, and its index."""
    video = clip(tmp_path / "a.mp4", shot(portraits, "", 5 * SEGMENTS))
    settings = replace(networks.settings, keyframes=KeyframeSettings(segment_s=1.0))
    networks = Networks(networks.detector, networks.embedder, settings)
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        index.adopt_model(networks.identity)
        run = Run(index, networks, Progress(), lambda *_: 0, lambda _: None, force=False)
        job = FileJob(run, 0, video)
        assert job.begin()
        yield job, index


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
