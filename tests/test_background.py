"""Without Redis, a child process works on what is queued, and survives what is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from indexer import open_index
from indexer.background import BackgroundWorker
from indexer.background_child import LONGEST_WAIT_S
from indexer.jobs import enqueue, no_send, retry
from indexer.settings import KeyframeSettings, Settings
from indexer.stage_times import STAGES
from indexer.work import MAX_ATTEMPTS, OTHER_SETTINGS
from tests.clips import clip, documents, photo, shot, still
from tests.fake_embedder import FakeEmbedder
from tests.ingest_process import ingested
from tests.tasks.fake_app import DEADLY, HANGING, SLOW
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


def children(program: str = CHILD) -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if program in " ".join(p.cmdline())]


@contextmanager
def running(program: str, **flags: Any) -> Iterator[subprocess.Popen[str]]:
    """A child by itself, told these settings."""
    piped = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-m", program], text=True, **piped) as child:
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps(flags) + "\n")
            child.stdin.flush()
            yield child
        finally:
            child.kill()


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


def test_what_others_print_neither_stops_it_nor_its_being_started_again(
    settings: Settings, index: Index, folder: Path
) -> None:
    printing = "tests.background_child_among_printers"
    with BackgroundWorker(settings, program=printing):
        first = enqueue(index, [folder / "a.png"], settings, send=no_send).queued
        wait_until(lambda: ended(index, first))
        for child in children(printing):
            child.kill()
        second = enqueue(index, [folder / "b.mp4"], settings, send=no_send).queued
        wait_until(lambda: ended(index, second))


def test_its_messages_have_a_stream_of_their_own(
    settings: Settings, index: Index, folder: Path
) -> None:
    queued = enqueue(index, [folder / "a.png"], settings, send=no_send).queued
    flags = {"index": settings.index, "model": "facenet", "keyframes.segment_s": 1.0}
    with running("tests.background_child_among_printers", **flags) as child:
        wait_until(lambda: ended(index, queued))
        out, err = child.communicate()
    early, *messages = out.splitlines()
    assert early == "said too early"
    told = [json.loads(message) for message in messages]
    assert {message["error"] for message in told if "took_s" not in message} == {None}
    assert "said in Python\nsaid in C\n" in err


def test_one_that_cannot_be_started_is_tried_again(
    settings: Settings, index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = enqueue(index, [folder / "a.png"], settings, send=no_send).queued
    monkeypatch.setattr(sys, "executable", str(folder / "nothing"))
    with BackgroundWorker(settings, program=CHILD) as worker:
        wait_until(lambda: "cannot be started" in (worker.error or ""))
        monkeypatch.undo()
        wait_until(lambda: ended(index, queued))


def test_it_is_well_again_as_soon_as_another_one_works(
    settings: Settings, index: Index, folder: Path, portraits: Any
) -> None:
    photo(folder / "0.png", still(portraits, "grace", colour=HANGING))
    (hanging,) = enqueue(index, [folder / "0.png"], settings, send=no_send).queued
    with BackgroundWorker(settings, program=CHILD) as worker:
        wait_until(lambda: "claimed" in segment_states(index, hanging))
        (child,) = children()
        child.kill()
        wait_until(lambda: "it is started again" in (worker.error or ""))
        wait_until(lambda: worker.error is None)
        assert not ended(index, [hanging])


def test_it_is_well_again_as_soon_as_a_media_is_done(
    settings: Settings, index: Index, folder: Path, portraits: Any
) -> None:
    photo(folder / "c.png", still(portraits, "grace", colour=HANGING))
    done, hanging = (
        enqueue(index, [folder / name], settings, send=no_send).queued[0]
        for name in ("a.png", "c.png")
    )
    with BackgroundWorker(settings, program="tests.background_child_on_full_disk") as worker:
        wait_until(lambda: "no room yet" in (worker.error or ""))
        (folder.parent / "room").touch()
        wait_until(lambda: ended(index, [done]))
        wait_until(lambda: worker.error is None)
        assert not ended(index, [hanging])


def test_it_ends_when_told_to_however_long_it_means_to_wait() -> None:
    with running(CHILD, index="nowhere://at/all") as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["error"]
        child.communicate(timeout=LONGEST_WAIT_S / 2)
        assert child.returncode == 0
