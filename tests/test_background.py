"""Without Redis, a child process works on what is queued, and survives what is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from indexer import open_index
from indexer.background import BackgroundWorker
from indexer.jobs import enqueue, no_send, retry
from indexer.settings import KeyframeSettings, Settings
from indexer.stage_times import STAGES
from indexer.work import MAX_ATTEMPTS, OTHER_SETTINGS
from tests.clips import clip, documents, photo, shot, still
from tests.fake_embedder import FakeEmbedder
from tests.ingest_process import ingested
from tests.tasks.fake_app import DEADLY, SLOW
from tests.tasks.running import attempts, ended, segment_states, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index

pytestmark = pytest.mark.slow

CHILD = "tests.background_child"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    location = str(tmp_path / "faces.sightings")
    return Settings(index=location, model="facenet", keyframes=KeyframeSettings(segment_s=1.0))


@pytest.fixture
def index(settings: Settings) -> Iterator[Index]:
    with open_index(settings.index, create=True) as index:
        index.adopt_model(FakeEmbedder().identity)
        yield index


@pytest.fixture
def folder(tmp_path: Path, portraits: Any) -> Path:
    folder = tmp_path / "media"
    photo(folder / "a.png", still(portraits, "eileen", "grace"))
    clip(folder / "b.mp4", shot(portraits, "eileen", 8), shot(portraits, "grace", 8))
    return folder


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if CHILD in " ".join(p.cmdline())]


def test_it_makes_the_index_of_a_run_in_one_process(
    settings: Settings, index: Index, folder: Path, tmp_path: Path
) -> None:
    early = enqueue(index, [folder / "a.png"], settings, send=no_send)
    with BackgroundWorker(settings, program=CHILD) as worker:
        wait_until(lambda: ended(index, early.queued))
        late = enqueue(index, [folder], settings, send=worker.wake)
        assert len(late.queued) == len(late.skipped) == 1
        wait_until(lambda: ended(index, late.queued))
        assert worker.error is None
        # A photo, and a video of four segments, whose stages each told how long they took.
        assert {stage: h.counts[-1] for stage, h in worker.stages.read().items()} == dict.fromkeys(
            STAGES, 5
        )
    assert not worker.alive
    assert children() == []
    ingested(tmp_path / "one.sightings", folder)
    with open_index(tmp_path / "one.sightings") as one:
        assert documents(index) == documents(one)


def test_a_file_that_kills_it_is_given_up_and_the_others_are_done(
    settings: Settings, index: Index, folder: Path, portraits: Any
) -> None:
    photo(folder / "0.png", still(portraits, "grace", colour=DEADLY))
    queued = enqueue(index, [folder], settings, send=no_send).queued
    with BackgroundWorker(settings, program=CHILD):
        wait_until(lambda: ended(index, queued))
    states = {media.path.rsplit("/", 1)[-1]: media.state for media in index.iter_media()}
    assert states == {"0.png": "failed", "a.png": "done", "b.mp4": "done"}
    (failed,) = index.iter_media(states=["failed"])
    assert f"Given up after {MAX_ATTEMPTS} attempts" in (failed.error or "")


def test_stopping_it_gives_its_segment_back_at_once(
    settings: Settings, index: Index, folder: Path, portraits: Any
) -> None:
    clip(folder / "0.mp4", shot(portraits, "grace", 20, SLOW))
    slow, *_ = enqueue(index, [folder], settings, send=no_send).queued
    with BackgroundWorker(settings, program=CHILD):
        wait_until(lambda: "claimed" in segment_states(index, slow))
    assert index.claim_owners() == ()
    assert "claimed" not in segment_states(index, slow)
    assert max(attempts(index, slow)) <= 1
    assert sum(attempts(index, slow)) == segment_states(index, slow).count("done")


def test_it_dies_with_its_parent(settings: Settings) -> None:
    code = (
        "import sys, time; from indexer.background import BackgroundWorker\n"
        "from indexer.settings import Settings\n"
        f"worker = BackgroundWorker(Settings(index={settings.index!r}), program={CHILD!r})\n"
        "worker.start(); print('started', flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: bool(psutil.Process(parent.pid).children()))
        (child,) = psutil.Process(parent.pid).children()
    finally:
        parent.kill()
        parent.communicate()
    child.wait(60)


def test_what_keeps_it_from_working_is_told_until_it_is_mended(
    settings: Settings, index: Index, folder: Path
) -> None:
    queued = enqueue(index, [folder / "a.png"], settings, send=no_send).queued
    weightless = "tests.background_child_without_weights"
    with BackgroundWorker(settings, program=weightless) as worker:
        wait_until(lambda: "no weights yet" in (worker.error or ""))
        (media,) = index.iter_media()
        assert (media.state, attempts(index, media)) == ("queued", [0])
        (folder.parent / "weights").touch()
        wait_until(lambda: ended(index, queued))
        wait_until(lambda: worker.error is None)
    assert index.get_media(media.id).state == "done"  # type: ignore[union-attr]


def test_media_queued_under_other_settings_fail_and_say_so_and_hold_up_no_other(
    settings: Settings, index: Index, folder: Path
) -> None:
    other = replace(settings, keyframes=KeyframeSettings(segment_s=2.0))
    queued = enqueue(index, [folder / "b.mp4"], other, send=no_send).queued
    photos = enqueue(index, [folder / "a.png"], settings, send=no_send).queued
    with BackgroundWorker(settings, program=CHILD) as worker:
        wait_until(lambda: ended(index, [*queued, *photos]))
        (video,) = index.iter_media(states=["failed"])
        assert video.error == OTHER_SETTINGS
        retried = retry(index, settings, send=worker.wake, media_ids=[video.id])
        assert [media.batch for media in retried.queued] == [queued[0].batch]
        wait_until(lambda: ended(index, queued))
    assert {media.state for media in index.iter_media()} == {"done"}
