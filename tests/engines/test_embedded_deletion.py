"""What is deleted from the embedded engine is gone from its files, byte for byte."""

from __future__ import annotations

import random
import sqlite3
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.engines.embedded.index import open_embedded
from indexer.errors import PurgeUnfinished
from indexer.tracks import pack_tracks
from tests.engines.builders import (
    OTHER_MODEL,
    add_photo,
    add_video,
    axis,
    finish,
    link,
    make_face,
    make_label,
    make_track,
    photo,
    put_path,
    random_vectors,
    start,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.records import Face


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "faces.sightings"


@pytest.fixture
def index(location: Path) -> Iterator[Index]:
    with open_embedded(str(location), create=True, busy_timeout_s=0.2) as opened:
        yield opened


def add_faces(index: Index, name: str, count: int, thumbnail_bytes: int = 3000) -> list[Face]:
    """Index a photo of faces whose vectors and thumbnails occur nowhere else."""
    source = random.Random(name)
    media = photo(name)
    put_path(index, media, f"/photos of {name}.jpg")
    vectors = random_vectors(count, seed=source.randrange(2**32))
    faces = [
        make_face(media, vector, x=8.0 * i, thumbnail=source.randbytes(thumbnail_bytes))
        for i, vector in enumerate(vectors)
    ]
    finish(index, start(index, media), faces)
    link(index, media)
    return faces


def vectors_of(faces: Iterable[Face]) -> list[bytes]:
    return [face.vector.tobytes() for face in faces]


def bytes_of(faces: Iterable[Face]) -> list[bytes]:
    faces = list(faces)
    return vectors_of(faces) + [face.thumbnail or b"" for face in faces]


def traces(location: Path, blobs: Iterable[bytes], *texts: str) -> int:
    """How many of the blobs and texts have left something in the files of the index."""
    content = b"".join(file.read_bytes() for file in location.parent.glob(f"{location.name}*"))
    left = 0
    for blob in (*blobs, *(text.encode() for text in texts)):
        size = min(len(blob), 16)
        left += any(blob[i : i + size] in content for i in range(0, len(blob) - size + 1, 256))
    return left


def hold_old_state(location: Path) -> sqlite3.Connection:
    """Return a connection that keeps reading the index as it is now."""
    reader = sqlite3.connect(location, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM faces").fetchone()
    return reader


def test_a_deleted_media_leaves_no_trace(index: Index, location: Path) -> None:
    gone, kept = add_faces(index, "gone", 20), add_faces(index, "kept", 20)
    index.label([make_label(gone[0], "Ann Gone"), make_label(kept[0], "Bob Kept")])
    texts = "/photos of gone.jpg", "Ann Gone", photo("gone").id
    assert traces(location, bytes_of(gone), *texts) == 43
    index.delete_media([photo("gone").id])
    assert traces(location, bytes_of(gone), *texts) == 0
    assert traces(location, bytes_of(kept), "/photos of kept.jpg", "Bob Kept") == 42


def test_deleted_faces_leave_no_trace(index: Index, location: Path) -> None:
    faces = add_faces(index, "p", 30)
    index.label([make_label(faces[0], "Ann Gone")])
    gone, kept = faces[::2], faces[1::2]
    index.delete_faces([face.id for face in gone])
    assert traces(location, bytes_of(gone), "Ann Gone") == 0
    assert traces(location, bytes_of(kept)) == 30


def test_a_forgotten_person_leaves_no_trace(index: Index, location: Path) -> None:
    gone, kept = add_faces(index, "p", 10)[:5], add_faces(index, "q", 10)
    index.label([make_label(face, "Ann Gone") for face in gone])
    index.forget_person("Ann Gone")
    assert traces(location, bytes_of(gone), "Ann Gone") == 0
    assert traces(location, bytes_of(kept)) == 20


def test_no_trace_is_left_in_the_gaps_between_rows(index: Index, location: Path) -> None:
    # With these numbers SQLite's secure_delete alone leaves a page with copies of 15 deleted rows.
    order = random.Random(3)
    faces = [add_photo(index, f"3/{n}", random_vectors(1, seed=n)[0])[0] for n in range(400)]
    names = {face.id: f"Person {order.randrange(10**12):012}" for face in faces}
    index.label([make_label(face, names[face.id]) for face in faces])
    order.shuffle(faces)
    for first in range(0, 300, 10):
        index.delete_media([face.media_id for face in faces[first : first + 10]])
    gone, kept = (
        [text for face in part for text in (face.media_id, names[face.id])]
        for part in (faces[:300], faces[300:])
    )
    assert traces(location, vectors_of(faces[:300]), *gone) == 0
    assert traces(location, vectors_of(faces[300:]), *kept) == 300


def test_an_old_models_vectors_leave_no_trace(index: Index, location: Path) -> None:
    faces = add_faces(index, "p", 20)
    assert traces(location, vectors_of(faces)) == 20
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {face.id: axis(0, dimensions=4) for face in faces})
    index.activate_version(OTHER_MODEL.key)
    assert traces(location, vectors_of(faces)) == 0


def test_what_a_segment_left_for_linking_goes_with_its_media(index: Index, location: Path) -> None:
    tracks = random.Random(1).randbytes(5000)
    finish(index, start(index, video("v")), tracks=tracks)
    assert traces(location, [tracks]) == 1
    index.delete_media([video("v").id])
    assert traces(location, [tracks]) == 0


def test_what_a_segment_left_for_linking_is_gone_once_linked_and_closed(
    index: Index, location: Path
) -> None:
    faces = [make_face(video("v"), vector) for vector in random_vectors(1, seed=1)]
    tracks = pack_tracks([make_track(faces, start_s=0.0, end_s=1.0)], min_cosine=0.5)
    finish(index, start(index, video("v")), faces, tracks=tracks)
    assert traces(location, [tracks]) == 1
    link(index, video("v"))
    index.close()
    assert traces(location, [tracks]) == 0


def test_what_linking_dropped_is_gone_after_the_next_deletion(index: Index, location: Path) -> None:
    (faces,) = add_video(index, "v", (0.0, 20.0, list(random_vectors(20, seed=1))))
    kept = {face.id for face in index.iter_faces()}
    dropped = [face for face in faces if face.id not in kept]
    assert len(dropped) == 15
    index.delete_media(["unknown"])
    assert traces(location, vectors_of(dropped)) == 0


def test_bytes_that_a_reader_holds_are_told_and_removed_at_the_next_opening(
    index: Index, location: Path
) -> None:
    gone = bytes_of(add_faces(index, "gone", 20))
    reader = hold_old_state(location)
    with pytest.raises(PurgeUnfinished, match=r"no longer in the index.*process is reading"):
        index.delete_media([photo("gone").id])
    assert index.count() == 0
    for _ in range(2):
        with open_index(str(location)) as second:
            assert second.count() == 0
        assert traces(location, gone) > 0
    reader.close()
    with open_index(str(location)) as third:
        assert third.count() == 0
        assert traces(location, gone) == 0


def test_deleting_again_removes_bytes_that_were_left(index: Index, location: Path) -> None:
    gone = bytes_of(add_faces(index, "gone", 20))
    reader = hold_old_state(location)
    with pytest.raises(PurgeUnfinished):
        index.delete_media([photo("gone").id])
    reader.close()
    index.delete_media([photo("gone").id])
    assert traces(location, gone) == 0


def test_a_deletion_gives_space_back(index: Index) -> None:
    add_faces(index, "small", 1)
    add_faces(index, "large", 300)
    before = int(index.stats()["size_bytes"])
    index.delete_media([photo("large").id])
    assert int(index.stats()["size_bytes"]) < before / 5
    assert add_photo(index, "p", axis(0))
