"""The commands with an index on a real node: what it holds, how it is, and when it is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from elasticsearch import Elasticsearch

from indexer.engines import open_index
from indexer.evaluation.matrix import CARDS
from indexer.settings import ElasticsearchSettings
from tests.cli.running import Run, sightings
from tests.cli.test_cluster import WITH_INDEX
from tests.elasticsearch.collections import new_collection
from tests.engines.builders import MODEL, OTHER_MODEL, add_photo, axis, make_label, start, video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from tests.cli.conftest import RealLibrary

SETTINGS = ElasticsearchSettings(replicas=0, shards=2, expunge_s=0)
UNPLACED = ElasticsearchSettings(replicas=9, expunge_s=0)
"""More copies than the cluster has nodes for."""


@pytest.fixture
def location(elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with new_collection(elasticsearch_url) as location:
        monkeypatch.setenv("SIGHTINGS_INDEX", location)
        yield location


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


def fill(index: Index) -> None:
    """Two photos and a video in progress; a model that was replaced, one that is being built.

    With the model, what is in progress begins again.
    """
    ann, _ = add_photo(index, "a", axis(0), axis(1), path="/p/a.jpg")
    add_photo(index, "b", axis(2))
    start(index, video("v"))
    index.label([make_label(ann, "Ann")])
    index.begin_version(OTHER_MODEL)
    index.put_vectors(
        OTHER_MODEL.key,
        {face.id: axis(0, dimensions=4) for face in index.unembedded_faces(OTHER_MODEL.key)},
    )
    index.activate_version(OTHER_MODEL.key)
    index.begin_version(replace(MODEL, recipe="yet another"))
    index.refresh()


def test_stats_show_documents_sizes_versions_shards_and_health(
    location: str, client: Elasticsearch
) -> None:
    with open_index(location, create=True, settings=SETTINGS) as index:
        fill(index)
    name = location.rpartition("/")[2]
    (live,) = client.indices.get_alias(name=f"{name}-faces")
    (building,) = client.indices.get_alias(name=f"{name}-building")
    of_faces = {*client.indices.get(index=f"{name}-faces-*")}
    (kept,) = of_faces - {live, building, f"{name}-faces-none-0"}

    stats = sightings("stats", "--json").document
    counts = {"photos": 2, "videos": 1, "faces": 3, "people": 1, "labels": 1}
    jobs = {"media_done": 2, "media_working": 1, "segments_done": 2, "segments_pending": 1}
    versions = {"version": live, "versions_kept": kept, "version_building": building}
    # 3 media, 3 segments, a file, a label, three faces in two versions; seven indices of 2, 1 of 1.
    state = {"documents": 14, "health": "green", "shards": 15, "shards_missing": 0, "loading": ""}
    told = {"location": location, "model": OTHER_MODEL.key} | counts | jobs | versions | state
    assert {field: stats.get(field) for field in told} == told
    on_disk = client.indices.stats(index=f"{name}-*", metric=["store"])["_all"]["total"]["store"]
    assert stats["size_bytes"] == pytest.approx(on_disk["size_in_bytes"], rel=0.5)

    lines = sightings("stats").out.splitlines()
    for line in ("documents: 14", "health: green", f"versions kept: {kept}", f"version: {live}"):
        assert line in lines


def test_stats_tell_of_shards_that_have_no_place(location: str) -> None:
    open_index(location, create=True, settings=UNPLACED).close()
    stats = sightings("stats", "--json").document
    assert stats["health"] == "yellow"
    assert stats["shards"] + stats["shards_missing"] == 5 * (1 + UNPLACED.replicas)
    assert stats["shards_missing"] > 0


@pytest.mark.parametrize("command", WITH_INDEX[:-1], ids=" ".join)
@pytest.mark.usefixtures("home")
def test_an_index_that_is_not_there_is_told_and_not_made(
    command: list[str], location: str, client: Elasticsearch
) -> None:
    run = sightings(*command)
    assert (run.code, run.out) == (3, "")
    assert f"There is no index {location}. Create it by indexing: sightings" in run.err
    assert not client.indices.get(index=f"{location.rpartition('/')[2]}-*").body


def test_media_and_faces_that_cannot_be_there_are_unknown(location: str) -> None:
    open_index(location, create=True, settings=SETTINGS).close()
    for name in ("undecodable \udcff.jpg", "n" * 10_000, "🙂" * 10_000):
        run = sightings("media", "show", name)
        assert (run.code, run.out) == (1, "")
        assert "No media" in run.err


def test_media_are_indexed_searched_and_embedded_anew_on_a_node_as_in_a_file(
    location: str,
    real_library: RealLibrary,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_REPLICAS", "0")
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_EXPUNGE_S", "0")
    folder = real_library.folder
    indexed = sightings("index", folder, "--model", "dlib", "--names-from-folders")
    in_file = real_library.run.out.replace(str(real_library.index), location)
    assert (indexed.code, indexed.out) == (0, in_file)
    assert sightings("index", folder, "--names-from-folders").code == 0
    counted = ("photos", "videos", "faces", "people", "labels", "media_done")
    stats = sightings("stats", "--json").document
    of_file = sightings("stats", "--json", "--index", real_library.index).document
    assert {name: stats[name] for name in counted} == {name: of_file[name] for name in counted}

    for query in ([folder / "eileen" / "0001.png"], ["--person", "grace"]):
        found = sightings("search", *query, "--json")
        assert results(found) == results(
            sightings("search", *query, "--json", "--index", real_library.index)
        )
        assert len(found.found) >= 2

    card = CARDS / "mobilefacenet.json"
    model = f"onnx:{shared_data}/models/mobilefacenet.onnx?card={card}"
    anew = sightings("reindex", "--model", model)
    assert anew.code == 0
    assert anew.out.startswith("6 faces of 4 media embedded anew. mobilefacenet-")
    assert sightings("stats", "--json").document["versions_kept"] == stats["version"]
    found = sightings("search", folder / "eileen" / "0001.png", "--json")
    assert {"0001.png", "both.png", "clip.mp4"} <= {*found.found}

    in_order = sightings("optimize", "--drop-old")
    assert in_order.code == 0
    assert in_order.out.splitlines() == [
        "Deleted 1 version of the faces that had been replaced.",
        "The index is in order.",
    ]
    after = sightings("stats", "--json").document
    assert after["model"].startswith("mobilefacenet-")
    assert (after["versions_kept"], after["faces"]) == ("", stats["faces"])
    assert sightings("search", folder / "eileen" / "0001.png", "--json").found == found.found


def results(run: Run) -> list[tuple[str, float]]:
    assert run.code == 0
    return [
        (result["media"]["path"], round(result["score"], 5)) for result in run.document["results"]
    ]
