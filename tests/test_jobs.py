"""Queueing, retrying and cancelling files, without anybody who works on them; and progress."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from indexer import open_index
from indexer.errors import BrokerFailure, NotFound, UsageError
from indexer.ingest import ingest
from indexer.jobs import cancel, enqueue, no_send, retry, sweep
from indexer.progress import batch_progress, list_batches, media_progress
from indexer.settings import KeyframeSettings, Settings
from indexer.work import TOO_LONG, claim_next, work_on_queued
from tests.clips import clip, documents, photo, shot, still
from tests.engines.builders import finish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.networks import Networks


@pytest.fixture
def index(tmp_path: Path, networks: Networks) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        index.adopt_model(networks.embedder.identity)
        yield index


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def folder(tmp_path: Path, portraits: Any) -> Path:
    folder = tmp_path / "media"
    photo(folder / "a.png", still(portraits, "eileen"))
    photo(folder / "b.png", still(portraits, "grace"))
    clip(folder / "c.mp4", shot(portraits, "grace", 4))
    return folder


class Told:
    """Takes messages, or fails to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.media_ids: list[str] = []
        self._failure = failure

    def __call__(self, media_ids: Sequence[str]) -> None:
        if self._failure is not None:
            raise self._failure
        self.media_ids += media_ids


def names(media: Any) -> list[str]:
    return sorted(each.path.rsplit("/", 1)[-1] for each in media)


def test_every_file_is_queued_once_with_one_message(index, folder, settings) -> None:
    told = Told()
    queued = enqueue(index, [folder], settings, send=told)
    assert names(queued.queued) == ["a.png", "b.png", "c.mp4"]
    assert sorted(told.media_ids) == sorted(media.id for media in queued.queued)
    assert {(m.state, m.batch) for m in index.iter_media()} == {("queued", queued.batch)}
    again = enqueue(index, [folder, folder / "a.png"], settings, send=told)
    assert (names(again.under_way), again.queued) == (["a.png", "b.png", "c.mp4"], ())
    assert len(told.media_ids) == 3


def test_what_is_done_is_skipped_unless_forced_or_the_options_differ(
    index, folder, settings, networks
) -> None:
    ingest(index, [folder], networks)
    skipped = enqueue(index, [folder], settings, send=no_send)
    assert (names(skipped.skipped), skipped.queued) == (["a.png", "b.png", "c.mp4"], ())
    other = replace(settings, keyframes=KeyframeSettings(min_delta_e=9.0))
    assert names(enqueue(index, [folder], other, send=no_send).queued) == ["c.mp4"]
    assert names(enqueue(index, [folder], settings, send=no_send, force=True).queued) == [
        "a.png",
        "b.png",
        "c.mp4",
    ]


def test_a_file_that_cannot_be_read_is_told_and_not_queued(index, folder, settings) -> None:
    (folder / "broken.mp4").write_bytes(b"no video at all")
    queued = enqueue(index, [folder, folder / "missing.png"], settings, send=no_send)
    assert len(queued.queued) == 3
    assert len(queued.failed) == 2
    assert all(name in "".join(queued.failed) for name in ("broken.mp4", "missing.png"))


def test_without_a_broker_that_answers_everything_is_queued_all_the_same(
    index, folder, settings
) -> None:
    told = Told(BrokerFailure("Redis is away"))
    with pytest.raises(BrokerFailure):
        enqueue(index, [folder], settings, send=told)
    assert len(list(index.iter_media(states=["queued"]))) == 3
    found = Told()
    swept = sweep(index, send=found)
    assert sorted(swept.sent) == sorted(found.media_ids)
    assert len(found.media_ids) == 3


def test_a_new_index_wants_a_model_before_anything_is_queued(tmp_path, folder, settings) -> None:
    with open_index(tmp_path / "new.sightings", create=True) as index:
        with pytest.raises(UsageError, match="needs a model"):
            enqueue(index, [folder], settings, send=no_send)
        assert list(index.iter_media()) == []
        named = replace(settings, model="dlib")
        assert len(enqueue(index, [folder], named, send=no_send).queued) == 3


