"""The settings: what can be set, what it defaults to, and why.

Each field's metadata holds its help text, which the command line and the README's table show.
`load` resolves them: flag, then SIGHTINGS_* variable, then file, then default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class MediaSettings:
    """What counts as media."""

    max_pixels: int = _setting(
        178_956_970,
        "largest photo in pixels; Pillow's own limit against decompression bombs (0.5 GB as RGB)",
    )


@dataclass(frozen=True)
class KeyframeSettings:
    """Which frames of a video are looked at."""

    strategy: str = _setting("delta-e", "delta-e, fps=R, random=N or all")
    min_delta_e: float = _setting(6.0, "mean CIELAB difference from which a frame is new")
    min_cell_delta_e: float = _setting(
        18.0, "the same for any one cell of a 16 x 9 grid: a small face hides in a mean"
    )
    max_gap_s: float = _setting(2.0, "a frame is new after this time, however alike")
    reference: Literal["last-kept", "previous"] = _setting(
        "last-kept", "what a frame is compared with; `previous` misses slow drift"
    )
    order: Literal["difference-first", "faces-first"] = _setting(
        "difference-first", "whether frames are compared before or after looking for faces"
    )
    segment_s: float = _setting(60.0, "the filter restarts at each multiple: the unit of retry")
    seed: int = _setting(0, "seed of random=N")


@dataclass(frozen=True)
class FaceSettings:
    """Which faces are kept."""

    min_face_px: int = _setting(40, "smallest face, shorter side of its box, in pixels")
    min_probability: float = _setting(0.9, "lowest probability of the detector's last network")
    max_side_px: int = _setting(
        0, "larger pictures are reduced to this side to look for faces; 0: never"
    )
    min_sharpness: float = _setting(0.0, "blurred faces below it are dropped; see faces.sharpness")
    batch_size: int = _setting(8, "key frames looked at together")
    device: str = _setting("auto", "auto (CUDA where there is one), cpu or cuda")


@dataclass(frozen=True)
class AppearanceSettings:
    """How faces of a video become appearances."""

    max_gap_s: float = _setting(2.0, "a person unseen for longer starts a new appearance")
    max_faces: int = _setting(5, "faces kept of an appearance")


@dataclass(frozen=True)
class Settings:
    """All settings."""

    index: str = _setting("", "path of the index; empty: faces.sightings in the user's data folder")
    model: str = _setting("", "embedding model: facenet, facenet:PATH, dlib or onnx:PATH")
    facenet_weights: str = _setting("", "path of FaceNet's weights for the model `facenet`")
    media: MediaSettings = MediaSettings()
    keyframes: KeyframeSettings = KeyframeSettings()
    faces: FaceSettings = FaceSettings()
    appearances: AppearanceSettings = AppearanceSettings()
