"""What is searched for -> unit vectors: photos, a video, a stored face, a named person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from indexer.errors import EnvironmentFailure, ModelMismatch, NoFace, NotFound, UsageError
from indexer.lookup import find_face
from indexer.records import Filters
from indexer.text import counted, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.ingest import Progress
    from indexer.networks import Networks
    from indexer.records import Box, Face, Media
    from indexer.settings import Settings

FaceChoice = int | Literal["largest", "all"]


@dataclass(frozen=True)
class Query:
    """Something to search for.

    vectors: (n, dimensions) float32, rows of length 1; a media's score is its highest cosine to
    any. description: what a person would call it. number, box_xyxy: which face of the photo it
    is, counted from 1 at the left, and where, if it is one of a photo's. thumbnail: JPEG.
    """

    vectors: np.ndarray = field(repr=False, compare=False)
    description: str
    number: int | None = None
    box_xyxy: Box | None = None
    thumbnail: bytes | None = field(default=None, repr=False, compare=False)


class PictureQueries:
    """Makes queries from pictures with an index's model; networks load with the first picture.

    spec: says where the index's model lies now, if it is not where it was. progress: told how far
    a video is worked on.
    """

    def __init__(
        self,
        index: Index,
        settings: Settings,
        *,
        spec: str = "",
        networks: Networks | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._index = index
        self._settings = settings
        self._spec = spec
        self._networks = networks
        self._progress = progress

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
        faces = self._faces_of_photo(path)
        if face == "all":
            chosen = list(range(len(faces)))
        elif face == "largest":
            chosen = [int(np.argmax([candidate.face_px for candidate in faces]))]
        elif 1 <= face <= len(faces):
            chosen = [face - 1]
        else:
            raise UsageError(
                f"{shown(path)} shows {counted(len(faces), 'face')}; --face {face} is not one of "
                "them."
            )
        return [
            Query(
                vectors=faces[i].vector[None],
                description=f"face {i + 1} of {len(faces)} in {path}",
                number=i + 1,
                box_xyxy=faces[i].box_xyxy,
                thumbnail=faces[i].thumbnail,
            )
            for i in chosen
        ]

    def photos(self, paths: Sequence[Path], face: FaceChoice = "largest") -> list[Query]:
        """Return one query for several photos of one person: the mean of their unit vectors."""
        if len(paths) == 1:
            return self.photo(paths[0], face)
        if face != "largest":
            raise UsageError("--face goes with a single photo; of several, the largest is taken.")
        singles = [self.photo(path)[0] for path in paths]
        return [
            Query(
                vectors=mean_vector(np.concatenate([single.vectors for single in singles])),
                description=f"{len(paths)} photos",
                thumbnail=singles[0].thumbnail,
            )
        ]

    def video(self, path: Path) -> Query:
        """Return the appearances of a video, each by the mean of its faces.

        Raises NoFace if nobody appears, MediaError if it cannot be read.
        """
        from indexer.ingest import Progress
        from indexer.pipeline import process_segment
        from indexer.sources import open_source, spans_of
        from indexer.tracks import unpack_tracks

        media, networks = self._probe(path), self.networks
        progress = self._progress or Progress()
        progress.start_run(1)
        progress.start_file(str(path), media.duration_s)
        with open_source(path, "video", self._settings) as source:
            parts = [
                process_segment(media, span, source, networks, on_time=progress.reach)
                for span in spans_of(source, "video", self._settings.keyframes.segment_s)
            ]
        progress.finish_file()
        tracks = [track for part in parts for track in unpack_tracks(part.tracks)[0]]
        if not tracks:
            raise NoFace(f"Nobody is seen in {shown(path)}{self._gates()}.")
        thumbnail = next(face.thumbnail for part in parts for face in part.faces)
        return Query(np.array([track.mean for track in tracks]), str(path), thumbnail=thumbnail)

    def any_media(self, paths: Sequence[Path], face: FaceChoice = "largest") -> list[Query]:
        """Return the queries that photos, or one video, stand for."""
        kinds = {self._probe(path).kind for path in paths}
        if kinds == {"photo"}:
            return self.photos(paths, face)
        if len(paths) > 1 or face != "largest":
            raise UsageError("A query is photos of one person or a single video, without --face.")
        return [self.video(paths[0])]

    def _faces_of_photo(self, path: Path) -> list[Face]:
        from indexer.pipeline import process_segment
        from indexer.sources import open_source, spans_of

        media = self._probe(path)
        with open_source(path, "photo", self._settings) as source:
            span = spans_of(source, "photo", self._settings.keyframes.segment_s)[0]
            faces = process_segment(media, span, source, self.networks).faces
        if not faces:
            raise NoFace(f"No face was found in {shown(path)}{self._gates()}.")
        return sorted(faces, key=lambda face: face.box_xyxy)

    def _probe(self, path: Path) -> Media:
        from indexer.media import probe

        return probe(path, "query", self._settings.media)

    def _gates(self) -> str:
        faces = self._settings.faces
        return (
            f" (looked for: {faces.min_face_px} px or larger, probability "
            f"{faces.min_probability:g}; --set faces.min_face_px=20 looks for smaller ones)"
        )


def stored_face_query(index: Index, face_id: str) -> Query:
    """Return a query for a face of the index. Raises NotFound."""
    face = find_face(index, face_id)
    thumbnail = index.thumbnail(face.id)
    return Query(face.vector[None], f"stored face {face_id}", thumbnail=thumbnail)


def person_query(index: Index, name: str) -> Query:
    """Return a query for the mean of a person's named faces. Raises NotFound if there is none."""
    faces = list(index.iter_faces(Filters(persons=(name,)), embeddings=True))
    if not faces:
        raise NotFound(f"No face is named {name!r}; `sightings people list` shows the names.")
    vectors = mean_vector(np.array([face.vector for face in faces]))
    return Query(vectors, name, thumbnail=index.thumbnail(faces[0].id))


def mean_vector(vectors: np.ndarray) -> np.ndarray:
    """Return the mean of unit vectors, of length 1: (n, dimensions) -> (1, dimensions) float32."""
    mean = vectors.astype(np.float64).mean(axis=0)
    unit: np.ndarray = (mean / np.linalg.norm(mean)).astype(np.float32)
    return unit[None]
