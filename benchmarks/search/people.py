"""Vectors to search: made-up people spread as FaceNet spreads real ones, or those of an index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

DIMENSIONS = 512
FACES_OF_PERSON = 20
SAME_PERSON = 0.7
"""Median cosine of two faces of a made-up person."""

_LATENT = 64
_DECAY = 0.25
_MADE_TOGETHER = 1 << 15


@dataclass(frozen=True)
class Crowd:
    """Faces to search and query vectors of the same people that are not among them.

    vectors: (n, dimensions) float32 of length 1, in no order; queries: (q, dimensions) alike.
    persons: (n,) int.
    """

    name: str
    vectors: np.ndarray
    persons: np.ndarray
    queries: np.ndarray

    def __len__(self) -> int:
        return len(self.vectors)


def made_up(faces: int, *, queries: int, seed: int = 0) -> Crowd:
    """Return people of about 20 faces each.

    FaceNet's 512 numbers of a face vary in about 64 directions, some more than others: cosines of
    strangers in LFW have a standard deviation of 0.156. Independent noise in 512 directions would
    give 0.044, and far fewer strangers near a query than there are. Here it is 0.14 to 0.16.
    """
    rng = np.random.default_rng(seed)
    people = max(1, faces // FACES_OF_PERSON)
    deviations = np.arange(1, _LATENT + 1, dtype=np.float32) ** -_DECAY
    directions, _ = np.linalg.qr(rng.standard_normal((DIMENSIONS, _LATENT)))
    basis = (directions.T * deviations[:, None]).astype(np.float32)
    basis /= np.linalg.norm(deviations)
    centres = rng.standard_normal((people, _LATENT), np.float32)
    persons = rng.integers(0, people, faces)
    vectors = np.empty((faces, DIMENSIONS), np.float32)
    for start in range(0, faces, _MADE_TOGETHER):
        part = slice(start, start + _MADE_TOGETHER)
        vectors[part] = _around(rng, centres[persons[part]], basis)
    asked = rng.choice(persons, queries)
    name = f"{faces} faces of {people} made-up people"
    return Crowd(name, vectors, persons, _around(rng, centres[asked], basis))


def _around(rng: np.random.Generator, centres: np.ndarray, basis: np.ndarray) -> np.ndarray:
    noise = rng.standard_normal(centres.shape, np.float32)
    mixed = np.sqrt(SAME_PERSON) * centres + np.sqrt(1 - SAME_PERSON) * noise
    vectors = mixed.astype(np.float32) @ basis
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors, np.float32)


def of_index(location: Path, *, queries: int, seed: int = 0) -> Crowd:
    """Return the faces of an index; people are the folders of their media, as in LFW.

    Queries are taken from people of several faces, and leave the collection.
    """
    from indexer.engines import open_index

    with open_index(str(location)) as index:
        folders = {media.id: Path(media.path).parent.name for media in index.iter_media()}
        faces = [
            (face.vector, folders[face.media_id]) for face in index.iter_faces(embeddings=True)
        ]
    vectors = np.array([vector for vector, _ in faces], np.float32)
    _, persons, sizes = np.unique(
        [folder for _, folder in faces], return_inverse=True, return_counts=True
    )
    shuffled = np.random.default_rng(seed).permutation(len(vectors))
    asked = shuffled[sizes[persons[shuffled]] > 1][:queries]
    kept = np.setdiff1d(shuffled, asked)
    name = f"{len(kept)} faces of {location.name}"
    return Crowd(name, vectors[kept], persons[kept], vectors[asked])
