"""Snapshot and restore, by the calls that docs/elasticsearch.md gives to operators."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer.engines import open_index
from indexer.errors import IndexFailure
from tests.cli.running import sightings
from tests.elasticsearch.between import asking
from tests.elasticsearch.collections import SETTINGS
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

    from indexer.engines.base import Index
    from tests.elasticsearch.installation import Installation


PAGE = Path(__file__).resolve().parents[2] / "docs" / "elasticsearch.md"


def documented(start: str, name: str = "holiday", folder: str = "") -> str:
    """Return the call of the page's blocks that starts so, for another collection or folder."""
    blocks = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    calls = [call.strip() for block in blocks for call in block.split("\n\n")]
    (found,) = [call for call in calls if call.startswith(start)]
    return found.replace("holiday", name).replace('"/backup"', json.dumps(folder))


def repository(folder: Path, **settings: object) -> str:
    line, _, body = documented("PUT /_snapshot/backup\n", folder=str(folder)).partition("\n")
    wanted = json.loads(body)
    wanted["settings"] |= settings
    return f"{line}\n{json.dumps(wanted)}"


def delete_snapshot(name: str) -> str:
    """Return the call that the page names in a sentence."""
    (call,) = re.findall(r"`(DELETE\s+/_snapshot/[^`]+)`", PAGE.read_text(encoding="utf-8"))
    return " ".join(call.split()).replace("holiday", name)


@pytest.fixture(scope="module")
def node(elasticsearch_installation: Installation) -> Iterator[Node]:
    with started(lambda: Node(elasticsearch_installation)) as node:
        made = make_calls(node.url, repository(node.snapshots / "backup"))
        assert made == [{"acknowledged": True}]
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
    (taken,) = make_calls(node.url, documented("PUT /_snapshot/backup/", name))
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
    (aliases,) = make_calls(node.url, documented("GET /", name))
    make_calls(node.url, documented("DELETE /").replace("INDICES", ",".join(aliases)))
    with pytest.raises(IndexFailure, match="There is no index"):
        open_index(here, settings=SETTINGS)

    (restored,) = make_calls(node.url, documented("POST /_snapshot/", name))
    assert restored["snapshot"]["shards"]["failed"] == 0
    with open_index(here, settings=SETTINGS) as index:
        assert answers(index) == before
        go_on(index)

    make_calls(other_node.url, repository(node.snapshots / "backup", readonly=True))
    make_calls(other_node.url, documented("POST /_snapshot/", name))
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

    make_calls(node.url, delete_snapshot(name))
    assert traces(node.snapshots, names) == set()
    removed = sightings("media", "remove", "/photos/1.jpg", "--yes")
    assert (removed.code, removed.err) == (0, "")


@pytest.mark.parametrize(
    ("expunge_s", "code", "told"),
    [("0.01", 3, "another copy of a shard is away or behind"), ("0", 130, "was interrupted")],
)
def test_a_deletion_whose_bytes_stay_tells_how_much_it_was_and_which_snapshots_hold_it(
    node: Node,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expunge_s: str,
    code: int,
    told: str,
) -> None:
    """What was deleted a moment ago is kept for half a minute; and somebody does not wait."""
    name = f"fair-{code}"
    with open_index(location(node, name), create=True, settings=SETTINGS) as index:
        fill(index, "Ann", "Bob")
    take_snapshot(node, name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SIGHTINGS_INDEX", location(node, name))
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_EXPUNGE_S", expunge_s)

    def ctrl_c(ask: Any, node: Any, method: str, target: str, *args: Any) -> Any:
        if "_forcemerge" in target:
            raise KeyboardInterrupt
        return ask(node, method, target, *args)

    with asking(ctrl_c):
        run = sightings("people", "forget", "Ann", "--no-alike", "--yes")
    assert (run.code, run.out.splitlines()[-1]) == (code, "Deleted 0 media, 1 face, 1 label.")
    assert f"These snapshots hold it all the same: backup/{name}-1. Delete them" in run.err
    assert "It is deleted: no search finds it." in run.err
    assert told in run.err
    assert "`sightings optimize`" in run.err
