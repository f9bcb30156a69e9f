"""What searches ask a node for, and what it sends them: seen on the wire."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer.engines import open_index
from indexer.records import Filters
from tests.elasticsearch.between import asking
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.traces import of_blob, of_vector
from tests.engines.builders import add_photo, axis, random_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.records import Face

VECTORS = random_vectors(5, seed=1)
THUMBNAIL = np.random.default_rng(1).bytes(3000)


@dataclass(frozen=True)
class Exchange:
    """A request and the answer to it."""

    target: str
    asked: bytes
    answered: bytes

    @property
    def is_search(self) -> bool:
        return "search" in self.target

    def holds(self, forms: tuple[bytes, ...]) -> bool:
        return any(form in self.answered for form in forms)


@contextmanager
def exchanges() -> Iterator[list[Exchange]]:
    seen: list[Exchange] = []

    def perform(ask: Any, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        answer = ask(node, method, target, body, headers)
        seen.append(Exchange(target, body or b"", answer.body))
        return answer

    with asking(perform):
        yield seen


@pytest.fixture
def location(elasticsearch_url: str) -> Iterator[str]:
    with new_collection(elasticsearch_url) as location:
        with open_index(location, create=True, settings=SETTINGS) as index:
            add_photo(index, "p", *VECTORS, thumbnail=THUMBNAIL)
        yield location


def holding_vectors(seen: list[Exchange], faces: list[Face]) -> list[Exchange]:
    return [one for one in seen if any(one.holds(of_vector(face.vector)) for face in faces)]


def test_searches_bring_no_pictures_and_hits_no_vectors(location: str) -> None:
    """A hit's vector is fetched by its id, for the exact score."""
    with open_index(location, settings=SETTINGS) as index:
        faces = list(index.iter_faces(embeddings=True))
        assert len(faces) == len(VECTORS)
        with exchanges() as seen:
            assert len(index.search(VECTORS[0], 5)) == 5
            assert len(index.search(VECTORS[0], 5, Filters(min_probability=0.1))) == 5
            (group,) = index.search_groups(VECTORS[:2], 3)
            assert len(group.hits) == 5
    searches = [exchange for exchange in seen if exchange.is_search]
    assert len(searches) >= 3
    assert holding_vectors(searches, faces) == []
    assert holding_vectors(seen, faces) != []
    assert not any(one.holds(of_blob(THUMBNAIL)) or b'"thumbnail"' in one.answered for one in seen)


@pytest.mark.parametrize("filters", [None, Filters(min_probability=0.1), "media"], ids=str)
@pytest.mark.parametrize("embeddings", [False, True])
def test_listed_faces_bring_no_pictures_and_vectors_only_if_asked_for(
    location: str, filters: Any, embeddings: bool
) -> None:
    with open_index(location, settings=SETTINGS) as index:
        faces = list(index.iter_faces(embeddings=True))
        if filters == "media":
            filters = Filters(media_ids=(faces[0].media_id,))
        with exchanges() as seen:
            assert len(list(index.iter_faces(filters, embeddings=embeddings))) == len(VECTORS)
    assert bool(holding_vectors(seen, faces)) == embeddings
    assert not any(one.holds(of_blob(THUMBNAIL)) or b'"thumbnail"' in one.answered for one in seen)


def test_a_picture_that_is_asked_for_is_seen_on_the_wire(location: str) -> None:
    with open_index(location, settings=SETTINGS) as index:
        face = next(index.iter_faces())
        with exchanges() as seen:
            assert index.thumbnail(face.id) == THUMBNAIL
    assert any(one.holds(of_blob(THUMBNAIL)) for one in seen)


@pytest.mark.parametrize(("kept_as", "set_now"), [("int8_hnsw", "flat"), ("flat", "int8_hnsw")])
def test_vectors_are_compared_again_in_full_if_the_index_holds_them_reduced(
    elasticsearch_url: str, kept_as: Any, set_now: Any
) -> None:
    """Whatever the setting is by now: that is for new indices."""
    with new_collection(elasticsearch_url) as location:
        made = replace(SETTINGS, vector_type=kept_as)
        with open_index(location, create=True, settings=made) as index:
            add_photo(index, "p", axis(0), axis(1))
        with (
            open_index(location, settings=replace(SETTINGS, vector_type=set_now)) as index,
            exchanges() as seen,
        ):
            assert len(index.search(axis(0), 2)) == 2
            assert len(index.search_groups(axis(0)[None], 1)) == 1
    searches = [one.asked for one in seen if "_msearch" in one.target]
    assert len(searches) >= 3
    assert {b"rescore_vector" in asked for asked in searches} == {kept_as == "int8_hnsw"}
