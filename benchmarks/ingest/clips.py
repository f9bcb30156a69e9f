"""The benchmark's clips, rendered from real faces so that a wanted share of frames is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ingest.scenes import Shot, filmed, stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    Array = np.ndarray[Any, Any]

SIZES = {"1080p": (1920, 1080), "720p": (1280, 720), "360p": (640, 360)}

BT709 = 1
"""The colour matrix of HD video, which most files state; of 720p none is stated here."""

# At 30000/1001 frames a second no two frames lie exactly the largest gap of one second apart, so
# that no decision depends on the rounding of times.
NTSC = Fraction(30_000, 1001)

SCRIPTS = {
    2: (Shot(2, 0.9, 0.6), Shot(8, 0.35, 0.4)),
    10: (
        Shot(1, 1.0, 0.3),
        Shot(4, 0.4, 0.3, speed=1.0),
        Shot(2, 0.8, 0.25),
        Shot(16, 0.24, 0.15, speed=0.8),
    ),
    20: (
        Shot(1, 1.0, 0.3, speed=1.0),
        Shot(20, 0.24, 0.1, speed=1.2),
        Shot(3, 0.7, 0.25),
        Shot(6, 0.4, 0.35, speed=0.9),
    ),
}
"""Shots by the per cent of frames to be kept: close-ups, groups and a crowd; some four faces are
seen on a kept frame, twelve at most."""

_MEASURED_HEIGHT_PX = 180
"""While a clip's speed is sought, frames of about this height are sampled from its canvases."""

VERSION = 1  # of what is rendered: files of other versions are not used again


@dataclass(frozen=True)
class ClipPlan:
    """A clip to be rendered: a size of SIZES, and how many per cent of frames are to be kept."""

    size: str
    kept_percent: int
    frames: int
    seed: int = 0

    @property
    def name(self) -> str:
        """The name by which options and tables know it, such as `1080p-10`."""
        return f"{self.size}-{self.kept_percent}"

    @property
    def rate(self) -> Fraction:
        """Frames a second: 60 in the clip of which only the largest gap keeps frames."""
        return 2 * NTSC if self.kept_percent < 100 / NTSC else NTSC


def parse_plan(name: str, frames: int) -> ClipPlan:
    """Return the plan that a name such as `1080p-10` stands for. Raises ValueError."""
    size, _, percent = name.partition("-")
    if size not in SIZES or not percent.isdigit() or int(percent) not in SCRIPTS:
        names = ", ".join(f"{s}-{p}" for s in SIZES for p in SCRIPTS)
        raise ValueError(f"There is no clip {name!r}: give some of {names}.")
    return ClipPlan(size, int(percent), frames)


def render(plan: ClipPlan, photos: Sequence[Path], folder: Path) -> Path:
    """Return the clip's file in a folder; rendered, unless one of the same content is there."""
    listed = "\n".join(f"{photo.parent.name}/{photo.name}" for photo in photos)
    recipe = f"{VERSION} {plan} {SCRIPTS[plan.kept_percent]} {listed}"
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:10]
    path = folder / f"{plan.name}-{plan.frames}-{digest}.mp4"
    if not path.exists():
        shots, size = SCRIPTS[plan.kept_percent], SIZES[plan.size]
        rng = np.random.default_rng(plan.seed)
        canvases = stages(rng, photos, shots, size)
        frames = filmed(rng, canvases, shots, size, plan.frames, _speed(plan, canvases))
        part = path.with_suffix(".part.mp4")
        _encode(part, frames, plan)
        part.replace(path)
    return path


def _speed(plan: ClipPlan, canvases: Sequence[Array]) -> float:
    """Return the camera's speed at which the filter keeps the wanted share of frames, about."""
    shots = SCRIPTS[plan.kept_percent]
    if not any(shot.speed for shot in shots):
        return 0.0
    width, height = SIZES[plan.size]
    step = height // _MEASURED_HEIGHT_PX
    sampled = [np.ascontiguousarray(each[::step, ::step]) for each in canvases]
    size = width // step, height // step
    wanted = plan.kept_percent / 100 * plan.frames
    slow, fast = 1e-4, 0.1
    tried: dict[float, float] = {}
    for _ in range(9):
        speed = (slow * fast) ** 0.5
        rng = np.random.default_rng(plan.seed)
        kept = _kept(filmed(rng, sampled, shots, size, plan.frames, speed), plan.rate)
        tried[speed] = abs(kept - wanted)
        slow, fast = (slow, speed) if kept > wanted else (speed, fast)
    return min(tried, key=tried.__getitem__)


def _kept(frames: Iterable[Array], rate: Fraction) -> int:
    from benchmarks.ingest.rule import key_frame_settings
    from indexer.keyframes import key_frames
    from indexer.records import Frame

    numbered = (Frame(i, float(i / rate), image) for i, image in enumerate(frames))
    return sum(1 for _ in key_frames(numbered, key_frame_settings()))


def _encode(path: Path, frames: Iterable[Array], plan: ClipPlan) -> None:
    import av

    width, height = SIZES[plan.size]
    with av.open(str(path), "w") as container:
        options = {"crf": "21", "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=plan.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        matrix = BT709 if plan.size == "1080p" else None
        if matrix:
            stream.codec_context.colorspace = matrix
        for number, image in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            if matrix:
                picture = picture.reformat(format="yuv420p", dst_colorspace=matrix)
            picture.pts, picture.time_base = number, 1 / plan.rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
