"""Upkeep: loads, optimizing, and versions that were replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engines.builders import (
    OTHER_MODEL,
    add_photo,
    axis,
    make_label,
    photo,
    present,
    random_vectors,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index


def test_what_is_written_in_a_load_is_found_in_it_and_afterwards(
    open_again: Callable[[], Index],
) -> None:
    index = open_again()
    with index.loading():
        (first,) = add_photo(index, "a", axis(0))
        assert [hit.face.id for hit in index.search(axis(0), 5)] == [first.id]
        (second,) = add_photo(index, "b", axis(1))
    for opened in (index, open_again()):
        assert {hit.face.id for hit in opened.search(axis(0), 5)} == {first.id, second.id}


def test_optimizing_changes_no_answer_however_often(index: Index) -> None:
    vectors = random_vectors(30, seed=1)
    for n in range(10):
        add_photo(index, f"p{n}", *vectors[3 * n : 3 * n + 3])
    index.delete_media([photo("p3").id])
    before = index.search(vectors[0], 100), list(index.iter_faces()), index.count()
    for _ in range(2):
        index.optimize()
        assert (index.search(vectors[0], 100), list(index.iter_faces()), index.count()) == before


def test_replaced_versions_can_be_dropped_and_nothing_else_goes(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.label([make_label(face, "Ann")])
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {face.id: axis(1, dimensions=4)})
    index.activate_version(OTHER_MODEL.key)
    index.drop_old_versions()
    assert index.drop_old_versions() == 0
    assert present(index, face).person == "Ann"
    assert index.search(axis(1, dimensions=4), 1)[0].score == 1.0
    assert index.thumbnail(face.id) == face.thumbnail


def test_without_replaced_versions_there_is_nothing_to_drop(index: Index) -> None:
    add_photo(index, "p", axis(0))
    assert index.drop_old_versions() == 0
    assert index.count() == 1
