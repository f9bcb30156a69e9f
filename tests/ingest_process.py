"""Ingests in processes of their own, for tests that kill or starve them.

They are forked from a server that has loaded all packages once but has run nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.engines import open_index
from indexer.ingest import ingest
from indexer.naming import name_from_folder
from indexer.reports import Progress
from indexer.settings import ElasticsearchSettings, KeyframeSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.reports import Report

SETTINGS = Settings(keyframes=KeyframeSettings(segment_s=1.0))
PATIENCE_S = 120.0

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "av",
        "cv2",
        "elasticsearch",
        "facenet_pytorch",
        "orjson",
        "psutil",
        "scipy.optimize",
        "tenacity",
        "tests.elasticsearch.dying",
        "tests.ingest_process",
        "tests.remembering_detector",
    ]
)


@dataclass(frozen=True)
class Orders:
    """How a process ingests.

    dies_at: it kills itself when it has seen a picture of a file of this name; dies_before: before
    its changing request of this number to a cluster. file_bytes: no file may grow larger.
    memory: a file of detections, so that no picture is looked at twice by the slow networks.
    by_folder: photos are named by their folders. elasticsearch: of an index on a cluster.
    """

    dies_at: str = ""
    dies_before: int = 0
    file_bytes: int = 0
    memory: Path | None = None
    by_folder: bool = False
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()


class IngestProcess:
    """A process that ingests a folder into an index at a path or on a cluster; see `Orders`.

    Use it as a context manager, so that it never outlives the test.
    """

    def __init__(self, location: Path | str, folder: Path, **orders: Any) -> None:
        self._answer, theirs = _CONTEXT.Pipe(duplex=False)
        arguments = (theirs, str(location), str(folder), Orders(**orders))
        self._process = _CONTEXT.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> IngestProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def runs(self) -> bool:
        return self._process.is_alive()

    def pause(self) -> None:
        """Hold the process with SIGSTOP."""
        os.kill(self._process.pid or 0, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        os.kill(self._process.pid or 0, signal.SIGCONT)

    def kill(self) -> None:
        """End the process as `kill -9` does."""
        self._process.kill()
        self._process.join(PATIENCE_S)

    def answer(self) -> Report | Exception | None:
        """Wait for the process and return its report, what it raised, or None if it was killed."""
        try:
            assert self._answer.poll(PATIENCE_S), "the process neither ends nor dies"
            return self._answer.recv()
        except EOFError:
            return None


def ingested(location: Path | str, folder: Path, **orders: Any) -> Report | Exception | None:
    """Ingest a folder in a process and return its answer; see `Orders`."""
    with IngestProcess(location, folder, **orders) as process:
        return process.answer()


def peak_bytes(location: Path, videos: Sequence[Path], settings: Settings) -> list[int]:
    """Return the most memory that a process has held after ingesting each of some videos."""
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    arguments = (theirs, str(location), list(map(str, videos)), settings)
    process = _CONTEXT.Process(target=_measure, args=arguments, daemon=True)
    process.start()
    theirs.close()
    try:
        assert ours.poll(PATIENCE_S), "the process does not end"
        return ours.recv()
    finally:
        process.kill()
        process.join(PATIENCE_S)


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that happens sooner or later."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def finished_segments(index: Index) -> int:
    return int(index.stats()["segments_done"])


class _Dying(Progress):
    def __init__(self, dies_at: str) -> None:
        self._dies_at = dies_at

    def reach(self, path: str, done_s: float) -> None:  # noqa: ARG002
        if Path(path).name == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _run(answer: Any, location: str, folder: str, orders: Orders) -> None:
    import torch

    torch.set_num_threads(1)
    if orders.file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (orders.file_bytes, orders.file_bytes))
    if orders.dies_before:
        from tests.elasticsearch.dying import die_before

        die_before(orders.dies_before)
    try:
        with open_index(location, create=True, settings=orders.elasticsearch) as index:
            report = ingest(
                index,
                [folder],
                _networks(SETTINGS, orders.memory),
                progress=_Dying(orders.dies_at),
                after_media=lambda media, path: (
                    name_from_folder(index, media, path) if orders.by_folder else 0
                ),
            )
            answer.send(report)
    except Exception as error:
        error.__cause__ = error.__context__ = None  # it may hold what cannot be sent
        answer.send(error)


def _measure(answer: Any, location: str, videos: list[str], settings: Settings) -> None:
    networks, peaks = _networks(settings), []
    with open_index(location, create=True) as index:
        for video in videos:
            assert ingest(index, [video], networks).done == [video]
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    answer.send(peaks)


def _networks(settings: Settings, memory: Path | None = None) -> Networks:
    from indexer.faces import FaceDetector
    from indexer.networks import Networks
    from tests.fake_embedder import FakeEmbedder
    from tests.remembering_detector import RememberingDetector

    detector = (
        RememberingDetector(settings.faces, memory) if memory else FaceDetector(settings.faces)
    )
    return Networks(detector, FakeEmbedder(), settings)
