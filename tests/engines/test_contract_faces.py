"""Stored faces: reading, listing, counting and deleting them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.records import Deleted, Filters
from tests.engines.builders import (
    add_photo,
    add_video,
    axis,
    finish,
    link,
    make_face,
    make_label,
    photo,
    present,
    random_vectors,
    start,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index


def test_a_face_is_given_back_exactly(index: Index) -> None:
    face = replace(
        make_face(photo("p"), random_vectors(1, seed=0)[0], x=0.1 + 0.2),
        probability=0.1 + 0.7,
        sharpness=1e-9,
        frame_index=2**33,
    )
    finish(index, start(index, photo("p")), [face])
    link(index, photo("p"))
    found = present(index, face)
    assert found.indexed_at is not None
    assert replace(found, indexed_at=None) == face
    assert found.vector.dtype == np.float32
    assert np.array_equal(found.vector, face.vector)
    assert found.thumbnail is None
    assert index.thumbnail(face.id) == face.thumbnail


@pytest.mark.parametrize("face_id", ["unknown", "", "' OR '1'='1", "%", "n" * 10_000])
def test_an_unknown_face_has_neither_record_nor_thumbnail(index: Index, face_id: str) -> None:
    add_photo(index, "p", axis(0))
    assert index.get_face(face_id) is None
    assert index.thumbnail(face_id) is None


def test_faces_come_in_order_of_media_time_and_id(index: Index) -> None:
    add_video(index, "v", (5.0, 9.0, [axis(0)]), (1.0, 5.0, [axis(1)] * 2), (1.0, 2.0, [axis(2)]))
    for name in "abc":
        add_photo(index, name, axis(0), axis(1))
    faces = list(index.iter_faces())
    keys = [(face.media_id, face.timestamp_s, face.id) for face in faces]
    assert len(keys) == 10
    assert keys == sorted(keys)


def test_listed_faces_carry_embeddings_only_when_asked(index: Index) -> None:
    add_photo(index, "p", axis(3))
    assert [(face.embedding, face.thumbnail) for face in index.iter_faces()] == [(None, None)]
    (face,) = index.iter_faces(embeddings=True)
    assert face.vector.tolist() == axis(3).tolist()
    assert face.thumbnail is None


def test_listed_faces_pass_the_filters_and_are_as_many_as_counted(index: Index) -> None:
    add_photo(index, "small", axis(0), face_px=30.0)
    large = add_photo(index, "large", axis(0), axis(1), face_px=90.0)
    filters = Filters(min_face_px=60.0)
    assert {face.id for face in index.iter_faces(filters)} == {face.id for face in large}
    assert (index.count(filters), index.count()) == (2, 3)


def test_more_faces_than_are_read_at_once_are_all_listed(index: Index) -> None:
    faces = [make_face(photo("p"), axis(0), x=8.0 * i) for i in range(1203)]
    finish(index, start(index, photo("p")), faces)
    assert {face.id for face in index.iter_faces()} == {face.id for face in faces}
    assert index.count() == 1203


def test_iterating_over_faces_goes_on_while_they_are_deleted(index: Index) -> None:
    add_photo(index, "p", axis(0), axis(1))
    faces = index.iter_faces()
    first = next(faces)
    index.delete_media([first.media_id])
    assert len(list(faces)) <= 1
    assert list(index.iter_faces()) == []


def test_deleting_a_face_deletes_it_and_the_labels_on_it(index: Index) -> None:
    gone, kept = add_photo(index, "p", axis(0), axis(1))
    index.label([make_label(gone, "Ann"), make_label(gone, "Anna", source="csv")])
    index.label([make_label(kept, "Bob")])
    assert index.delete_faces([gone.id, "unknown"]) == Deleted(faces=1, labels=2)
    assert index.get_face(gone.id) is None
    assert index.thumbnail(gone.id) is None
    assert [hit.face.id for hit in index.search(axis(0), 5)] == [kept.id]
    assert [label.person for label in index.list_labels()] == ["Bob"]
    assert index.get_media(kept.media_id) is not None


def test_a_name_that_came_from_a_deleted_face_leaves_its_appearance(index: Index) -> None:
    ((first, second),) = add_video(index, "v", (1.0, 5.0, [axis(0), axis(0)]))
    index.label([make_label(first, "Ann")])
    assert present(index, second).person == "Ann"
    index.delete_faces([first.id])
    assert present(index, second).person is None


def test_deleting_unknown_faces_deletes_nothing(index: Index) -> None:
    add_photo(index, "p", axis(0))
    assert index.delete_faces(["unknown", "'; DROP TABLE faces; --"]) == Deleted()
    assert index.count() == 1
