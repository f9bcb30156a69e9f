"""Made-up faces for tests: people are directions in embedding space."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np

from indexer.looks import Look
from indexer.records import Face, Label, face_id

DIMENSIONS = 32
MEDIA_ID = "a" * 32
LEFT, RIGHT = (20.0, 20.0, 80.0, 80.0), (200.0, 20.0, 260.0, 80.0)


def vector(person: str, likeness: float = 1.0, variant: int = 0) -> np.ndarray:
    """Return a unit vector whose cosine to the person's own is `likeness`."""
    own = _direction(person)
    other = _direction(f"{person}/{variant}")
    other -= own * (own @ other)
    other /= np.linalg.norm(other)
    return (own * likeness + other * np.sqrt(1 - likeness**2)).astype(np.float32)


def face(
    person: str,
    timestamp_s: float = 0.0,
    box=LEFT,
    *,
    likeness: float = 1.0,
    media_id: str = MEDIA_ID,
    model: str = "test-model",
    **fields,
) -> Face:
    """Return a stored face of a made-up person; it is not named so."""
    x1, y1, x2, y2 = box
    landmarks = tuple(
        (x1 + (x2 - x1) * x, y1 + (y2 - y1) * y)
        for x, y in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    )
    values = {
        "id": face_id(media_id, timestamp_s, box),
        "media_id": media_id,
        "segment": int(timestamp_s // 60),
        "frame_index": round(timestamp_s * 25),
        "timestamp_s": timestamp_s,
        "box_xyxy": box,
        "landmarks_xy": landmarks,
        "frame_width": 320,
        "frame_height": 180,
        "probability": 0.99,
        "face_px": min(x2 - x1, y2 - y1),
        "sharpness": 200.0,
        "model": model,
        "embedding": vector(person, likeness, round(timestamp_s * 1000)),
        "thumbnail": f"picture of {person} at {timestamp_s}".encode(),
    }
    return Face(**(values | fields))


def look(timestamp_s: float, until_s: float | None = None, *, cut: bool = False) -> Look:
    """Return the look of a key frame whose picture does not matter."""
    until_s = timestamp_s if until_s is None else until_s
    return Look(round(timestamp_s * 25), timestamp_s, 40.0 if cut else 9.0, until_s, 320, 240, ())


def label(target: Face, person: str, source="hand", second: int = 0) -> Label:
    """Return a label on a face, made at some second."""
    made = datetime(2026, 1, 1, 0, 0, second, tzinfo=timezone.utc)
    return Label(target.media_id, target.timestamp_s, target.box_xyxy, person, source, made)


def _direction(name: str) -> np.ndarray:
    seed = list(name.encode())
    direction = np.random.default_rng(seed).normal(size=DIMENSIONS)
    return direction / np.linalg.norm(direction)
