"""Links that documents on a cluster carry: when they are written, and how they are renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from elasticsearch import Elasticsearch

from indexer.engines import open_index
from indexer.engines.elastic import picture_links
from indexer.errors import UsageError
from indexer.links import PictureLinks
from tests.cli.running import sightings
from tests.elasticsearch.collections import SETTINGS
from tests.engines.builders import (
    MODEL,
    OTHER_MODEL,
    add_photo,
    axis,
    make_label,
    start,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index

OLD, NEW = PictureLinks(("old",)), PictureLinks(("new", "old"))


def opened(location: str, links: PictureLinks | None) -> Index:
    return open_index(location, create=True, settings=SETTINGS, links=links)


def stored(url: str, location: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return a kind's documents by id, vectors and all."""
    index = f"{location.rpartition('/')[2]}-{kind}"
    with Elasticsearch(url) as client:
        client.indices.refresh(index=index)
        found = client.search(index=index, size=1000, source={"exclude_vectors": False})
        return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


def links_of(documents: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        doc_id: {name: document.get(name) for name in picture_links.FIELDS}
        for doc_id, document in documents.items()
    }


def fill(index: Index) -> None:
    for name in ("a", "b"):
        add_photo(index, name, axis(0), axis(1))
    start(index, video("working"))
    face = next(iter(index.iter_faces()))
    index.label([make_label(face, "Ann")])


def test_documents_carry_links_from_the_beginning(location: str, elasticsearch_url: str) -> None:
    with opened(location, OLD) as index:
        fill(index)
    faces, media = (stored(elasticsearch_url, location, kind) for kind in ("faces", "media"))
    assert (len(faces), len(media)) == (4, 3)
    assert links_of(faces) == {face_id: OLD.of_face(face_id) for face_id in faces}
    assert links_of(media) == {media_id: OLD.of_media(media_id) for media_id in media}


def test_without_keys_they_carry_none_and_none_can_be_renewed(
    location: str, elasticsearch_url: str
) -> None:
    with opened(location, None) as index:
        fill(index)
        with pytest.raises(UsageError, match="SIGHTINGS_API_SIGNING_KEYS"):
            index.renew_links()
    for kind in ("faces", "media"):
        for links in links_of(stored(elasticsearch_url, location, kind)).values():
            assert set(links.values()) == {None}


@pytest.mark.parametrize("before", [None, OLD], ids=["without", "old"])
def test_renewed_links_are_of_the_first_key_and_nothing_else_changes(
    before: PictureLinks | None, location: str, elasticsearch_url: str
) -> None:
    with opened(location, before) as index:
        fill(index)
    were = {kind: stored(elasticsearch_url, location, kind) for kind in ("faces", "media")}
    with opened(location, NEW) as index:
        assert index.renew_links() == 7
        assert index.renew_links() == 0
        found = index.search(axis(1), k=1)
        assert found[0].score == pytest.approx(1.0)
    now = {kind: stored(elasticsearch_url, location, kind) for kind in ("faces", "media")}
    made = {"faces": NEW.of_face, "media": NEW.of_media}
    for kind, documents in were.items():
        expected = {i: document | made[kind](i) for i, document in documents.items()}
        assert now[kind] == expected


def test_what_was_signed_by_the_first_key_already_is_left_alone(
    location: str, elasticsearch_url: str
) -> None:
    with opened(location, OLD) as index:
        add_photo(index, "a", axis(0))
    with opened(location, NEW) as index:
        add_photo(index, "b", axis(1))
        assert index.renew_links() == 2
    links = links_of(stored(elasticsearch_url, location, "faces"))
    assert links == {face_id: NEW.of_face(face_id) for face_id in links}


def test_more_documents_than_one_request_takes_are_all_renewed(location: str) -> None:
    vectors = [axis(0)] * (picture_links.CHUNK_DOCUMENTS + 1)
    with opened(location, OLD) as index:
        add_photo(index, "crowd", *vectors)
    with opened(location, NEW) as index:
        assert index.renew_links() == len(vectors) + 1


def test_a_model_that_is_being_built_takes_renewed_links_over(
    location: str, elasticsearch_url: str
) -> None:
    with opened(location, OLD) as index:
        fill(index)
        index.begin_version(OTHER_MODEL)
        ids = [face.id for face in index.unembedded_faces(OTHER_MODEL.key)]
        index.put_vectors(OTHER_MODEL.key, dict.fromkeys(ids, np.eye(4, dtype=np.float32)[0]))
    with opened(location, NEW) as index:
        index.renew_links()
        index.activate_version(OTHER_MODEL.key)
        assert index.model == OTHER_MODEL != MODEL
    links = links_of(stored(elasticsearch_url, location, "faces"))
    assert links == {face_id: NEW.of_face(face_id) for face_id in ids}


def test_the_command_renews_them_by_the_keys_of_the_settings(
    location: str, elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(location, OLD) as index:
        add_photo(index, "a", axis(0))
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_EXPUNGE_S", "0")
    refused = sightings("optimize", "--renew-links", "--index", location)
    assert refused.code == 2
    assert "SIGHTINGS_API_SIGNING_KEYS" in refused.err
    monkeypatch.setenv("SIGHTINGS_API_SIGNING_KEYS", "new, old")
    run = sightings("optimize", "--renew-links", "--index", location)
    assert (run.code, run.err) == (0, "")
    assert "Renewed the links of 2 documents." in run.out
    links = links_of(stored(elasticsearch_url, location, "faces"))
    assert links == {face_id: NEW.of_face(face_id) for face_id in links}
