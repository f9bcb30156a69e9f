"""Both sides on the same media, taking turns."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.equality import Difference, compare_borders, compare_index
from benchmarks.ingest.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.ingest.ceiling import Dropping
    from benchmarks.ingest.records import Run, Task, Tolerances
    from benchmarks.ingest.reference import Checked

SIDES = ("naive", "project")

SEGMENT_S = 1.0
"""The shortest segments: in the default ones of a minute a clip would have no border."""


@dataclass(frozen=True)
class Media:
    """A clip, or a folder of photos.

    name: as tables show it. kept_percent: frames that the filter is to keep; None for photos.
    """

    name: str
    paths: tuple[Path, ...]
    kept_percent: int | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is a clip."""
        return self.kept_percent is not None


@dataclass(frozen=True)
class Start:
    """What a side needs before its first picture.

    loaded_s: to start Python and load libraries and networks. first_s: for the first picture, which
    compiles what is compiled for its size. peak_mb: memory after the first round.
    """

    loaded_s: float
    first_s: float
    peak_mb: float


@dataclass
class Measured:
    """What both sides did with a media, a run for each round.

    stages: the project's, one after the other; index: the project as users start it.
    decode_one_s, decode_all_s: decoding alone in one thread and in one a core.
    difference: of all comparisons, a clip's in short segments, too, which are not timed.
    """

    media: Media
    naive: list[Run] = field(default_factory=list)
    stages: list[Run] = field(default_factory=list)
    index: list[Run] = field(default_factory=list)
    decode_one_s: list[float] = field(default_factory=list)
    decode_all_s: list[float] = field(default_factory=list)
    gemm_gflops: list[float] = field(default_factory=list)
    dropping: Dropping | None = None
    starts: dict[str, Start] = field(default_factory=dict)
    checked: Checked | None = None
    difference: Difference = Difference()


def measure(
    media: Media, tasks: Mapping[str, Task], rounds: int, tolerances: Tolerances
) -> Measured:
    """Measure both sides on a media and compare their results.

    tasks: by side. Raises RuntimeError if a side fails.
    """
    measured = Measured(media)
    with ExitStack() as stack:
        workers, first_s = {}, {}
        for side in SIDES:
            workers[side] = stack.enter_context(Worker(side, tasks[side]))
            begun_s = time.perf_counter()
            workers[side].call("warm_up", media.paths[0])
            first_s[side] = time.perf_counter() - begun_s
        for number in range(rounds):
            _round(measured, workers, turned=number % 2 == 1)
            if number == 0:
                for side, worker in workers.items():
                    peak_mb = worker.call("peak_memory_mb")
                    measured.starts[side] = Start(worker.started_s, first_s[side], peak_mb)
            measured.stages.append(_run(workers["project"], media))
            _ceiling(measured, workers)
        if media.is_video:
            measured.dropping = workers["project"].call("dropping", media.paths[0])
            _compare_segments(measured, workers["project"], tolerances)
        _compare(measured, workers["naive"], tolerances)
    return measured


def _round(measured: Measured, workers: Mapping[str, Worker], *, turned: bool) -> None:
    for side in SIDES[::-1] if turned else SIDES:
        if side == "naive":
            measured.naive.append(_run(workers[side], measured.media))
        else:
            measured.index.append(workers[side].call("index", measured.media.paths))


def _run(worker: Worker, media: Media) -> Any:
    return (
        worker.call("video", media.paths[0])
        if media.is_video
        else worker.call("photos", media.paths)
    )


def _ceiling(measured: Measured, workers: Mapping[str, Worker]) -> None:
    measured.gemm_gflops.append(workers["naive"].call("gemm_gflops"))
    if measured.media.is_video:
        path = measured.media.paths[0]
        measured.decode_one_s.append(workers["project"].call("decode", path, 1)[1])
        measured.decode_all_s.append(workers["project"].call("decode", path, 0)[1])


def _compare_segments(measured: Measured, project: Worker, tolerances: Tolerances) -> None:
    """Compare a video in segments, each found by seeking and several at a time, with one pass."""
    media = measured.media
    stages = project.call("video", media.paths[0], SEGMENT_S)
    index = project.call("index", media.paths, SEGMENT_S)
    where = f"{media.name} in segments of {SEGMENT_S:g} s"
    measured.difference += compare_index(where, stages, index, tolerances)
    measured.difference += compare_borders(where, measured.index[0], index, SEGMENT_S)


def _compare(measured: Measured, naive: Worker, tolerances: Tolerances) -> None:
    media, stages = measured.media, measured.stages[0]
    if media.is_video:
        checked: Checked = naive.call(
            "check_video", media.paths[0], measured.naive[0], stages, tolerances
        )
    else:
        checked = naive.call("check_photos", media.paths, stages, tolerances)
    measured.checked = checked
    measured.difference += checked.difference
    for run in measured.index:
        measured.difference += compare_index(media.name, stages, run, tolerances)
