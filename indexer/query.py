"""What is searched for -> unit vectors: photos, a video, a stored face, a named person."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from indexer.errors import (
    EnvironmentFailure,
    MediaError,
    ModelMismatch,
    NoFace,
    NotFound,
    UsageError,
)
from indexer.lookup import find_face
from indexer.records import Filters
from indexer.text import counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import Box, Face, Media
    from indexer.reports import Progress
    from indexer.settings import Settings
    from indexer.sources import Source

    OpenMedia = Callable[[Path], AbstractContextManager[tuple[Media, Source]]]

FaceChoice = int | Literal["largest", "all"]


@dataclass(frozen=True)
class Query:
    """Something to search for.

    vectors: (n, dimensions) float32, rows of length 1; a media's score is its highest cosine to
    any. description: what a person would call it. number, box_xyxy: which face of the photo it
    is, counted from 1 at the left, and where, if it is one of a photo's. thumbnail: JPEG. model:
    key of what made the vectors; None if that is not known. among_others: in words, the faces that
    were taken of photos that show several.
    """

    vectors: np.ndarray = field(repr=False, compare=False)
    description: str
    number: int | None = None
    box_xyxy: Box | None = None
    thumbnail: bytes | None = field(default=None, repr=False, compare=False)
    model: str | None = field(default=None, compare=False)
    among_others: tuple[str, ...] = ()


class PictureQueries:
    """Makes queries from pictures with an index's model; networks load with the first picture.

    spec: says where the index's model lies now, if it is not where it was. progress: told how far
    a video is worked on. opened: opens a photo or video for reading; by default in this process.
    called: what a file is called in messages and descriptions; by default its path.
    """

    def __init__(
        self,
        index: Index,
        settings: Settings,
        *,
        spec: str = "",
        networks: Networks | None = None,
        progress: Progress | None = None,
        opened: OpenMedia | None = None,
        called: Callable[[Path], str] = str,
    ) -> None:
        self._index = index
        self._settings = settings
        self._spec = spec
        self._networks = networks
        self._progress = progress
        self._opened = opened or self._open
        self._called = called

    @property
    def networks(self) -> Networks:
        """The detector and the index's embedding model.

        Raises EnvironmentFailure for an index without any, ModelMismatch if the index has another
        model by now than the one that was loaded.
        """
        model = self._index.model
        if model is None:
            raise EnvironmentFailure(
                "The index is empty. Fill it first: sightings index PATH --model MODEL"
            )
        if self._networks is None:
            from indexer.networks import load_networks

            self._networks = load_networks(model, self._settings, spec=self._spec)
        loaded = self._networks.embedder.identity
        if loaded.key != model.key:
            raise ModelMismatch(
                f"The index was made with {model.key}, and {loaded.key} is loaded: their "
                "embeddings cannot be compared. Load the index's model and ask again."
            )
        return self._networks

    def photo(self, path: Path, face: FaceChoice = "largest") -> list[Query]:
        """Return the chosen faces of a photo, from left to right.

        Raises NoFace if it shows none, UsageError if it has no face of that number, MediaError if
        it cannot be read.
        """
        return photo_queries([(self._called(path), self.faces(path))], [face])

    def photos(self, paths: Sequence[Path], *faces: FaceChoice) -> list[Query]:
        """Return one query for several photos of one person: the mean of their unit vectors.

        faces: one for each photo; without any, the largest of each.
        """
        return photo_queries([(self._called(path), self.faces(path)) for path in paths], faces)

    def faces(self, path: Path) -> list[Face]:
        """Return all faces of a photo from left to right. Raises NoFace, MediaError."""
        from indexer.pipeline import process_segment
        from indexer.sources import spans_of

        with self._opened(path) as (media, source):
            if media.kind != "photo":
                raise MediaError(f"{shown(self._called(path))} is not a photo.")
            span = spans_of(source, "photo", self._settings.keyframes.segment_s)[0]
            faces = process_segment(media, span, source, self.networks).faces
        if not faces:
            raise NoFace(f"No face was found in {shown(self._called(path))}{self._gates()}.")
        return sorted(faces, key=lambda face: face.box_xyxy)

    def video(self, path: Path) -> Query:
        """Return the appearances of a video, each by the mean of its faces.

        Raises NoFace if nobody appears, MediaError if it cannot be read.
        """
        from indexer.pipeline import process_segment
        from indexer.reports import Progress
        from indexer.sources import spans_of
        from indexer.tracks import unpack_tracks

        name, networks = self._called(path), self.networks
        progress = self._progress or Progress()
        progress.start_run(1)
        with self._opened(path) as (media, source):
            if media.kind != "video":
                raise MediaError(f"{shown(name)} is not a video.")
            progress.start_file(name, media.duration_s)
            reach = partial(progress.reach, name)
            parts = [
                process_segment(media, span, source, networks, on_time=reach)
                for span in spans_of(source, "video", self._settings.keyframes.segment_s)
            ]
        progress.finish_file(name)
        tracks = [track for part in parts for track in unpack_tracks(part.tracks)[0]]
        if not tracks:
            raise NoFace(f"Nobody is seen in {shown(name)}{self._gates()}.")
        thumbnail = next(face.thumbnail for part in parts for face in part.faces)
        vectors = np.array([track.mean for track in tracks])
        model = networks.embedder.identity.key
        return Query(vectors, name, thumbnail=thumbnail, model=model)

    def any_media(self, paths: Sequence[Path], face: FaceChoice = "largest") -> list[Query]:
        """Return the queries that photos, or one video, stand for."""
        kinds = {self._probe(path).kind for path in paths}
        if kinds == {"photo"}:
            return self.photos(paths, *([] if face == "largest" else [face]))
        if len(paths) > 1 or face != "largest":
            raise UsageError("A query is photos of one person or a single video, without --face.")
        return [self.video(paths[0])]

    @contextmanager
    def _open(self, path: Path) -> Iterator[tuple[Media, Source]]:
        from indexer.sources import open_source

        media = self._probe(path)
        with open_source(path, media.kind, self._settings) as source:
            yield media, source

    def _probe(self, path: Path) -> Media:
        from indexer.media import probe

        return probe(path, "query", self._settings.media)

    def _gates(self) -> str:
        faces = self._settings.faces
        return (
            f" (looked for: {faces.min_face_px} px or larger, probability "
            f"{faces.min_probability:g}; --set faces.min_face_px=20 looks for smaller ones)"
        )


def photo_queries(
    photos: Sequence[tuple[str, Sequence[Face]]], chosen: Sequence[FaceChoice] = ()
) -> list[Query]:
    """Return what photos stand for: the mean of the faces chosen, or each face chosen of one photo.

    photos: what each is called, and its faces from left to right. chosen: one for each photo;
    without any, the largest of each. Raises UsageError for a face that is not there, and for more
    than one face of any of several photos.
    """
    choices = chosen or ["largest"] * len(photos)
    if len(choices) != len(photos) or (len(photos) > 1 and "all" in choices):
        raise UsageError(
            "A face goes with a single photo, or one with each of several (and not `all`)."
        )
    listed = [
        query
        for (name, faces), choice in zip(photos, choices, strict=True)
        for query in _chosen(name, faces, choice)
    ]
    if len(photos) == 1:
        return listed
    return [
        Query(
            vectors=mean_vector(np.concatenate([query.vectors for query in listed])),
            description=f"{len(photos)} photos",
            thumbnail=listed[0].thumbnail,
            model=listed[0].model,
            among_others=tuple(text for query in listed for text in query.among_others),
        )
    ]


def _chosen(name: str, faces: Sequence[Face], face: FaceChoice) -> list[Query]:
    if face == "all":
        chosen = list(range(len(faces)))
    elif face == "largest":
        chosen = [largest(faces)]
    elif 1 <= face <= len(faces):
        chosen = [face - 1]
    else:
        raise UsageError(
            f"{shown(name)} shows {counted(len(faces), 'face')}; face {face} is not one of them."
        )
    called = [f"face {i + 1} of {len(faces)} in {name}" for i in range(len(faces))]
    return [
        Query(
            vectors=faces[i].vector[None],
            description=called[i],
            number=i + 1,
            box_xyxy=faces[i].box_xyxy,
            thumbnail=faces[i].thumbnail,
            model=faces[i].model,
            among_others=(called[i],) if len(faces) > 1 else (),
        )
        for i in chosen
    ]


def largest(faces: Sequence[Face]) -> int:
    """Return which of a photo's faces is the largest, counted from 0."""
    return int(np.argmax([face.face_px for face in faces]))


def stored_face_query(index: Index, face_id: str) -> Query:
    """Return a query for a face of the index. Raises NotFound."""
    face = find_face(index, face_id)
    thumbnail = index.thumbnail(face.id)
    name = f"stored face {face_id}"
    return Query(face.vector[None], name, thumbnail=thumbnail, model=face.model)


def person_query(index: Index, name: str) -> Query:
    """Return a query for the mean of a person's named faces. Raises NotFound if there is none."""
    faces = list(index.iter_faces(Filters(persons=(name,)), embeddings=True))
    if not faces:
        raise NotFound(f"No face is named {name!r}; `sightings people list` shows the names.")
    vectors = mean_vector(np.array([face.vector for face in faces]))
    thumbnail = index.thumbnail(faces[0].id)
    return Query(vectors, name, thumbnail=thumbnail, model=faces[0].model)


def mean_vector(vectors: np.ndarray) -> np.ndarray:
    """Return the mean of unit vectors, of length 1: (n, dimensions) -> (1, dimensions) float32."""
    mean = vectors.astype(np.float64).mean(axis=0)
    unit: np.ndarray = (mean / np.linalg.norm(mean)).astype(np.float32)
    return unit[None]
