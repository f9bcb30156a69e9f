"""What is to be rendered: clips of shots, in which people move and a camera moves over them.

Lengths are in pixels of the frame, times in seconds from a shot's start. A plan says everything
but the pixels of the photos, so equal plans and photos give equal clips.
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT = 640, 360
FRAMES_PER_S = 25

DISSOLVE_S = 0.32
"""How long one photo of a person turns into the next: about as long as a head takes to turn."""


@dataclass(frozen=True)
class Pose:
    """Where a face is at a time: its centre in the world, and its box's width."""

    at_s: float
    x: float
    y: float
    face_px: float


@dataclass(frozen=True)
class View:
    """Where the camera is at a time: the world's place at the frame's upper left corner."""

    at_s: float
    x: float
    y: float


@dataclass(frozen=True)
class Actor:
    """A person in a shot.

    photos: by name, `Name/Name_0001.jpg`; they follow each other at the times `changes_s`. path:
    poses in order of time, with straight lines between them. sway_px: how far the face moves about
    its path, as nobody stands still; phase: where in that movement it begins, in radians.
    """

    person: str
    photos: tuple[str, ...]
    path: tuple[Pose, ...]
    changes_s: tuple[float, ...] = ()
    sway_px: float = 2.0
    phase: float = 0.0


@dataclass(frozen=True)
class Shot:
    """A part of a clip between two cuts.

    kind: what its script is called. actors: the last is in front. camera: views in order of time,
    with straight lines between them. shake_px: of a camera held by hand; 0 is a tripod. light: what
    all colours are multiplied by.
    """

    kind: str
    frames: int
    actors: tuple[Actor, ...] = ()
    camera: tuple[View, ...] = (View(0.0, 0.0, 0.0),)
    shake_px: float = 0.0
    light: float = 1.0


@dataclass(frozen=True)
class ClipPlan:
    """A clip: shots that follow each other by hard cuts. seed: of its clouds and noise."""

    name: str
    shots: tuple[Shot, ...]
    seed: int

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        return sum(shot.frames for shot in self.shots)
