"""Workers and processes that die, messages that are lost or come twice, work that is taken back."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from indexer.jobs import cancel, enqueue, no_send, retry
from indexer.work import MAX_ATTEMPTS
from tasks.sending import sender, waiting
from tests.clips import documents, photo, still
from tests.tasks.fake_app import DEADLY, HANGING
from tests.tasks.running import Worker, attempts, begun, ended, slow_media, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.settings import Settings
    from tests.redis_server import RedisServer

pytestmark = pytest.mark.slow


def test_a_killed_process_of_a_worker_costs_at_most_one_segment(
    settings: Settings, index: Index, folder: Path, start_worker: Callable[..., Worker]
) -> None:
    worker = start_worker().wait_ready()
    media = slow_media(index, folder, settings)
    wait_until(lambda: begun(index, media))
    worker.kill_child()
    wait_until(lambda: ended(index, [media]))
    assert index.get_media(media.id).state == "done"  # type: ignore[union-attr]
    assert sum(attempts(index, media)) == len(attempts(index, media)) + 1


def test_a_process_that_is_asked_to_end_gives_its_segment_back_uncounted(
    settings: Settings, index: Index, folder: Path, start_worker: Callable[..., Worker]
) -> None:
    worker = start_worker().wait_ready()
    media = slow_media(index, folder, settings)
    wait_until(lambda: begun(index, media))
    for child in worker.children():
        child.terminate()
    wait_until(lambda: ended(index, [media]))
    assert index.get_media(media.id).state == "done"  # type: ignore[union-attr]
    assert set(attempts(index, media)) == {1}


def test_a_file_that_kills_its_process_stops_at_the_cap_and_others_are_done(
    settings: Settings,
    index: Index,
    tmp_path: Path,
    portraits: Any,
    start_worker: Callable[..., Worker],
) -> None:
    deadly = photo(tmp_path / "media" / "deadly.png", still(portraits, "grace", colour=DEADLY))
    photo(tmp_path / "media" / "good.png", still(portraits, "eileen"))
    start_worker()
    queued = enqueue(index, [deadly.parent], settings, send=sender(settings))
    wait_until(lambda: ended(index, queued.queued))
    (failed,) = index.iter_media(states=["failed"])
    assert failed.paths == (str(deadly),)
    assert f"Given up after {MAX_ATTEMPTS} attempts" in (failed.error or "")
    assert attempts(index, failed) == [MAX_ATTEMPTS]
    assert len(list(index.iter_media(states=["done"]))) == 1
    wait_until(lambda: waiting(settings) == 0)


def test_a_file_that_hangs_its_process_stops_at_the_cap_too(
    settings: Settings, index: Index, tmp_path: Path, portraits: Any
) -> None:
    limited = replace(settings, tasks=replace(settings.tasks, time_limit_s=20.0))
    path = photo(tmp_path / "hanging.png", still(portraits, "grace", colour=HANGING))
    with Worker(limited, tmp_path / "limited.log"):
        queued = enqueue(index, [path], limited, send=sender(limited)).queued
        wait_until(lambda: ended(index, queued), 300.0)
    (failed,) = index.iter_media()
    assert f"Given up after {MAX_ATTEMPTS} attempts" in (failed.error or "")


def test_a_damaged_file_fails_with_its_error_and_can_be_retried_when_it_is_mended(
    settings: Settings,
    index: Index,
    folder: Path,
    tmp_path: Path,
    start_worker: Callable[..., Worker],
) -> None:
    path = tmp_path / "a.png"
    shutil.copy(folder / "a.png", path)
    queued = enqueue(index, [path], settings, send=sender(settings))
    path.unlink()
    start_worker()
    wait_until(lambda: ended(index, queued.queued))
    (failed,) = index.iter_media()
    assert failed.state == "failed"
    assert "is no longer there" in (failed.error or "")
    shutil.copy(folder / "a.png", path)
    again = retry(index, settings, send=sender(settings), batch=queued.batch)
    assert [media.batch for media in again.queued] == [queued.batch]
    wait_until(lambda: ended(index, again.queued))
    assert next(index.iter_media()).state == "done"


def test_cancelling_while_two_workers_are_at_it_leaves_nothing(
    settings: Settings, index: Index, folder: Path, start_worker: Callable[..., Worker]
) -> None:
    start_worker()
    start_worker()
    empty = documents(index)
    queued = enqueue(index, [folder], settings, send=sender(settings))
    (slow,) = (media for media in queued.queued if media.path.endswith("slow.mp4"))
    wait_until(lambda: begun(index, slow))
    unfinished = list(index.iter_media(states=["queued", "working"]))
    cancelled = cancel(index, settings, batch=queued.batch)
    assert {m.id for m in cancelled.removed} >= {slow.id}
    assert {m.id for m in cancelled.removed} <= {m.id for m in unfinished}
    wait_until(lambda: waiting(settings) == 0)
    done = [media.id for media in index.iter_media()]
    index.delete_media(done)
    # What workers still had in hand when it was cancelled has come to its end by then.
    again = enqueue(index, [folder / "a.png"], settings, send=sender(settings))
    wait_until(lambda: ended(index, again.queued))
    index.delete_media([media.id for media in again.queued])
    assert documents(index) == empty
    assert index.claim_owners() == ()
    assert index.count() == 0


def test_a_task_that_comes_twice_does_no_harm(
    settings: Settings, index: Index, folder: Path, start_worker: Callable[..., Worker]
) -> None:
    send = sender(settings)
    queued = enqueue(index, [folder / "a.png", folder / "b.mp4"], settings, send=send)
    ids = [media.id for media in queued.queued]
    for _ in range(3):
        send([*ids, "0" * 32])
    start_worker()
    start_worker()
    wait_until(lambda: ended(index, queued.queued))
    wait_until(lambda: waiting(settings) == 0)
    done = documents(index)
    send(ids)
    wait_until(lambda: waiting(settings) == 0)
    assert {n for media in queued.queued for n in attempts(index, media)} == {1}
    assert {media.state for media in index.iter_media()} == {"done"}
    assert documents(index) == done


def test_work_whose_messages_are_lost_is_found_by_the_sweeper(
    settings: Settings,
    index: Index,
    folder: Path,
    start_worker: Callable[..., Worker],
    redis_server: RedisServer,
) -> None:
    never_sent = enqueue(index, [folder / "c.png"], settings, send=no_send).queued
    lost = enqueue(index, [folder / "a.png", folder / "b.mp4"], settings, send=sender(settings))
    assert waiting(settings) == 2
    redis_server.client.flushall()
    assert waiting(settings) == 0
    start_worker()
    wait_until(lambda: ended(index, [*never_sent, *lost.queued]))
    assert {media.state for media in index.iter_media()} == {"done"}


def test_messages_hold_ids_alone(
    settings: Settings, index: Index, folder: Path, redis_server: RedisServer
) -> None:
    (media,) = enqueue(index, [folder / "a.png"], settings, send=sender(settings)).queued
    (raw,) = redis_server.client.lrange(settings.tasks.queue, 0, -1)
    message = json.loads(raw)
    assert message["content-type"] == "application/json"
    assert message["headers"]["task"] == "sightings.media"
    arguments, named, _ = json.loads(base64.b64decode(message["body"]))
    assert (arguments, named) == ([media.id], {})
