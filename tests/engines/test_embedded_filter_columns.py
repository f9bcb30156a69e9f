"""Filters that the embedded engine answers from memory let pass what SQLite lets pass."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.engines.embedded.index import EmbeddedIndex, open_embedded
from indexer.errors import UsageError
from indexer.records import Filters
from tests.engines.builders import (
    NOON,
    OTHER_MODEL,
    WHOLE,
    add_photo,
    add_video,
    axis,
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
    from collections.abc import Iterator
    from pathlib import Path

WIDE = [
    Filters(unnamed=True),
    Filters(kind="photo"),
    Filters(kind="video"),
    Filters(from_s=4.0),
    Filters(to_s=4.0),
    Filters(from_s=3.0, to_s=11.0),
    Filters(from_s=100.0, to_s=0.0),
    Filters(min_face_px=50.0),
    Filters(min_face_px=50.000001),
    Filters(min_probability=0.95),
    Filters(min_probability=0.9500001),
    Filters(recorded_from=NOON),
    Filters(recorded_to=NOON),
    Filters(recorded_from=NOON, recorded_to=NOON + timedelta(days=1)),
    Filters(exclude_media_ids=(photo("a").id, photo("unknown").id)),
    Filters(path_prefix="/p"),
    Filters(path_prefix="/p/a.jpg"),
    Filters(path_prefix="/q/"),
    Filters(path_prefix="/p", kind="video", unnamed=True, min_face_px=50.0),
    Filters(min_face_px=float("nan")),
]


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "faces.sightings"


@pytest.fixture
def index(location: Path) -> Iterator[EmbeddedIndex]:
    """Some photos and videos, the second filter already asked: columns are loaded."""
    with open_embedded(str(location), create=True) as opened:
        add_photo(opened, "a", *random_vectors(3, seed=1), path="/p/a.jpg")
        add_photo(opened, "b", *random_vectors(2, seed=2), path="/pq/b.jpg", face_px=80.0)
        add_video(
            opened,
            "v",
            (0.0, 4.0, list(random_vectors(3, seed=3))),
            (10.0, 14.0, list(random_vectors(2, seed=4))),
        )
        put_path(opened, video("v"), "/p/v.mp4")
        dated = photo("dated", recorded_at=NOON)
        finish(opened, start(opened, dated), [make_face(dated, axis(0), probability=0.5)])
        link(opened, dated)
        for _ in range(2):
            opened.search(axis(0), 100, Filters(unnamed=True))
        assert "face_px" in opened._table.rows
        yield opened


def check(index: EmbeddedIndex) -> None:
    """Compare the searches under all wide filters with the lists that SQLite makes."""
    for filters in WIDE:
        expected = {face.id for face in index.iter_faces(filters)}
        hits = index.search(axis(0), 1000, filters)
        assert {hit.face.id for hit in hits} == expected
        assert len(hits) == len(expected)
        groups = index.search_groups(axis(0)[None], 1000, filters)
        assert {group.media.id for group in groups} == {hit.face.media_id for hit in hits}


def test_the_filters_divide_what_is_there(index: EmbeddedIndex) -> None:
    passing = {index.count(filters) for filters in WIDE}
    assert min(passing) == 0
    assert len(passing) > 5
    check(index)


def test_columns_are_loaded_at_the_second_filter_that_may_let_many_pass(location: Path) -> None:
    with open_embedded(str(location), create=True) as index:
        (face,) = add_photo(index, "a", axis(0))
        for filters in (Filters(media_ids=(face.media_id,)), Filters(persons=("Ann",)), None):
            for _ in range(3):
                index.search(axis(0), 1, filters)
        index.search(axis(0), 1, Filters(kind="photo"))
        assert "face_px" not in index._table.rows
        index.search(axis(0), 1, Filters(min_face_px=1.0))
        assert "face_px" in index._table.rows


def test_a_folder_of_few_of_all_files_is_found(index: EmbeddedIndex) -> None:
    for n in range(50):
        put_path(index, photo(f"elsewhere {n}"), f"/elsewhere/{n}.jpg")
    put_path(index, photo("a"), "/q/again.jpg")
    assert index.count(Filters(path_prefix="/q")) == 3
    check(index)


def test_names_that_faces_get_and_lose_are_seen(index: EmbeddedIndex) -> None:
    faces = list(index.iter_faces())
    labels = [make_label(face, "Ann") for face in faces[:4]]
    index.label(labels)
    check(index)
    index.rename_person("Ann", "Bob")
    check(index)
    index.delete_labels([label.id for label in labels[:2]])
    check(index)
    index.forget_person("Bob")
    check(index)


def test_faces_that_come_and_go_are_seen(index: EmbeddedIndex) -> None:
    add_photo(index, "new", *random_vectors(3, seed=9), path="/p/new.jpg", face_px=90.0)
    check(index)
    index.delete_media([photo("a").id])
    check(index)
    index.delete_faces([face.id for face in index.iter_faces()][2:])
    check(index)
    add_photo(index, "a", *random_vectors(2, seed=10), path="/q/a.jpg")
    check(index)


def test_times_are_those_of_appearances_once_they_are_linked(index: EmbeddedIndex) -> None:
    clip = video("w")
    faces = [
        make_face(clip, vector, at_s=float(t)) for t, vector in enumerate(random_vectors(3, 5))
    ]
    finish(index, start(index, clip), faces)
    check(index)
    link(index, clip)
    check(index)


def test_another_date_or_kind_of_a_media_is_seen(index: EmbeddedIndex) -> None:
    assert index.count(Filters(recorded_from=NOON)) == 1
    index.start_media(replace(photo("a"), recorded_at=NOON, options="b"), WHOLE)
    assert index.count(Filters(recorded_from=NOON)) == 4
    check(index)
    index.start_media(replace(photo("b"), kind="video", options="b"), WHOLE)
    check(index)


def test_what_another_process_changes_is_seen(index: EmbeddedIndex, location: Path) -> None:
    with open_index(str(location)) as other:
        other.label([make_label(face, "Ann") for face in list(other.iter_faces())[:3]])
        add_photo(other, "more", axis(0), path="/p/more.jpg")
        other.put_file(replace(next(other.iter_files()), path="/q/moved.jpg"))
    check(index)


def test_changes_that_fell_out_of_the_log_are_seen(index: EmbeddedIndex, location: Path) -> None:
    faces = list(index.iter_faces())
    index.label([make_label(face, "Ann") for face in faces])
    connection = sqlite3.connect(location)
    connection.execute("DELETE FROM changed WHERE seq < (SELECT max(seq) FROM changed)")
    connection.commit()
    connection.close()
    check(index)


def test_a_new_model_loads_them_anew(index: EmbeddedIndex) -> None:
    index.begin_version(OTHER_MODEL)
    vectors = {face.id: axis(0, dimensions=4) for face in index.iter_faces()}
    index.put_vectors(OTHER_MODEL.key, vectors)
    index.activate_version(OTHER_MODEL.key)
    for filters in WIDE:
        hits = index.search(axis(0, dimensions=4), 1000, filters)
        assert {hit.face.id for hit in hits} == {face.id for face in index.iter_faces(filters)}


def test_what_cannot_be_asked_is_refused_all_the_same(index: EmbeddedIndex) -> None:
    with pytest.raises(UsageError, match="time zone"):
        index.search(axis(0), 1, Filters(recorded_from=NOON.replace(tzinfo=None)))
    with pytest.raises(UsageError, match="more than"):
        index.search(axis(0), 1, Filters(exclude_media_ids=("x",) * 40_000))


def test_the_log_of_changes_is_short(index: EmbeddedIndex, location: Path) -> None:
    (face, *_) = index.iter_faces()
    connection = sqlite3.connect(location)
    connection.execute("UPDATE sqlite_sequence SET seq = seq + 200000 WHERE name = 'changed'")
    connection.commit()
    index.label([make_label(face, "Ann")])
    assert connection.execute("SELECT count(*) FROM changed").fetchone()[0] == 1
    connection.close()
    check(index)