def test_a_run_of_index_takes_over_what_is_queued(
    index, folder, settings, networks, tmp_path
) -> None:
    queued = enqueue(index, [folder], settings, send=no_send)
    assert len(ingest(index, [folder], networks).done) == 3
    assert batch_progress(index, queued.batch).state == "done"
    with open_index(tmp_path / "one.sightings", create=True) as one:
        ingest(one, [folder], networks)
        assert documents(index) == documents(one)


def test_a_queued_file_is_worked_on_where_it_lies_now(index, folder, settings, networks) -> None:
    copy = folder / "copy.png"
    copy.write_bytes((folder / "a.png").read_bytes())
    queued = enqueue(index, [folder / "a.png", copy], settings, send=no_send).queued
    (folder / "a.png").unlink()
    done = work_on_queued(index, queued[0].id, networks)
    assert done is not None
    assert (done.state, index.count()) == ("done", 1)


def test_a_file_that_has_changed_since_it_was_queued_fails_and_says_so(
    index, folder, settings, networks, portraits
) -> None:
    (media,) = enqueue(index, [folder / "a.png"], settings, send=no_send).queued
    photo(folder / "a.png", still(portraits, "grace", shift=9))
    failed = work_on_queued(index, media.id, networks)
    assert failed is not None
    assert failed.state == "failed"
    assert "other content than when it was queued" in (failed.error or "")


def test_working_twice_on_a_media_or_on_an_unknown_one_changes_nothing(
    index, folder, settings, networks
) -> None:
    (media,) = enqueue(index, [folder / "c.mp4"], settings, send=no_send).queued
    work_on_queued(index, media.id, networks)
    before = documents(index)
    work_on_queued(index, media.id, networks)
    assert work_on_queued(index, "0" * 32, networks) is None
    assert documents(index) == before


