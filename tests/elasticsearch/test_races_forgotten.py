"""What is forgotten is so in kept versions too, and whatever others do at the same time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.errors import NotFound
from indexer.records import Deleted
from tests.elasticsearch.between import between
from tests.elasticsearch.collections import SETTINGS
from tests.elasticsearch.contents import contents, put_back
from tests.elasticsearch.dying import killed
from tests.engines.builders import (
    OTHER_MODEL,
    WHOLE,
    add_photo,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    photo,
    put_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.base import Index


@pytest.fixture
def index(location: str) -> Iterator[Index]:
    """A collection in which Ann was named, and the model replaced."""
    with open_index(location, create=True, settings=SETTINGS) as index:
        (face,) = add_photo(index, "p", axis(0))
        add_photo(index, "q", axis(1))
        index.label([make_label(face, "Ann")])
        index.begin_version(OTHER_MODEL)
        vector = axis(0, dimensions=4)
        index.put_vectors(
            OTHER_MODEL.key, {face.id: vector for face in index.unembedded_faces(OTHER_MODEL.key)}
        )
        index.activate_version(OTHER_MODEL.key)
        yield index


def bearing(location: str, name: str) -> list[str]:
    """The documents that hold a name."""
    return [
        f"{kind}/{doc_id}"
        for kind, documents in contents(location).items()
        for doc_id, source in documents.items()
        if source.get("person") == name
    ]


def test_a_name_that_only_a_kept_version_has_is_forgotten(index: Index, location: str) -> None:
    index.delete_labels([make_label(make_face(photo("p"), axis(0)), "Ann").id])
    assert len(bearing(location, "Ann")) == 1
    assert index.forget_person("Ann") == Deleted(faces=1)
    assert bearing(location, "Ann") == []
    assert index.count() == 2
    with pytest.raises(NotFound):
        index.forget_person("Ann")


def test_forgetting_that_was_cut_short_reaches_faces_that_only_a_kept_version_has(
    index: Index, location: str
) -> None:
    """The face was found again, at a slightly other place, after the model was replaced."""
    media = replace(photo("p"), options="b")
    found_again = make_face(media, axis(0, dimensions=4), x=5.0, model=OTHER_MODEL.key)
    index.start_media(media, WHOLE)
    finish(index, claim(index, media), [found_again])
    link(index, media)
    before = contents(location)
    assert len(bearing(location, "Ann")) == 3
    for number in count(1):
        put_back(location, before)
        with open_index(location, settings=SETTINGS) as dying:
            requests = killed(number, lambda: dying.forget_person("Ann"))
        with open_index(location, settings=SETTINGS) as again, suppress(NotFound):
            again.forget_person("Ann")
        assert bearing(location, "Ann") == [], requests
        if len(requests) < number:
            break
    assert number > 5


def test_what_others_add_to_a_media_while_it_is_deleted_does_not_change_what_is_told(
    index: Index, location: str
) -> None:
    with open_index(location, settings=SETTINGS) as other:
        told = []
        for number in count(0):
            media, vector = photo(f"gone {number}"), axis(0, dimensions=4)
            index.start_media(media, WHOLE)
            faces = [make_face(media, vector, x=60.0 * n, model=OTHER_MODEL.key) for n in (0, 1)]
            finish(index, claim(index, media), faces)
            with between((number, lambda: put_path(other, media, "/gone.jpg"))) as requests:  # noqa: B023
                deleted = index.delete_media([media.id])
            told.append((deleted.media, deleted.faces))
            if number > len(requests):
                break
    assert number > 8
    assert set(told) == {(1, 2)}


def test_what_others_add_of_a_person_before_the_last_look_is_forgotten_too(
    index: Index, location: str
) -> None:
    """A photo of hers with a label, and a label on a face that was there."""
    before = contents(location)
    media, vector = photo("new"), axis(2, dimensions=4)
    new = make_face(media, vector, model=OTHER_MODEL.key)
    there = make_face(photo("q"), axis(1))
    seen = 0
    with open_index(location, settings=SETTINGS) as other:

        def add() -> None:
            other.start_media(media, WHOLE)
            finish(other, claim(other, media), [new])
            other.label([make_label(new, "Ann"), make_label(there, "Ann")])

        for number in count(0, 7):
            put_back(location, before)
            with between((number, add)) as requests:
                deleted = index.forget_person("Ann")
            looks = [n for n, asked in enumerate(requests) if "labels/_search" in asked]
            changes = [n for n, asked in enumerate(requests) if "_bulk" in asked]
            assert looks[-1] > changes[-1]
            if number > looks[-1]:
                break
            assert bearing(location, "Ann") == [], requests[number - 1]
            assert index.get_face(new.id) is None
            seen += deleted.faces == 3
    assert seen > 3


def test_faces_that_others_find_again_while_they_are_deleted_are_deleted_again(
    index: Index, location: str
) -> None:
    media, vector = photo("new"), axis(2, dimensions=4)
    face = make_face(media, vector, model=OTHER_MODEL.key)
    before = contents(location)
    with open_index(location, settings=SETTINGS) as other:

        def find(options: str) -> None:
            other.start_media(replace(media, options=options), WHOLE)
            finish(other, claim(other, media), [face])

        for number in count(1, 4):
            put_back(location, before)
            find("a")
            with between((number, lambda: find("b"))) as requests:
                index.delete_faces([face.id])
            looks = [
                n for n, asked in enumerate(requests) if "-faces-" in asked and "_mget" in asked
            ]
            if number > looks[-1]:
                break
            assert index.get_face(face.id) is None, requests[number - 1]
    assert number > 5
