"""The faces that are written and looked for: people who appear in several videos each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from indexer.records import Face, Media, ModelIdentity, face_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VIDEO_S = 600.0
FACES_OF_APPEARANCE = 5
APPEARANCES_OF_PERSON = 4
THUMBNAIL_BYTES = 3000
DIMENSIONS = 512
INDEXED_AT = datetime(2025, 1, 1, tzinfo=timezone.utc)

_NOISE = np.random.default_rng(0).bytes(1 << 22)
"""What thumbnails are cut from: like JPEG, it cannot be compressed."""


@dataclass(frozen=True)
class Gallery:
    """Faces in order of their videos, and query vectors of the same people that are not among them.

    vectors: (n, dimensions) float32 of length 1. persons: (n,) int. queries: (q, dimensions)
    float32, query_persons: (q,) int. Faces stand in videos of `video_faces`, the last perhaps less,
    five to an appearance; appearances follow each other.
    """

    name: str
    vectors: np.ndarray
    persons: np.ndarray
    queries: np.ndarray
    query_persons: np.ndarray
    video_faces: int

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def videos(self) -> np.ndarray:
        """The number of each face's video, (n,) int."""
        return np.asarray(np.arange(len(self)) // self.video_faces)

    @property
    def appearance_starts_s(self) -> np.ndarray:
        """The time at which each face's appearance starts, (n,) float."""
        within = np.arange(len(self)) % self.video_faces
        return np.asarray((within - within % FACES_OF_APPEARANCE) * VIDEO_S / self.video_faces)

    @property
    def model(self) -> ModelIdentity:
        """A model of these dimensions."""
        return ModelIdentity("benchmark", self.vectors.shape[1], "none", "0" * 64, "none", "none")

    def media(self, number: int) -> Media:
        """Return a video."""
        media_id = f"{number:032x}"
        paths = (f"/videos/{media_id}.mp4",)
        return Media(media_id, "video", 1 << 20, 1920, 1080, VIDEO_S, paths=paths, options="none")

    def all_media(self) -> list[Media]:
        """Return all videos."""
        return [self.media(number) for number in range(-(-len(self) // self.video_faces))]

    def faces(self) -> Iterator[Face]:
        """Yield the faces of all videos, with names and appearances."""
        model = self.model.key
        yield from (self._face(n, model) for n in range(len(self)))

    def _face(self, n: int, model: str) -> Face:
        media_id, within = f"{n // self.video_faces:032x}", n % self.video_faces
        step_s, first = VIDEO_S / self.video_faces, within - within % FACES_OF_APPEARANCE
        time_s = within * step_s
        left, top = 40.0 + 8 * (n % 150), 80.0 + 8 * (n % 90)
        box = (left, top, left + 100.0, top + 120.0)
        at = n * 37 % (len(_NOISE) - THUMBNAIL_BYTES)
        return Face(
            id=face_id(media_id, time_s, box),
            media_id=media_id,
            segment=0,
            frame_index=round(time_s * 25),
            timestamp_s=time_s,
            box_xyxy=box,
            landmarks_xy=tuple((left + 20.0 + 10 * i, top + 40.5) for i in range(5)),
            frame_width=1920,
            frame_height=1080,
            probability=0.99,
            face_px=100.0,
            sharpness=120.0,
            model=model,
            person=f"Person {self.persons[n]}",
            appearance_id=f"{media_id}-{first}",
            appearance_start_s=first * step_s,
            appearance_end_s=(first + FACES_OF_APPEARANCE - 1) * step_s,
            indexed_at=INDEXED_AT,
            embedding=self.vectors[n],
            thumbnail=_NOISE[at : at + THUMBNAIL_BYTES],
        )


def synthetic(faces: int, *, queries: int = 1, video_faces: int = 100, seed: int = 0) -> Gallery:
    """Return people of about 20 faces; two faces of one have cosines from 0.45 to 0.85."""
    rng = np.random.default_rng(seed)
    appearances = -(-faces // FACES_OF_APPEARANCE)
    people = -(-appearances // APPEARANCES_OF_PERSON)
    of_appearance = rng.permutation(np.repeat(np.arange(people), APPEARANCES_OF_PERSON))
    persons = np.repeat(of_appearance[:appearances], FACES_OF_APPEARANCE)[:faces]
    centres = _unit(rng.standard_normal((people, DIMENSIONS), np.float32))
    asked = rng.choice(persons, queries)
    vectors, query_vectors = _around(rng, centres[persons]), _around(rng, centres[asked])
    name = f"{faces} faces of {people} made-up people"
    return Gallery(name, vectors, persons, query_vectors, asked, video_faces)


def of_people(
    name: str, vectors: np.ndarray, people: Sequence[str], *, queries: int, seed: int = 0
) -> Gallery:
    """Return real vectors, shuffled into videos; queries are faces of people with several."""
    rng = np.random.default_rng(seed)
    _, persons = np.unique(people, return_inverse=True)
    shuffled = rng.permutation(len(vectors))
    # Each person's first face stays, so that every query has somebody to find.
    _, firsts = np.unique(persons[shuffled], return_index=True)
    others = np.delete(shuffled, firsts)
    asked = others[:queries]
    kept = rng.permutation(np.setdiff1d(shuffled, asked))
    title = f"{len(kept)} {name}"
    return Gallery(title, vectors[kept], persons[kept], vectors[asked], persons[asked], 100)


def _around(rng: np.random.Generator, centres: np.ndarray) -> np.ndarray:
    """Return a vector near each centre; the cosine to it squared is between 0.45 and 0.85."""
    squared = rng.uniform(0.45, 0.85, (len(centres), 1)).astype(np.float32)
    noise = _unit(rng.standard_normal(centres.shape, np.float32))
    return _unit(np.sqrt(squared) * centres + np.sqrt(1 - squared) * noise)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, np.float32)
