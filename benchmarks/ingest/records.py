"""What the two sides of the benchmark are asked to do, and what they tell of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    Array = np.ndarray[Any, Any]

STAGES = ("decode", "filter", "detect", "embed")


@dataclass(frozen=True)
class Task:
    """What both sides work with.

    weights: FaceNet's file. device: `cpu` or `cuda`. min_face_px: of the side that gets this.
    """

    weights: Path
    min_face_px: int
    device: Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Seen:
    """The faces of one frame that was kept, or of one photo.

    number: of the frame in its video, or of the photo in the list. timestamp_s: of the frame; 0 of
    a photo. boxes: (n, 4) x1, y1, x2, y2 in pixels. vectors: (n, 512) of length 1; row i belongs to
    boxes[i].
    """

    number: int
    timestamp_s: float
    boxes: Array = field(repr=False)
    vectors: Array = field(repr=False)


@dataclass(frozen=True)
class Tolerances:
    """How far results may lie apart and still be the same.

    box_px: any edge of a box. vector: any component of a unit vector. delta_e: a difference to a
    threshold of the filter.
    """

    box_px: float = 0.01
    vector: float = 1e-5
    delta_e: float = 0.01


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and of the processor time of all threads."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    @classmethod
    def until_now(cls) -> Spent:
        """Return both since some moment in the past; two of these make a stretch of time."""
        return cls(time.perf_counter(), time.process_time())

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


@dataclass(frozen=True)
class Run:
    """What one pass over a clip or some photos took and gave.

    stages: what each of STAGES took; of a pass whose stages overlap it is empty. whole: all of it.
    frames, key_frames: how many were decoded and kept. faces_met: on all kept frames; an
    index stores the best of them. spans: from when to when each appearance in an index of a video
    lasts, in seconds; None of everything else.
    """

    stages: dict[str, Spent]
    whole: Spent
    frames: int
    key_frames: int
    faces_met: int
    seen: tuple[Seen, ...] = field(repr=False)
    spans: tuple[tuple[float, float], ...] | None = None

    @property
    def numbers(self) -> list[int]:
        """The numbers of the frames or photos in `seen`."""
        return [each.number for each in self.seen]


class Stopwatch:
    """Adds up the seconds spent in each stage."""

    def __init__(self) -> None:
        self._stages = dict.fromkeys(STAGES, Spent())
        self._begun = Spent.until_now()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done within as a stage's."""
        begun = Spent.until_now()
        yield
        self._stages[name] += Spent.until_now() - begun

    def moved(self, spent: Spent, *, source: str, target: str) -> None:
        """Count what was spent within one stage as another's."""
        self._stages[source] -= spent
        self._stages[target] += spent

    def run(self, frames: int, seen: list[Seen]) -> Run:
        """Stop, and return what was done meanwhile."""
        whole = Spent.until_now() - self._begun
        faces = sum(len(each.boxes) for each in seen)
        return Run(self._stages, whole, frames, len(seen), faces, tuple(seen))


def peak_memory_mb() -> float:
    """Return the most that this process has held in memory so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: its peak begins with that of the process that started this one.
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))
    import resource
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
