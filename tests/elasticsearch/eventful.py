"""A collection in which everything has happened, with who is to be deleted from it and how."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.engines.elastic.values import exact_key
from tests.elasticsearch.traces import Patterns, of_blob, of_faces, of_texts
from tests.engines.builders import (
    OTHER_MODEL,
    WHOLE,
    claim,
    finish,
    link,
    make_face,
    make_label,
    photo,
    put_path,
    random_vectors,
    start,
    video,
)

if TYPE_CHECKING:
    import numpy as np

    from indexer.engines.base import Index
    from indexer.records import Face, Media


@dataclass(frozen=True)
class Story:
    """Who is deleted how, and what of each was stored.

    kept: what must stay. hasty: a face that is only deleted, as any document.
    """

    index: Index
    media: tuple[str, ...]
    faces: tuple[str, ...]
    person: str
    of_media: Patterns
    of_faces: Patterns
    of_person: Patterns
    kept: Patterns
    hasty: Face
    of_hasty: Patterns

    @property
    def gone(self) -> Patterns:
        return self.of_media | self.of_faces | self.of_person


def add_faces(index: Index, name: str, count: int = 8) -> list[Face]:
    """Index a photo of faces whose vectors and thumbnails occur nowhere else."""
    source = random.Random(name)
    media = photo(name)
    put_path(index, media, f"/photos of {name}/{name}.jpg")
    faces = [
        make_face(media, vector, x=8.0 * i, thumbnail=source.randbytes(2000))
        for i, vector in enumerate(random_vectors(count, seed=source.randrange(2**32)))
    ]
    finish(index, start(index, media), faces)
    link(index, media)
    return faces


def tell(index: Index) -> Story:
    """Index faces, name them, embed them anew, and leave a video half done."""
    media, part, person, kept = (
        add_faces(index, name) for name in ("gonemedia", "partgone", "persongone", "keptmedia")
    )
    index.label([make_label(media[0], "Mia Gonemedia"), make_label(part[0], "Pia Gonepart")])
    index.label([make_label(face, "Ann Goneperson") for face in person[:4]])
    index.label([make_label(kept[0], "Bob Kept")])
    # A deletion in an old version, too: these faces had one name when it was replaced.
    new = re_embed(index)

    tracks = random.Random("tracks").randbytes(3000)
    working = video("gonevideo")
    put_path(index, working, "/videos/gonevideo.mp4")
    index.start_media(working, WHOLE)
    of_video = later_face(working)
    finish(index, claim(index, working), [of_video], tracks=tracks)
    hasty = later_face(photo("hasty"))
    index.start_media(photo("hasty"), WHOLE)
    finish(index, claim(index, photo("hasty")), [hasty])
    index.refresh()
    return Story(
        index,
        media=(photo("gonemedia").id, working.id),
        faces=tuple(face.id for face in part[:4]),
        person="Ann Goneperson",
        of_media={
            **of_faces([*media, of_video], new),
            **of_texts(photo("gonemedia").id, working.id, "Mia Gonemedia", "gonevideo.mp4"),
            **of_texts("photos of gonemedia", exact_key("/videos/gonevideo.mp4")),
            **of_texts(exact_key("Mia Gonemedia")),
            "tracks": of_blob(tracks),
        },
        of_faces={
            **of_faces(part[:4], new),
            **of_texts("Pia Gonepart", exact_key("Pia Gonepart")),
        },
        of_person={
            **of_faces(person[:4], new),
            **of_texts("Ann Goneperson", exact_key("Ann Goneperson")),
        },
        kept={
            **of_faces([*part[4:], *person[4:], *kept], new),
            **of_texts("Bob Kept", "photos of keptmedia", photo("keptmedia").id),
        },
        hasty=hasty,
        of_hasty={name: of for name, of in of_faces([hasty], {}).items() if "id" not in name},
    )


def later_face(media: Media) -> Face:
    """A face of the second model."""
    source = random.Random(media.id)
    (vector,) = random_vectors(1, source.randrange(2**32), OTHER_MODEL.dimensions)
    return make_face(media, vector, model=OTHER_MODEL.key, thumbnail=source.randbytes(2000))


def re_embed(index: Index) -> dict[str, np.ndarray]:
    """Put another model in place of the first; return the new vectors."""
    ids = [face.id for face in index.iter_faces()]
    rows = random_vectors(len(ids), seed=99, dimensions=OTHER_MODEL.dimensions)
    vectors = dict(zip(ids, rows, strict=True))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, vectors)
    index.activate_version(OTHER_MODEL.key)
    return vectors
