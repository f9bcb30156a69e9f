"""Real worker processes for tests, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from indexer.jobs import enqueue
from indexer.settings import KeyframeSettings, Settings
from indexer.settings_tasks import TaskSettings
from tasks.sending import sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from indexer.engines.base import Index
    from indexer.records import Media

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


def settings_for(location: str, broker_url: str) -> Settings:
    """Settings of workers and of those who queue: segments of a second, sweeps every second."""
    return Settings(
        index=location,
        model="facenet",  # never loaded: workers under test bring a model of their own
        keyframes=KeyframeSettings(segment_s=1.0),
        tasks=TaskSettings(broker_url=broker_url, sweep_s=1.0),
    )


class Worker:
    """`celery worker` in a process group of its own; use it as a context manager."""

    def __init__(
        self,
        settings: Settings,
        log: Path,
        *,
        app: str = "tests.tasks.fake_app",
        queue: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        tasks = settings.tasks
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SIGHTINGS_")},
            "SIGHTINGS_INDEX": settings.index,
            "SIGHTINGS_MODEL": settings.model,
            "SIGHTINGS_FACENET_WEIGHTS": settings.facenet_weights,
            "SIGHTINGS_KEYFRAMES_STRATEGY": settings.keyframes.strategy,
            "SIGHTINGS_KEYFRAMES_SEGMENT_S": str(settings.keyframes.segment_s),
            "SIGHTINGS_ELASTICSEARCH_REPLICAS": "0",
            "SIGHTINGS_ELASTICSEARCH_EXPUNGE_S": "0",
            "SIGHTINGS_TASKS_BROKER_URL": tasks.broker_url,
            "SIGHTINGS_TASKS_SWEEP_S": str(tasks.sweep_s),
            "SIGHTINGS_TASKS_TIME_LIMIT_S": str(tasks.time_limit_s),
            "SIGHTINGS_TASKS_STOP_S": str(tasks.stop_s),
            "SIGHTINGS_TASKS_CONCURRENCY": str(tasks.concurrency),
            "SIGHTINGS_TASKS_GPU_QUEUE": tasks.gpu_queue,
            "OMP_WAIT_POLICY": "PASSIVE",
            "COVERAGE_PROCESS_START": "",
            **(variables or {}),
        }
        command = [sys.executable, "-m", "celery", "-A", app, "worker", "--loglevel", "INFO"]
        command += ["--hostname", f"{log.stem}@localhost", "--without-gossip", "--without-mingle"]
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *(["--queues", queue] if queue else [])],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def text(self) -> str:
        """What it has logged."""
        return self.log.read_text(errors="replace")

    def wait_ready(self) -> Worker:
        wait_until(lambda: " ready." in self.text or self.process.poll() is not None)
        assert self.process.poll() is None, self.text
        return self

    def children(self) -> list[psutil.Process]:
        """The processes that do its work."""
        return psutil.Process(self.process.pid).children()

    def kill(self) -> None:
        """End it and its children as `kill -9` does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def kill_child(self) -> None:
        """End the process that does the work; the worker starts another one."""
        for child in self.children():
            child.kill()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it as a service manager does, with a signal to the worker alone; return its code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def wait_until(happened: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for something that happens sooner or later."""
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def ended(index: Index, media: Sequence[Media]) -> bool:
    """Whether no media waits any more or is being worked on."""
    now = [index.get_media(each.id) for each in media]
    return all(each is None or each.state in ("done", "failed") for each in now)


def attempts(index: Index, media: Media) -> list[int]:
    return [segment.attempts for segment in index.list_segments(media.id)]


def segment_states(index: Index, media: Media) -> list[str]:
    return [segment.state for segment in index.list_segments(media.id)]


def slow_media(index: Index, folder: Path, settings: Settings) -> Media:
    """Queue the video whose segments take their time."""
    (media,) = enqueue(index, [folder / "slow.mp4"], settings, send=sender(settings)).queued
    return media


def begun(index: Index, media: Media) -> bool:
    """Whether a segment is being worked on and another one is done."""
    states = segment_states(index, media)
    return "claimed" in states and "done" in states
