"""Replaced versions of the faces, and loads, as they are on the cluster."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.errors import IndexFailure
from indexer.records import Filters
from indexer.settings import ElasticsearchSettings
from tests.elasticsearch.collections import SETTINGS
from tests.engines.builders import OTHER_MODEL, add_photo, axis, make_label, photo

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from indexer.engines.base import Index
    from indexer.records import Face

LOADING = ElasticsearchSettings(replicas=1, expunge_s=0, first_load=True)


def replace_model(index: Index, faces: list[Face]) -> None:
    index.begin_version(OTHER_MODEL)
    index.put_vectors(
        OTHER_MODEL.key, {face.id: axis(n, dimensions=4) for n, face in enumerate(faces)}
    )
    index.activate_version(OTHER_MODEL.key)


def settings_of(client: Elasticsearch, location: str) -> dict[str, Any]:
    name = location.rpartition("/")[2]
    answer = client.indices.get_settings(index=f"{name}-faces", flat_settings=True)
    (content,) = answer.body.values()
    return dict(content["settings"])


def test_the_alias_moves_and_the_replaced_version_stays_read_only(
    index: Index, client: Elasticsearch, location: str
) -> None:
    faces = add_photo(index, "p", axis(0), axis(1))
    before = index.stats()
    replace_model(index, faces)
    after = index.stats()
    name = location.rpartition("/")[2]
    assert after["versions_kept"] == before["version"] != after["version"]
    (live,) = client.indices.get_alias(name=f"{name}-faces")
    assert live == after["version"]
    kept = str(after["versions_kept"])
    assert client.count(index=kept)["count"] == 2
    blocked = client.indices.get_settings(index=kept, flat_settings=True)[kept]["settings"]
    assert blocked["index.blocks.write"] == "true"
    assert index.drop_old_versions() == 1
    assert not client.indices.exists(index=kept)
    assert index.stats()["versions_kept"] == ""


def test_a_half_built_version_is_never_searched(index: Index) -> None:
    faces = add_photo(index, "p", axis(0), axis(1))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {faces[0].id: axis(0, dimensions=4)})
    assert len(index.search(axis(0), 10)) == index.count() == 2
    assert index.stats()["version_building"] != ""
    with pytest.raises(IndexFailure, match="1 faces"):
        index.activate_version(OTHER_MODEL.key)
    assert len(index.search(axis(0), 10)) == 2


def test_what_changes_while_a_version_is_built_is_in_it(index: Index) -> None:
    ann, bob = add_photo(index, "p", axis(0), axis(1))
    index.label([make_label(ann, "Ann")])
    index.begin_version(OTHER_MODEL)
    index.put_vectors(
        OTHER_MODEL.key, {ann.id: axis(0, dimensions=4), bob.id: axis(1, dimensions=4)}
    )
    index.rename_person("Ann", "Anna")
    index.label([make_label(bob, "Bob")])
    index.activate_version(OTHER_MODEL.key)
    assert {face.person for face in index.iter_faces()} == {"Anna", "Bob"}


@pytest.mark.parametrize("how", ["forget", "remove", "unface"])
def test_deletion_covers_the_kept_version(index: Index, client: Elasticsearch, how: str) -> None:
    ann, bob = add_photo(index, "p", axis(0), axis(1))
    (other,) = add_photo(index, "q", axis(2))
    index.label([make_label(ann, "Ann")])
    replace_model(index, [ann, bob, other])
    if how == "forget":
        index.forget_person("Ann")
        left = {bob.id, other.id}
    elif how == "remove":
        index.delete_media([photo("p").id])
        left = {other.id}
    else:
        index.delete_faces([bob.id])
        left = {ann.id, other.id}
    kept = str(index.stats()["versions_kept"])
    client.indices.refresh(index=kept)
    hits = client.search(index=kept, size=10)["hits"]["hits"]
    assert {hit["_id"] for hit in hits} == left == {face.id for face in index.iter_faces()}
    blocked = client.indices.get_settings(index=kept, flat_settings=True)[kept]["settings"]
    assert blocked["index.blocks.write"] == "true"


def test_a_load_writes_without_copies_and_refreshes_and_brings_them_back(
    location: str, client: Elasticsearch
) -> None:
    with open_index(location, create=True, settings=LOADING) as index:
        add_photo(index, "before", axis(0))
        with index.loading():
            loading = settings_of(client, location)
            add_photo(index, "p", axis(0))
            assert index.stats()["loading"] != ""
        after = settings_of(client, location)
        assert index.stats()["loading"] == ""
        with pytest.raises(ZeroDivisionError), index.loading():
            _ = 1 / 0
        assert settings_of(client, location) == after
    assert loading["index.number_of_replicas"] == "0"
    assert loading["index.refresh_interval"] == "-1"
    assert after["index.number_of_replicas"] == "1"
    assert "index.refresh_interval" not in after


def test_without_the_setting_a_load_changes_nothing(
    index: Index, client: Elasticsearch, location: str
) -> None:
    add_photo(index, "p", axis(0))
    before = settings_of(client, location)
    with index.loading():
        assert settings_of(client, location) == before


LOAD_FOR_EVER = """
import sys, time
from indexer.engines import open_index
from tests.elasticsearch.test_versions import LOADING
with open_index(sys.argv[1], settings=LOADING) as index, index.loading():
    print("loading", flush=True)
    time.sleep(600)
"""


def test_the_next_to_open_ends_the_load_of_a_killed_process(
    location: str, client: Elasticsearch
) -> None:
    with open_index(location, create=True, settings=LOADING) as index:
        add_photo(index, "p", axis(0))
    process = subprocess.Popen(
        [sys.executable, "-c", LOAD_FOR_EVER, location], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    open_index(location, settings=SETTINGS).close()
    assert settings_of(client, location)["index.number_of_replicas"] == "0"
    process.kill()
    process.wait()
    with open_index(location, settings=SETTINGS) as index:
        assert index.count(Filters()) == 1
        assert index.stats()["loading"] == ""
    assert settings_of(client, location)["index.number_of_replicas"] == "1"
