"""Several who delete at the same time do not hinder each other, nor do they open what is closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest
from elasticsearch import ApiError, Elasticsearch

from indexer.engines import open_index
from tests.elasticsearch.collections import SETTINGS
from tests.engines.builders import OTHER_MODEL, add_photo, axis, make_label, photo

if TYPE_CHECKING:
    from indexer.engines.base import Index

TOGETHER = 3
DELETIONS = 4


def replace_model(index: Index) -> None:
    index.begin_version(OTHER_MODEL)
    vectors = {face.id: axis(0, dimensions=4) for face in index.unembedded_faces(OTHER_MODEL.key)}
    index.put_vectors(OTHER_MODEL.key, vectors)
    index.activate_version(OTHER_MODEL.key)


def test_deletions_at_the_same_time_reach_the_version_that_was_kept(
    location: str, elasticsearch_url: str
) -> None:
    with open_index(location, create=True, settings=SETTINGS) as index:
        for n in range(DELETIONS):
            faces = add_photo(index, f"p{n}", axis(n), axis(0))
            index.label([make_label(faces[0], f"Person {n}")])
        add_photo(index, "kept", axis(0))
        replace_model(index)

        def delete(n: int) -> None:
            if n % 2:
                index.delete_media([photo(f"p{n}").id])
            else:
                index.forget_person(f"Person {n}")

        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(delete, range(DELETIONS)))
        kept = str(index.stats()["versions_kept"])
        left = {face.id for face in index.iter_faces()}
    assert len(left) == 1 + DELETIONS // 2
    with Elasticsearch(elasticsearch_url) as client:
        found = client.search(index=kept, size=100, source=False)["hits"]["hits"]
        assert {hit["_id"] for hit in found} == left
        with pytest.raises(ApiError, match="blocked by"):
            client.delete(index=kept, id=left.pop())


def test_others_who_keep_closing_the_kept_version_do_not_stop_a_deletion(
    location: str, elasticsearch_url: str
) -> None:
    with open_index(location, create=True, settings=SETTINGS) as index:
        for n in range(2):
            (face,) = add_photo(index, f"p{n}", axis(n))
            index.label([make_label(face, f"Person {n}")])
        replace_model(index)
        kept, done = str(index.stats()["versions_kept"]), Event()

        def keep_closing() -> None:
            with Elasticsearch(elasticsearch_url) as client:
                while not done.wait(0.1):
                    client.indices.add_block(index=kept, block="write")

        with ThreadPoolExecutor(1) as pool:
            closing = pool.submit(keep_closing)
            try:
                for n in range(2):
                    index.forget_person(f"Person {n}")
            finally:
                done.set()
            closing.result()
        assert index.count() == 0
    with Elasticsearch(elasticsearch_url) as client:
        assert client.count(index=kept)["count"] == 0
