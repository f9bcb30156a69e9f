"""What was measured, as rows of tables: medians of the rounds, ratios of each round's pair."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.detection.recall import recall_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.detection.measuring import Measured
    from benchmarks.detection.sides import Seen


@dataclass(frozen=True)
class SpeedRow:
    """facenet-pytorch beside the default settings, and how far boxes and landmarks lie apart.

    by_least_cpu: ratio of the least processor time of all rounds, which other work on the machine
    disturbs least.
    """

    pictures: str
    count: int
    faces: int
    naive_s: float
    naive_cpu_s: float
    project_s: float
    project_cpu_s: float
    times_as_fast: float
    least: float
    most: float
    times_by_cpu: float
    by_least_cpu: float
    goal: float | None
    apart_px: str
    differences: int
    all_naive_s: list[float]
    all_project_s: list[float]
    all_naive_cpu_s: list[float]
    all_project_cpu_s: list[float]


@dataclass(frozen=True)
class SettingsRow:
    """Other settings beside the default ones.

    found_percent: of the faces that the default settings find. from_its_min: of those that are as
    large as its own min_face_px; the fields below, of those whose shorter side has so many pixels.
    extra: faces that the default settings do not find.
    """

    pictures: str
    min_face_px: int
    max_side_px: int
    s: float
    times_as_fast: float
    times_by_cpu: float
    by_least_cpu: float
    faces: int
    found_percent: float | None
    from_its_min: float | None
    from_40_to_60: float | None
    from_60_to_80: float | None
    from_80_to_120: float | None
    from_120: float | None
    extra: int
    all_cpu_s: list[float]


def speed_row(measured: Measured) -> SpeedRow:
    """Return how long both sides took."""
    naive, project = measured.naive, measured.default
    times = _clock_ratios(naive, project)
    return SpeedRow(
        pictures=measured.pictures.name,
        count=len(measured.pictures.images),
        faces=_count(project[0]),
        naive_s=median(_clock_s(naive)),
        naive_cpu_s=median(_processor_s(naive)),
        project_s=median(_clock_s(project)),
        project_cpu_s=median(_processor_s(project)),
        times_as_fast=median(times),
        least=min(times),
        most=max(times),
        times_by_cpu=median(_processor_ratios(naive, project)),
        by_least_cpu=min(_processor_s(naive)) / min(_processor_s(project)),
        goal=measured.pictures.goal,
        apart_px=f"{measured.difference.box_px:.5f}",
        differences=len(measured.difference.texts),
        all_naive_s=_clock_s(naive),
        all_project_s=_clock_s(project),
        all_naive_cpu_s=_processor_s(naive),
        all_project_cpu_s=_processor_s(project),
    )


def settings_rows(measured: Measured) -> Iterator[SettingsRow]:
    """Yield the default settings, then each of the others, with what they find of its faces."""
    looks = {measured.default_look: measured.default, **measured.others}
    reference = [faces[:, :4] for faces in measured.default[0].faces]
    for look, seen in looks.items():
        recall = recall_of(reference, [faces[:, :4] for faces in seen[0].faces])
        yield SettingsRow(
            pictures=measured.pictures.name,
            min_face_px=look.min_face_px,
            max_side_px=look.max_side_px,
            s=median(_clock_s(seen)),
            times_as_fast=median(_clock_ratios(measured.default, seen)),
            times_by_cpu=median(_processor_ratios(measured.default, seen)),
            by_least_cpu=min(_processor_s(measured.default)) / min(_processor_s(seen)),
            faces=_count(seen[0]),
            found_percent=recall.percent(),
            from_its_min=recall.percent(look.min_face_px),
            from_40_to_60=recall.percent(40, 60),
            from_60_to_80=recall.percent(60, 80),
            from_80_to_120=recall.percent(80, 120),
            from_120=recall.percent(120),
            extra=recall.extra,
            all_cpu_s=_processor_s(seen),
        )


def _count(seen: Seen) -> int:
    return sum(len(faces) for faces in seen.faces)


def _clock_s(runs: Sequence[Seen]) -> list[float]:
    return [seen.spent.wall_s for seen in runs]


def _processor_s(runs: Sequence[Seen]) -> list[float]:
    return [seen.spent.cpu_s for seen in runs]


def _clock_ratios(slow: Sequence[Seen], fast: Sequence[Seen]) -> list[float]:
    return [a.spent.wall_s / b.spent.wall_s for a, b in zip(slow, fast, strict=True)]


def _processor_ratios(slow: Sequence[Seen], fast: Sequence[Seen]) -> list[float]:
    return [a.spent.cpu_s / b.spent.cpu_s for a, b in zip(slow, fast, strict=True)]
