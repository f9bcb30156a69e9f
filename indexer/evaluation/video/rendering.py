"""A plan -> pictures -> an H.264 file. Nothing here decides anything: plans do."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.video.geometry import FACE_CENTRE, FACE_WIDTH, placements, views
from indexer.evaluation.video.plan import DISSOLVE_S, FRAMES_PER_S, HEIGHT, WIDTH
from indexer.evaluation.video.scenes import clouds, grainy, noise_field, resized, seen_from
from indexer.photos import read_photo
from indexer.settings import MediaSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from indexer.evaluation.video.geometry import Placements
    from indexer.evaluation.video.plan import Actor, ClipPlan, Shot

    Array = np.ndarray[Any, Any]

SIZE = (WIDTH, HEIGHT)
ENCODING = {"crf": "21", "preset": "veryfast"}

_CUT_OUT = (0.36, 0.46)
"""Half width and height of the ellipse that is cut out of a photo, in parts of its side: the head
with its hair, and little of others who stand beside."""

_SOFT = 0.12  # width of its soft edge, in parts of its radius


def frames_of(plan: ClipPlan, photos: Path) -> Iterator[Array]:
    """Yield the frames of a clip, (HEIGHT, WIDTH, 3) uint8 RGB. photos: the folder of photos."""
    rng = np.random.default_rng(plan.seed)
    noise = noise_field(rng, WIDTH, HEIGHT)
    for shot in plan.shots:
        for picture in _filmed(shot, rng, photos):
            yield grainy(rng, picture, noise)


def encode(plan: ClipPlan, photos: Path, file: BinaryIO) -> str:
    """Write a clip as H.264 in MP4; return the SHA-256 of its pictures before they are encoded.

    One thread, as the encoder's output depends on how many there are.
    """
    import av

    digest = hashlib.sha256()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=ENCODING)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for number, image in enumerate(frames_of(plan, photos)):
            digest.update(image.tobytes())
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return digest.hexdigest()


def _filmed(shot: Shot, rng: np.random.Generator, photos: Path) -> Iterator[Array]:
    """Yield a shot's frames, without noise."""
    places = views(shot)
    origin = np.floor(places.min(axis=0))
    room = np.ceil(places.max(axis=0) - origin).astype(int) + 2
    ground = clouds(rng, WIDTH + int(room[0]), HEIGHT + int(room[1]))
    ground = np.clip(ground, 0, 255).astype(np.uint8)
    cut_outs = [_CutOut(actor, shot, photos) for actor in shot.actors]
    for number in range(shot.frames):
        x, y = (places[number] - origin).tolist()
        picture = seen_from(ground, x, y, SIZE)
        for cut_out in cut_outs:
            cut_out.draw(picture, number)
        if shot.light != 1.0:
            picture = np.round(picture * shot.light).astype(np.uint8)
        yield picture


class _CutOut:
    """An actor's photos, cut out, that are drawn where the actor is."""

    def __init__(self, actor: Actor, shot: Shot, photos: Path) -> None:
        self._actor = actor
        self._where: Placements = placements(actor, shot)
        self._photos = [_read(photos / name) for name in actor.photos]
        self._sizes: dict[tuple[int, int], Array] = {}
        self._masks: dict[int, Array] = {}
        self._largest_px = round(float(self._where.face_px.max()) / FACE_WIDTH)

    def draw(self, picture: Array, number: int) -> None:
        """Draw the actor into a frame of the shot, in place."""
        import cv2

        where = self._where
        wanted_px = float(where.face_px[number]) / FACE_WIDTH
        side = self._largest_px
        while side >= 2 * wanted_px:  # or pixels would be left out, which flickers
            side = -(-side // 2)
        matrix, (left, top, right, bottom) = _turned(where, number, wanted_px / side, side)
        if left >= right or top >= bottom:
            return
        matrix[:, 2] -= left, top
        room = right - left, bottom - top
        face = cv2.warpAffine(
            self._look(number / FRAMES_PER_S, side), matrix, room, borderMode=cv2.BORDER_REPLICATE
        )
        mask = np.asarray(cv2.warpAffine(self._mask(side), matrix, room))[..., None]
        part = picture[top:bottom, left:right]
        part[:] = np.round(part + mask * (face.astype(np.float32) - part)).astype(np.uint8)

    def _look(self, at_s: float, side: int) -> Array:
        """Return the photo that is shown at a time, or the mixture of it and the one before."""
        import cv2

        changes = self._actor.changes_s
        shown = sum(at_s >= change for change in changes)
        now = self._sized(shown, side)
        if not shown:
            return now
        since = (at_s - changes[shown - 1]) / DISSOLVE_S
        if since >= 1.0:
            return now
        return np.asarray(cv2.addWeighted(now, since, self._sized(shown - 1, side), 1 - since, 0))

    def _sized(self, number: int, side: int) -> Array:
        if (number, side) not in self._sizes:
            self._sizes[number, side] = resized(self._photos[number], side)
        return self._sizes[number, side]

    def _mask(self, side: int) -> Array:
        if side not in self._masks:
            self._masks[side] = _ellipse(side)
        return self._masks[side]


def _turned(
    where: Placements, number: int, scale: float, side: int
) -> tuple[Array, tuple[int, int, int, int]]:
    """Return how a photo of `side` pixels lies in the frame, and the part of the frame it needs."""
    angle = np.deg2rad(where.roll_deg[number])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([where.x[number], where.y[number]])
    shift = centre - turn @ (np.array(FACE_CENTRE) * side)
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) @ turn.T + shift
    low = np.clip(np.floor(corners.min(axis=0)), 0, SIZE).astype(int).tolist()
    high = np.clip(np.ceil(corners.max(axis=0)), 0, SIZE).astype(int).tolist()
    return np.column_stack([turn, shift]), (low[0], low[1], high[0], high[1])


def _ellipse(side: int) -> Array:
    """Return how opaque a photo's pixels are, (side, side) float32: 1 in the head, 0 outside."""
    at = (np.arange(side) + 0.5) / side
    x, y = (at - 0.5) / _CUT_OUT[0], (at - 0.5) / _CUT_OUT[1]
    radius = np.hypot(x[None, :], y[:, None])
    opaque: Array = np.clip((1.0 - radius) / _SOFT, 0.0, 1.0).astype(np.float32)
    return opaque


def _read(path: Path) -> Array:
    return read_photo(path, MediaSettings()).image_rgb