def test_a_worker_that_is_interrupted_gives_its_segment_back_uncounted(
    index, folder, settings, networks
) -> None:
    (media,) = enqueue(index, [folder / "a.png"], settings, send=no_send).queued

    class Interrupted:
        runtime = networks.detector.runtime

        def detect(self, _: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_on_queued(index, media.id, replace(networks, detector=Interrupted()))
    (segment,) = index.list_segments(media.id)
    assert (segment.state, segment.attempts) == ("pending", 0)


def test_a_segment_that_takes_too_long_fails_and_says_so(index, folder, settings, networks) -> None:
    (media,) = enqueue(index, [folder / "c.mp4"], settings, send=no_send).queued
    failed = work_on_queued(index, media.id, networks, longest_s=0.0)
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", TOO_LONG)


def failed_photo(index: Index, folder: Path, settings: Settings) -> Any:
    queued = enqueue(index, [folder / "a.png"], settings, send=no_send)
    (media,) = queued.queued
    index.fail_segment(claim_next(index, media.id, "a/1/1.0/x"), "broken")
    sweep(index, send=no_send)
    index.link_appearances(media.id, settings.appearances)
    return index.get_media(media.id)


def test_failed_media_are_retried_in_their_batch(index, folder, settings) -> None:
    failed = failed_photo(index, folder, settings)
    assert failed.state == "failed"
    again = enqueue(index, [folder / "a.png"], settings, send=no_send)
    assert "failed before: broken" in again.failed[0]
    told = Told()
    for chosen in ({}, {"media_ids": [failed.id]}, {"batch": failed.batch}):
        retried = retry(index, settings, send=told, **chosen)
        expected = {"queued" if not chosen else "under_way"}
        found = {name for name in ("queued", "under_way") if getattr(retried, name)}
        assert found == expected
    assert told.media_ids == [failed.id]
    assert index.get_media(failed.id).batch == failed.batch
    for unknown in ({"media_ids": ["0" * 32]}, {"batch": "unknown"}):
        with pytest.raises(NotFound):
            retry(index, settings, send=told, **unknown)


def test_cancelling_tells_what_became_of_each(index, folder, settings, networks) -> None:
    ingest(index, [folder / "a.png"], networks)
    before = documents(index)
    paths = [folder / "a.png", folder / "b.png"]
    batch = enqueue(index, paths, settings, send=no_send, force=True).batch
    cancelled = cancel(index, settings, batch=batch)
    assert names(cancelled.restored) == ["a.png"]
    assert names(cancelled.removed) == ["b.png"]
    assert (cancelled.cut_short, cancelled.untouched) == ((), ())
    assert cancelled.deleted.media == 1
    assert documents(index) == before
    (media,) = index.iter_media()
    assert names(cancel(index, settings, media_ids=[media.id]).untouched) == ["a.png"]
    with pytest.raises(NotFound):
        cancel(index, settings, batch=batch)
    with pytest.raises(UsageError):
        cancel(index, settings)


def test_cancelling_a_half_new_video_ends_it_as_failed(
    index, tmp_path, portraits, networks
) -> None:
    settings = replace(networks.settings, keyframes=KeyframeSettings(segment_s=1.0))
    networks = replace(networks, settings=settings)
    path = clip(tmp_path / "v.mp4", shot(portraits, "grace", 12))
    ingest(index, [path], networks)
    (media,) = enqueue(index, [path], settings, send=no_send, force=True).queued
    finish(index, claim_next(index, media.id, "a/1/1.0/x"))
    (short,) = cancel(index, settings, media_ids=[media.id]).cut_short
    assert short.state == "failed"
    assert "Cancelled while it was being done anew" in (short.error or "")
    retry(index, settings, send=no_send, media_ids=[media.id])
    done = work_on_queued(index, media.id, networks)
    assert done is not None
    assert done.state == "done"


def test_a_sweep_finds_what_is_free_and_leaves_what_is_held(index, folder, settings) -> None:
    queued = enqueue(index, [folder], settings, send=no_send).queued
    held, dead, linkable = queued
    claim_next(index, held.id, "elsewhere/1/1.0/x")
    claim_next(index, dead.id, f"{socket.gethostname()}/999999999/1.0/x")
    finish(index, claim_next(index, linkable.id, "elsewhere/1/1.0/x"))
    swept = sweep(index, send=no_send)
    assert swept.released == 1
    assert set(swept.sent) == {dead.id, linkable.id}
    assert sweep(index, send=no_send, limit=1).sent[0] in {dead.id, linkable.id}


def test_progress_counts_segments_and_estimates_what_is_left(index, tmp_path, portraits) -> None:
    settings = Settings(keyframes=KeyframeSettings(segment_s=1.0))
    path = clip(tmp_path / "v.mp4", shot(portraits, "", 20))
    queued = enqueue(index, [path], settings, send=no_send)
    (media,) = queued.queued
    before = media_progress(index, media.id).progress
    assert (before.total, before.done, before.rate_per_s, before.eta_s) == (4, 0, 0.0, None)
    for _ in range(2):
        finish(index, claim_next(index, media.id, "a/1/1.0/x"))
    claim_next(index, media.id, "a/1/1.0/x")
    for progress in (
        media_progress(index, media.id).progress,
        batch_progress(index, queued.batch).progress,
    ):
        assert (progress.total, progress.done, progress.working) == (4, 2, 1)
        assert progress.rate_per_s > 0
        assert progress.eta_s == pytest.approx(2 / progress.rate_per_s)
    assert batch_progress(index, queued.batch).state == "working"
    with pytest.raises(NotFound):
        media_progress(index, "0" * 32)
    with pytest.raises(NotFound):
        batch_progress(index, "unknown")


def test_batches_come_newest_first_and_by_pages(index, folder, settings) -> None:
    batches = [
        enqueue(index, [folder / name], settings, send=no_send).batch
        for name in ("a.png", "b.png", "c.mp4")
    ]
    assert [found.id for found in list_batches(index)] == batches[::-1]
    first = list_batches(index, limit=2)
    assert [found.id for found in list_batches(index, before=first[-1].id)] == batches[:1]
    assert batches == sorted(batches)
    age = datetime.now(timezone.utc) - first[0].queued_at
    assert timedelta(0) <= age < timedelta(minutes=5)
