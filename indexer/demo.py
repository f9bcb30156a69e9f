"""A demonstration on freely licensed photos that come in installed packages.

The photos show Eileen Collins, astronaut (NASA, public domain, in scikit-image), and Grace Hopper,
computer scientist (US Navy, public domain, in Matplotlib). Those without people are scikit-image's
coffee and rocket (both CC0).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from indexer.settings import Settings

WIDTH, HEIGHT, FRAMES_PER_S = 640, 360, 25
ANSWER_WITHIN_S = 3.0


@dataclass(frozen=True)
class DemoMedia:
    """What the demonstration indexes (`folder`) and searches with (`query`)."""

    folder: Path
    query: Path


def pick_model(settings: Settings, asked_for: str = "") -> tuple[str, str]:
    """Return a model and why it was picked: FaceNet if its weights can be had, else dlib.

    Weights can be had if they are there, or if their source answers within 3 seconds. Nothing
    else in Sightings picks a model.
    """
    from indexer.embeddings.facenet import VGGFACE2
    from indexer.weights import find_weights, reachable

    if named := asked_for or settings.model:
        return named, "it was asked for"
    if path := find_weights(VGGFACE2, settings.facenet_weights or None):
        return "facenet", f"its weights are there: {path}"
    if reachable(VGGFACE2, ANSWER_WITHIN_S):
        return "facenet", f"its weights will be downloaded once from {VGGFACE2.url}"
    return "dlib", (
        f"FaceNet's weights are not there and {VGGFACE2.url} did not answer within "
        f"{ANSWER_WITHIN_S:g} s; dlib's come with an installed package"
    )


def make_media(folder: Path) -> DemoMedia:
    """Write the photos and a video of seven shots into a folder.

    Raises MissingExtra if Matplotlib or scikit-image is not installed.
    """
    from PIL import Image

    eileen, grace, coffee, rocket = _pictures()
    media = folder / "media"
    media.mkdir(parents=True, exist_ok=True)
    for name, picture in (("eileen", eileen), ("grace", grace), ("coffee", coffee)):
        Image.fromarray(picture).save(media / f"{name}.png")
    query = folder / "query.jpg"
    mirrored = Image.fromarray(eileen[:, ::-1]).resize((384, 384))
    mirrored.save(query, quality=80)
    both = np.concatenate([_fitted(grace, WIDTH // 2), _fitted(eileen, WIDTH // 2)], axis=1)
    shots = [(coffee, 2), (eileen, 4), (rocket, 3), (grace, 4), (coffee, 2), (both, 4), (rocket, 2)]
    _write_video(media / "pioneers.mp4", shots)
    return DemoMedia(media, query)


def _pictures() -> list[np.ndarray]:
    try:
        from matplotlib import cbook
        from PIL import Image
        from skimage import data
    except ImportError as error:
        raise MissingExtra("The demonstration", "demo") from error
    portraits: Any = cbook
    samples: Any = data  # both typed in some versions only
    with Image.open(portraits.get_sample_data("grace_hopper.jpg")) as portrait:
        grace = np.asarray(portrait.convert("RGB"))
    return [samples.astronaut(), grace, samples.coffee(), samples.rocket()]


def _write_video(path: Path, shots: Sequence[tuple[np.ndarray, float]]) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, image in enumerate(_frames(shots)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _frames(shots: Sequence[tuple[np.ndarray, float]]) -> Iterator[np.ndarray]:
    """Yield each shot's frames: the camera moves slowly towards the picture's upper middle."""
    import cv2

    for picture, seconds in shots:
        whole = _fitted(picture, WIDTH)
        count = round(seconds * FRAMES_PER_S)
        for i in range(count):
            zoom = 1.0 + 0.15 * i / count
            scaled: Any = cv2.resize(whole, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
            x, y = (scaled.shape[1] - WIDTH) // 2, (scaled.shape[0] - HEIGHT) // 4
            yield np.ascontiguousarray(scaled[y : y + HEIGHT, x : x + WIDTH])


def _fitted(picture: np.ndarray, width: int) -> np.ndarray:
    """Return a picture scaled and cut at its upper middle to width x HEIGHT."""
    import cv2

    height, full_width = picture.shape[:2]
    scale = max(width / full_width, HEIGHT / height)
    size = (max(width, round(full_width * scale)), max(HEIGHT, round(height * scale)))
    scaled: np.ndarray = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    x, y = (size[0] - width) // 2, (size[1] - HEIGHT) // 8
    return scaled[y : y + HEIGHT, x : x + width]
