"""Workers that are told to end finish the segment in hand or give it back, and begin no other."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from indexer.jobs import enqueue
from tasks.sending import sender, waiting
from tasks.stopping import Stopping
from tests.clips import clip, shot
from tests.tasks.fake_app import SLOW
from tests.tasks.running import attempts, begun, ended, segment_states, slow_media, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.records import Media
    from indexer.settings import Settings
    from tests.tasks.running import Worker

LONG_FRAMES = 100
"""Of a video that is one segment and takes its 15 seconds."""


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory, portraits: Any) -> Path:
    return clip(
        tmp_path_factory.mktemp("long") / "long.mp4", shot(portraits, "", LONG_FRAMES, SLOW)
    )


@pytest.fixture
def whole(settings: Settings) -> Settings:
    """Settings under which the long video is one segment, of which every frame is looked at."""
    keyframes = replace(settings.keyframes, segment_s=60.0, strategy="all")
    return replace(settings, keyframes=keyframes)


def in_hand(
    index: Index, path: Path, settings: Settings, start_worker: Callable[..., Worker]
) -> tuple[Worker, Media]:
    """Queue a video of one segment, and start a worker that is at it."""
    worker = start_worker(settings=settings).wait_ready()
    (media,) = enqueue(index, [path], settings, send=sender(settings)).queued
    wait_until(lambda: segment_states(index, media) == ["claimed"])
    return worker, media


def was_given_back(index: Index, media: Media) -> bool:
    """Whether a media's only segment is as if no worker had ever had it."""
    return (
        segment_states(index, media) == ["pending"]
        and attempts(index, media) == [0]
        and index.claim_owners() == ()
    )


def test_a_wait_ends_when_the_worker_is_to_end() -> None:
    stopping = Stopping(3600.0)
    assert not stopping.wait(0.0)
    assert not stopping.overdue
    stopping.begin()
    assert stopping.wait(3600.0)
    assert stopping.begun
    assert not stopping.overdue


def test_what_is_in_hand_is_overdue_once_patience_is_over() -> None:
    stopping = Stopping(0.0)
    assert not stopping.overdue
    stopping.begin()
    assert stopping.overdue


@pytest.mark.slow
def test_a_worker_that_is_stopped_finishes_its_segment_and_begins_no_other(
    settings: Settings, index: Index, folder: Path, start_worker: Callable[..., Worker]
) -> None:
    worker = start_worker().wait_ready()
    media = slow_media(index, folder, settings)
    wait_until(lambda: begun(index, media))
    before = segment_states(index, media).count("done")
    assert worker.stop() == 0
    states = segment_states(index, media)
    # One in hand, and those taken between looking and stopping; whoever went on would end them all.
    assert before + 1 <= states.count("done") < len(states)
    assert states.count("pending") == len(states) - states.count("done") > 0
    assert index.claim_owners() == ()
    assert sum(attempts(index, media)) == states.count("done")
    start_worker()
    wait_until(lambda: ended(index, [media]))
    assert set(attempts(index, media)) == {1}


@pytest.mark.slow
def test_a_segment_that_takes_too_long_for_a_worker_that_is_stopped_is_given_back_uncounted(
    whole: Settings, index: Index, long_video: Path, start_worker: Callable[..., Worker]
) -> None:
    hasty = replace(whole, tasks=replace(whole.tasks, stop_s=1.0))
    worker, media = in_hand(index, long_video, hasty, start_worker)
    assert worker.stop() == 0
    assert was_given_back(index, media)
    assert waiting(whole) >= 1
    start_worker(settings=whole)
    wait_until(lambda: ended(index, [media]))
    assert index.get_media(media.id).state == "done"  # type: ignore[union-attr]
    assert attempts(index, media) == [1]


@pytest.mark.slow
@pytest.mark.parametrize("before", [(), (signal.SIGTERM,)], ids=["at once", "after SIGTERM"])
def test_sigquit_gives_the_segment_in_hand_back_at_once_uncounted(
    before: tuple[int, ...],
    whole: Settings,
    index: Index,
    long_video: Path,
    start_worker: Callable[..., Worker],
) -> None:
    patient = replace(whole, tasks=replace(whole.tasks, stop_s=3600.0))
    worker, media = in_hand(index, long_video, patient, start_worker)
    for number in before:
        worker.process.send_signal(number)
        wait_until(lambda: "Warm shutdown" in worker.text)
    worker.stop(signal.SIGQUIT)
    assert was_given_back(index, media)
    assert waiting(whole) >= 1


@pytest.mark.slow
def test_a_worker_that_waits_for_better_times_ends_at_once_and_keeps_no_message(
    settings: Settings, index: Index, folder: Path, tmp_path: Path,
    start_worker: Callable[..., Worker],
) -> None:  # fmt: skip
    settings = replace(settings, facenet_weights=str(tmp_path / "weights"))
    worker = start_worker(app="tests.tasks.app_with_weights", settings=settings)
    files = [folder / "a.png", folder / "c.png"]
    enqueue(index, files, settings, send=sender(settings))
    wait_until(lambda: "tries again in 4 s" in worker.text)
    assert worker.stop() == 0
    assert waiting(settings) >= 1
    assert {media.state for media in index.iter_media()} == {"queued"}
