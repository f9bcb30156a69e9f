"""Snapshot and restore, by the calls that docs/elasticsearch.md gives to operators."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer.engines import open_index
from indexer.errors import IndexFailure
from indexer.settings import ElasticsearchSettings
from tests.cli.running import sightings
from tests.elasticsearch.node import Node
from tests.elasticsearch.rest import make_calls
from tests.elasticsearch.traces import of_texts, traces
from tests.elasticsearch_fixtures import started
from tests.engines.builders import (
    MODEL,
    OTHER_MODEL,
    add_photo,
    add_video,
    axis,
    make_label,
    put_path,
    random_vectors,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from tests.elasticsearch.installation import Installation

SETTINGS = ElasticsearchSettings(replicas=0, expunge_s=0)

REPOSITORY = """
PUT /_snapshot/backup
{"type": "fs", "settings": {"location": "FOLDER"}}
"""

SNAPSHOT = """
PUT /_snapshot/backup/NAME-1?wait_for_completion=true
{"indices": "NAME-faces-*,NAME-media-*,NAME-segments-*,NAME-files-*,NAME-labels-*",
 "include_global_state": false}
"""

LIST = """
GET /NAME-faces-*,NAME-media-*,NAME-segments-*,NAME-files-*,NAME-labels-*/_alias
"""

DELETE = """
DELETE /INDICES
"""

RESTORE = """
POST /_snapshot/backup/NAME-1/_restore?wait_for_completion=true
{"indices": "NAME-faces-*,NAME-media-*,NAME-segments-*,NAME-files-*,NAME-labels-*",
 "include_global_state": false}
"""

REPOSITORY_TO_READ = """
PUT /_snapshot/backup
{"type": "fs", "settings": {"location": "FOLDER", "readonly": true}}
"""

DELETE_SNAPSHOT = """
DELETE /_snapshot/backup/NAME-1
"""


def calls(text: str, name: str = "", **values: str) -> str:
    for placeholder, value in {"NAME": name, **values}.items():
        text = text.replace(placeholder, value)
    return text


@pytest.fixture(scope="module")
def node(elasticsearch_installation: Installation) -> Iterator[Node]:
    with started(lambda: Node(elasticsearch_installation)) as node:
        folder = str(node.snapshots / "backup")
        assert make_calls(node.url, calls(REPOSITORY, FOLDER=folder)) == [{"acknowledged": True}]
        yield node


@pytest.fixture
def other_node(elasticsearch_installation: Installation, node: Node) -> Iterator[Node]:
    """A cluster of its own that reads the first one's snapshots."""
    settings = {"path.repo": str(node.snapshots)}
    with started(lambda: Node(elasticsearch_installation, settings=settings)) as other:
        yield other


def location(node: Node, name: str) -> str:
    return f"elasticsearch://{node.url.partition('//')[2]}/{name}"


def take_snapshot(node: Node, name: str) -> None:
    (taken,) = make_calls(node.url, calls(SNAPSHOT, name))
    assert taken["snapshot"]["state"] == "SUCCESS"


def fill(index: Index, of_photo: str, of_video: str) -> None:
    """Photos and videos with names, embedded anew, so that there is a replaced version, too."""
    for n, vectors in enumerate(random_vectors(15, seed=1).reshape(5, 3, 8)):
        add_photo(index, f"p{n}", *vectors, path=f"/photos/{n}.jpg")
    named = next(index.iter_faces())
    runs = (1.0, 4.5, [axis(0)]), (7.25, 9.0, [axis(1)])
    (first,), _ = add_video(index, "v", *runs)
    put_path(index, video("v"), "/videos/v.mp4")
    index.label([make_label(named, of_photo), make_label(first, of_video)])
    index.begin_version(OTHER_MODEL)
    faces = list(index.unembedded_faces(OTHER_MODEL.key))
    vectors = random_vectors(len(faces), seed=2, dimensions=4)
    index.put_vectors(
        OTHER_MODEL.key, {face.id: row for face, row in zip(faces, vectors, strict=True)}
    )
    index.activate_version(OTHER_MODEL.key)


