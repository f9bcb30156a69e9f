"""The app: how messages travel, what settings mean, and the command that users type."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.errors import BrokerFailure, UsageError
from indexer.jobs import enqueue
from indexer.settings import Settings
from indexer.settings_tasks import TaskSettings
from tasks.app import make_app
from tasks.sending import sender, waiting, workers_alive
from tests.clips import photo, still
from tests.tasks.running import ROOT, Worker, ended, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.redis_server import RedisServer

BROKER = "redis://:hush@127.0.0.1:1/0"


def test_messages_are_answered_for_late_one_at_a_time_and_never_pickled() -> None:
    app = make_app(Settings(tasks=TaskSettings(broker_url=BROKER)))
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert (app.conf.task_serializer, app.conf.accept_content) == ("json", ["json"])
    assert app.conf.result_backend is None
    assert {name for name in app.tasks if name.startswith("sightings")} == {
        "sightings.media",
        "sightings.segment",
        "sightings.sweep",
    }


def test_apps_of_one_process_have_tasks_of_their_own() -> None:
    settings = Settings(tasks=TaskSettings(broker_url=BROKER))
    one, other = make_app(settings), make_app(settings)
    assert one.tasks["sightings.media"].app is one
    assert other.tasks["sightings.media"].app is other
    assert one.tasks["sightings.media"].run is not other.tasks["sightings.media"].run


def test_redis_waits_longer_for_an_answer_than_any_task_may_take() -> None:
    conf = make_app(Settings(tasks=TaskSettings(broker_url=BROKER))).conf
    for visibility_s in (
        conf.broker_transport_options["visibility_timeout"],
        conf.result_backend_transport_options["visibility_timeout"],
        conf.visibility_timeout,
    ):
        assert visibility_s > conf.task_time_limit
    with pytest.raises(UsageError, match="must be longer than"):
        TaskSettings(time_limit_s=100.0, visibility_timeout_s=100.0)


def test_there_is_no_app_without_a_broker() -> None:
    with pytest.raises(UsageError, match="SIGHTINGS_TASKS_BROKER_URL"):
        make_app(Settings())
    run = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "tasks", "report"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode != 0
    assert "SIGHTINGS_TASKS_BROKER_URL" in run.stderr + run.stdout


def test_a_broker_that_does_not_answer_is_told_without_its_password() -> None:
    settings = Settings(tasks=TaskSettings(broker_url=BROKER))
    for call in (
        lambda: sender(settings)(["0" * 32]),
        lambda: waiting(settings),
        lambda: workers_alive(settings),
    ):
        with pytest.raises(BrokerFailure) as failure:
            call()
        assert "hush" not in repr(failure.value)
        assert failure.value.__cause__ is None


def test_work_for_gpus_goes_to_a_queue_of_its_own(redis_server: RedisServer) -> None:
    tasks = TaskSettings(broker_url=redis_server.url, gpu_queue="gpus")
    settings = Settings(tasks=tasks)
    sender(settings)(["0" * 32, "1" * 32])
    assert redis_server.client.llen("gpus") == 2
    assert redis_server.client.llen("sightings") == 0
    assert waiting(settings) == 2
    assert waiting(replace(settings, tasks=replace(tasks, gpu_queue=""))) == 0


@pytest.mark.slow
def test_the_command_of_the_documentation_works_with_a_real_model(
    redis_server: RedisServer, tmp_path: Path, portraits: Any
) -> None:
    location = str(tmp_path / "faces.sightings")
    tasks = TaskSettings(broker_url=redis_server.url, sweep_s=1.0, gpu_queue="gpus")
    settings = Settings(index=location, model="dlib", tasks=tasks)
    path = photo(tmp_path / "a.png", still(portraits, "eileen"))
    with open_index(location, create=True) as index:
        log = tmp_path / "worker.log"
        with Worker(settings, log, app="tasks", queue="gpus") as worker:
            worker.wait_ready()
            queued = enqueue(index, [path], settings, send=sender(settings)).queued
            wait_until(lambda: ended(index, queued))
            assert worker.stop() == 0
        (media,) = index.iter_media()
        assert (media.state, index.count()) == ("done", 1)
        assert index.model is not None
        assert index.model.name == "dlib"
