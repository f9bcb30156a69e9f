"""A rendered video of known people at known times: the ground truth of the end-to-end tests.

Six LFW people in shots with cuts, pans, two at once and nobody; three minutes at 640 x 360.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDTH, HEIGHT, FRAMES_PER_S, PHOTO_PX = 640, 360, 25, 300

PEOPLE = (
    "Nicole_Kidman",
    "Tiger_Woods",
    "Lleyton_Hewitt",
    "Megawati_Sukarnoputri",
    "Tony_Blair",
    "Jennifer_Capriati",
)


@dataclass(frozen=True)
class Shot:
    """Who is seen for how long, from which of their photos; `pan` moves the camera."""

    people: tuple[str, ...]
    seconds: float
    photo: int = 1
    pan: bool = False


def script() -> list[Shot]:
    """Return the shots of the three minutes."""
    kidman, woods, hewitt, megawati, blair, capriati = PEOPLE
    return [
        Shot((), 3),
        Shot((kidman,), 8),
        Shot((woods,), 6.4),
        Shot((), 5),
        Shot((hewitt, megawati), 10),
        Shot((blair,), 12, pan=True),
        Shot((kidman, blair), 9, photo=2),
        Shot((), 4.6),
        Shot((capriati,), 1.2),
        Shot((woods,), 0.8, photo=2),
        Shot((capriati,), 4, photo=2),
        Shot((megawati,), 14, photo=2, pan=True),
        Shot((), 7),
        Shot((hewitt,), 20, photo=2),
        Shot((woods, kidman), 11, photo=3, pan=True),
        Shot((blair,), 9, photo=3),
        Shot((), 10),
        Shot((megawati, capriati), 13, photo=3),
        Shot((kidman,), 16, photo=4),
        Shot((hewitt,), 16, photo=3),
    ]


def spans_of(shots: list[Shot]) -> dict[str, list[tuple[float, float]]]:
    """Return when each person is seen, neighbouring shots joined."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    start_s = 0.0
    for shot in shots:
        end_s = start_s + shot.seconds
        for person in shot.people:
            seen = spans[person]
            if seen and abs(seen[-1][1] - start_s) < 1e-6:
                seen[-1] = (seen[-1][0], end_s)
            else:
                seen.append((start_s, end_s))
        start_s = end_s
    return dict(spans)


def render(path: Path, lfw: Path, shots: list[Shot]) -> None:
    """Write the shots as an H.264 video."""
    with av.open(str(path), "w") as container:
        options = {"crf": "21", "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, image in enumerate(_frames(lfw, shots)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def photo(lfw: Path, person: str, number: int) -> Path:
    """Return a person's photo."""
    return lfw / person / f"{person}_{number:04d}.jpg"


def _frames(lfw: Path, shots: list[Shot]) -> Iterator[np.ndarray]:
    for number, shot in enumerate(shots):
        canvas = _backdrop(number)
        for place, person in enumerate(shot.people):
            with Image.open(photo(lfw, person, shot.photo)) as portrait:
                picture = np.asarray(portrait.convert("RGB").resize((PHOTO_PX, PHOTO_PX)))
            centre = (canvas.shape[1] * (2 * place + 1)) // (2 * len(shot.people))
            x, y = centre - PHOTO_PX // 2, (canvas.shape[0] - PHOTO_PX) // 2
            canvas[y : y + PHOTO_PX, x : x + PHOTO_PX] = picture
        count = round(shot.seconds * FRAMES_PER_S)
        room_x, room_y = canvas.shape[1] - WIDTH, canvas.shape[0] - HEIGHT
        for i in range(count):
            along = i / max(count - 1, 1) if shot.pan else 0.5
            x, y = round(room_x * along), room_y // 2
            yield np.ascontiguousarray(canvas[y : y + HEIGHT, x : x + WIDTH])


def _backdrop(seed: int) -> np.ndarray:
    """Return soft coloured clouds, larger than the frame so that the camera can move."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 8, 3)).astype(np.float32)
    clouds = cv2.resize(coarse, (WIDTH + 80, HEIGHT + 40), interpolation=cv2.INTER_CUBIC)
    return np.clip(clouds, 0, 255).astype(np.uint8)