def answers(index: Index) -> dict[str, Any]:
    """All that a collection says when it is asked."""
    queries = random_vectors(3, seed=3, dimensions=4)
    faces = list(index.iter_faces(embeddings=True))
    return {
        "model": index.model,
        "hits": [index.search(query, 20) for query in queries],
        "groups": index.search_groups(queries, 20),
        "people": index.list_people(),
        "labels": index.list_labels(),
        "media": list(index.iter_media()),
        "files": list(index.iter_files()),
        "segments": index.list_segments(video("v").id),
        "faces": [(face.id, face.person, face.appearance_start_s) for face in faces],
        "vectors": np.array([face.vector for face in faces]).tobytes(),
        "thumbnails": [index.thumbnail(face.id) for face in faces],
        "kept": index.stats()["versions_kept"],
    }


def go_on(index: Index) -> None:
    """Do what writes to all parts: take the first model back, index a photo, name it."""
    index.begin_version(MODEL)
    index.put_vectors(MODEL.key, {face.id: axis(3) for face in index.unembedded_faces(MODEL.key)})
    index.activate_version(MODEL.key)
    (new,) = add_photo(index, "new", axis(0), path="/photos/new.jpg")
    index.label([make_label(new, "Cleo")])
    assert index.search(axis(0), 1)[0].face.person == "Cleo"


def test_a_collection_comes_back_where_it_was_and_on_another_cluster(
    node: Node, other_node: Node
) -> None:
    name, here, there = "holiday", location(node, "holiday"), location(other_node, "holiday")
    with open_index(here, create=True, settings=SETTINGS) as index:
        fill(index, "Ann", "Zoë")
        before = answers(index)
    take_snapshot(node, name)
    (aliases,) = make_calls(node.url, calls(LIST, name))
    make_calls(node.url, calls(DELETE, INDICES=",".join(aliases)))
    with pytest.raises(IndexFailure, match="There is no index"):
        open_index(here, settings=SETTINGS)

    (restored,) = make_calls(node.url, calls(RESTORE, name))
    assert restored["snapshot"]["shards"]["failed"] == 0
    with open_index(here, settings=SETTINGS) as index:
        assert answers(index) == before
        go_on(index)

    folder = str(node.snapshots / "backup")
    make_calls(other_node.url, calls(REPOSITORY_TO_READ + RESTORE, name, FOLDER=folder))
    with open_index(there, settings=SETTINGS) as index:
        assert answers(index) == before
        go_on(index)


def test_who_was_forgotten_is_in_snapshots_until_these_are_deleted(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, here = "party", location(node, "party")
    with open_index(here, create=True, settings=SETTINGS) as index:
        fill(index, "Ina O'Hara", "Jürgen")
        kept = str(index.stats()["versions_kept"])
    take_snapshot(node, name)
    names = of_texts("Ina O'Hara", "Jürgen")
    assert traces(node.snapshots, names) == names.keys()

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SIGHTINGS_INDEX", here)
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_EXPUNGE_S", "0")
    forgotten = sightings("people", "forget", "Ina O'Hara", "--no-alike", "--yes")
    assert forgotten.out.endswith("\nDeleted 0 media, 1 face, 1 label.\n")
    removed = sightings("media", "remove", "/videos/v.mp4", "--yes")
    assert removed.out.endswith("\nDeleted 1 media, 2 faces, 1 label.\n")
    for run in (forgotten, removed):
        assert f"These snapshots hold it all the same: backup/{name}-1. Delete them" in run.err
    query = {"query": {"terms": {"person": list(names)}}}
    for index_name in (f"{name}-faces", kept):
        (found,) = make_calls(node.url, f"POST /{index_name}/_search\n{json.dumps(query)}")
        assert found["hits"]["total"]["value"] == 0

    make_calls(node.url, calls(DELETE_SNAPSHOT, name))
    assert traces(node.snapshots, names) == set()
    removed = sightings("media", "remove", "/photos/1.jpg", "--yes")
    assert (removed.code, removed.err) == (0, "")
