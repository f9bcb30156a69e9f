"""What was measured, as rows of tables: medians of the rounds, ratios of each round's pair."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.ingest.records import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.ingest.measuring import Measured
    from benchmarks.ingest.records import Spent

GOALS = {2: 20.0, 10: 12.0, 20: 7.0, None: 3.5}
"""How many times as fast as the naive side indexing is to be, by per cent of frames kept."""


@dataclass(frozen=True)
class MediaRow:
    """What was given, and what was found in it."""

    media: str
    megabytes: float
    pictures: int
    kept: int
    kept_percent: float
    faces: int
    naive_faces: int


@dataclass(frozen=True)
class EndRow:
    """From files to vectors: the naive loop beside indexing into a file."""

    media: str
    naive_s: float
    naive_cpu_s: float
    project_s: float
    project_cpu_s: float
    times_as_fast: float
    least: float
    most: float
    times_by_cpu: float
    goal: float
    all_naive_s: list[float]
    all_project_s: list[float]


@dataclass(frozen=True)
class StageRow:
    """One stage; the project's stages run one after the other for this.

    project_percent: of the processor time of all its stages.
    """

    media: str
    stage: str
    naive_s: float
    naive_cpu_s: float
    project_s: float
    project_cpu_s: float
    project_percent: float
    times_as_fast: float
    times_by_cpu: float
    all_naive_s: list[float]
    all_project_s: list[float]


@dataclass(frozen=True)
class CeilingRow:
    """What decoding and the networks' arithmetic need at least, beside what indexing took.

    floor_s: decoding on all cores, and the networks at the speed of a product of matrices;
    times_at_floor: how many times as fast as the naive side that would be.
    dropped_percent: cost of a dropped frame over decoding it, unless it is rechecked;
    rechecked_percent: of the frames that are compared.
    """

    media: str
    decode_per_s: float | None
    decode_all_cores_per_s: float | None
    mtcnn_gflop: float
    facenet_gflop: float
    gemm_gflops: float
    floor_s: float
    times_at_floor: float
    project_s: float
    floor_percent: float
    dropped_percent: float | None
    rechecked_percent: float | None


@dataclass(frozen=True)
class ProcessRow:
    """A side's start, and its memory after the first round."""

    media: str
    side: str
    loaded_s: float
    first_picture_s: float
    peak_mb: float


@dataclass(frozen=True)
class SameRow:
    """How far results lay apart at most on the same frames; `ties`: by the decoders' rounding."""

    media: str
    pictures: int
    faces: int
    boxes_px: str
    vectors: str
    ties: int
    differences: int


def media_row(measured: Measured) -> MediaRow:
    """Return what was given and found."""
    run, naive = measured.stages[0], measured.naive[0]
    return MediaRow(
        media=measured.media.name,
        megabytes=sum(path.stat().st_size for path in measured.media.paths) / 1e6,
        pictures=run.frames,
        kept=run.key_frames,
        kept_percent=100 * run.key_frames / run.frames,
        faces=run.faces_met,
        naive_faces=naive.faces_met,
    )


def end_row(measured: Measured) -> EndRow:
    """Return how long both sides took in all."""
    pair = _Pair([run.whole for run in measured.naive], [run.whole for run in measured.index])
    return EndRow(
        media=measured.media.name,
        naive_s=median(pair.naive_s),
        naive_cpu_s=median(pair.naive_cpu_s),
        project_s=median(pair.project_s),
        project_cpu_s=median(pair.project_cpu_s),
        times_as_fast=median(pair.times),
        least=min(pair.times),
        most=max(pair.times),
        times_by_cpu=median(pair.cpu_times),
        goal=GOALS[measured.media.kept_percent],
        all_naive_s=pair.naive_s,
        all_project_s=pair.project_s,
    )


def stage_rows(measured: Measured) -> Iterator[StageRow]:
    """Yield each stage, and their sum."""
    names = [name for name in STAGES if measured.media.is_video or name != "filter"]
    pairs = {
        name: _Pair([run.stages[name] for run in measured.naive],
                    [run.stages[name] for run in measured.stages])
        for name in names
    }  # fmt: skip
    pairs["all stages"] = whole = _Pair(
        [run.whole for run in measured.naive], [run.whole for run in measured.stages]
    )
    for name, pair in pairs.items():
        yield StageRow(
            media=measured.media.name,
            stage=name,
            naive_s=median(pair.naive_s),
            naive_cpu_s=median(pair.naive_cpu_s),
            project_s=median(pair.project_s),
            project_cpu_s=median(pair.project_cpu_s),
            project_percent=100 * median(pair.project_cpu_s) / median(whole.project_cpu_s),
            times_as_fast=median(pair.times),
            times_by_cpu=median(pair.cpu_times),
            all_naive_s=pair.naive_s,
            all_project_s=pair.project_s,
        )


def ceiling_row(measured: Measured) -> CeilingRow:
    """Return the least that decoding and arithmetic need."""
    assert measured.checked is not None
    one_s, all_s = (
        median(each) if each else None for each in (measured.decode_one_s, measured.decode_all_s)
    )
    frames = measured.stages[0].frames
    gflop = measured.checked.mtcnn_gflop + measured.checked.facenet_gflop
    gflops = max(measured.gemm_gflops)
    floor_s, project_s = (
        (all_s or 0.0) + gflop / gflops,
        median(run.whole.wall_s for run in measured.index),
    )
    dropping = measured.dropping
    return CeilingRow(
        media=measured.media.name,
        decode_per_s=frames / one_s if one_s else None,
        decode_all_cores_per_s=frames / all_s if all_s else None,
        mtcnn_gflop=measured.checked.mtcnn_gflop,
        facenet_gflop=measured.checked.facenet_gflop,
        gemm_gflops=gflops,
        floor_s=floor_s,
        times_at_floor=median(run.whole.wall_s for run in measured.naive) / floor_s,
        project_s=project_s,
        floor_percent=100 * floor_s / project_s,
        dropped_percent=100 * dropping.cost if dropping else None,
        rechecked_percent=100 * dropping.rechecked if dropping else None,
    )


def process_rows(measured: Measured) -> Iterator[ProcessRow]:
    """Yield what each side's process took to start, and its memory."""
    for side, start in measured.starts.items():
        yield ProcessRow(measured.media.name, side, start.loaded_s, start.first_s, start.peak_mb)


def same_row(measured: Measured) -> SameRow:
    """Return how far results lay apart."""
    assert measured.checked is not None
    run, difference = measured.stages[0], measured.difference
    return SameRow(
        media=measured.media.name,
        pictures=run.key_frames,
        faces=run.faces_met,
        boxes_px=f"{difference.box_px:.5f}",
        vectors=f"{difference.vector:.1e}",
        ties=measured.checked.ties,
        differences=len(difference.texts),
    )


class _Pair:
    """What both sides spent on the same, round by round."""

    def __init__(self, naive: Sequence[Spent], project: Sequence[Spent]) -> None:
        self.naive_s = [spent.wall_s for spent in naive]
        self.naive_cpu_s = [spent.cpu_s for spent in naive]
        self.project_s = [spent.wall_s for spent in project]
        self.project_cpu_s = [spent.cpu_s for spent in project]
        self.times = _ratios(self.naive_s, self.project_s)
        self.cpu_times = _ratios(self.naive_cpu_s, self.project_cpu_s)


def _ratios(slow: Sequence[float], fast: Sequence[float]) -> list[float]:
    # The processor's clock may not have ticked in the shortest stages.
    return [a / max(b, 1e-9) for a, b in zip(slow, fast, strict=True)]
