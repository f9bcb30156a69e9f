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

FRAMES_BATCH = 8
"""Key frames that go through the project's detector together, as its default settings say."""


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

    number: of the frame in its video, or of the photo in the list. boxes: (n, 4) x1, y1, x2, y2 in
    pixels. vectors: (n, 512) of length 1; row i belongs to boxes[i].
    """

    number: int
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
class Run:
    """What one pass over a clip or some photos took and gave.

    stages_s: seconds in each of STAGES; of a pass whose stages overlap it is empty. cpu_s: of all
    threads. frames, key_frames: how many were decoded and kept. faces_met: on all kept frames; an
    index stores the best of them.
    """

    stages_s: dict[str, float]
    wall_s: float
    cpu_s: float
    frames: int
    key_frames: int
    faces_met: int
    seen: tuple[Seen, ...] = field(repr=False)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the frames or photos in `seen`."""
        return [each.number for each in self.seen]


class Stopwatch:
    """Adds up the seconds spent in each stage."""

    def __init__(self) -> None:
        self.stages_s = dict.fromkeys(STAGES, 0.0)
        self._begun_s, self._begun_cpu_s = time.perf_counter(), time.process_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done within as a stage's."""
        begun_s = time.perf_counter()
        yield
        self.stages_s[name] += time.perf_counter() - begun_s

    def run(self, frames: int, seen: list[Seen]) -> Run:
        """Stop, and return what was done meanwhile."""
        wall_s = time.perf_counter() - self._begun_s
        cpu_s = time.process_time() - self._begun_cpu_s
        faces = sum(len(each.boxes) for each in seen)
        return Run(self.stages_s, wall_s, cpu_s, frames, len(seen), faces, tuple(seen))


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
