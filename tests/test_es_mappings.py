"""What the engine writes and what the index templates say agree, field by field, both ways."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from elasticsearch import Elasticsearch

import es_mappings
from es_mappings import KINDS, SCHEMA_VERSION, index_template
from indexer.engines import open_index
from indexer.engines.elastic import faces, media, segments
from indexer.engines.elastic.values import from_vector, order_key
from indexer.links import PictureLinks
from indexer.records import Segment, SegmentCounts, SegmentSpan
from indexer.settings import AppearanceSettings, ElasticsearchSettings
from indexer.tracks import pack_tracks
from tests.elasticsearch.collections import new_collection
from tests.engines.builders import (
    MODEL,
    NOON,
    OTHER_MODEL,
    add_photo,
    axis,
    claim,
    finish,
    make_face,
    make_label,
    make_track,
    photo,
    put_path,
    start,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.base import Index

VALUES: dict[str, Any] = {
    "name": "holiday",
    "schema_version": SCHEMA_VERSION,
    "shards": 3,
    "replicas": 2,
    "model_slug": "facenet-512",
    "model": {"name": "facenet"},
    "dimensions": 512,
    "index_options": {"type": "int8_hnsw"},
}
LONGEST_TERM_BYTES = 32_766
"""Lucene refuses an indexed value above this, and with it the whole document."""

LINKS = PictureLinks(("key",))

TWO_MINUTES = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0, 120.0))

Properties = dict[str, dict[str, Any]]


def properties(kind: str) -> Properties:
    found: Properties = index_template(kind, VALUES)["template"]["mappings"]["properties"]
    return found


# --- the templates themselves ------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_json_that_is_strict_and_names_all_its_fields(kind: str) -> None:
    text = files(es_mappings).joinpath(f"{kind}.json").read_text(encoding="utf-8")
    mappings = json.loads(text)["template"]["mappings"]
    assert mappings["dynamic"] == "strict"
    assert all("type" in field and "fields" not in field for field in properties(kind).values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_rendered_template_is_of_its_collection_alone(kind: str) -> None:
    template = index_template(kind, VALUES)
    assert "${" not in json.dumps(template)
    of_faces = ["holiday-faces-facenet-512-*"]
    assert template["index_patterns"] == (of_faces if kind == "faces" else [f"holiday-{kind}-*"])
    assert template["allow_auto_create"] is False
    settings = template["template"]["settings"]["index"]
    assert (settings["number_of_shards"], settings["number_of_replicas"]) == (3, 2)
    about = template["template"]["mappings"]["_meta"]["sightings"]
    expected = {"schema_version": SCHEMA_VERSION, "collection": "holiday", "kind": kind}
    of_faces_too = {"model": {"name": "facenet"}, "replicas": 2}
    assert about == (expected | of_faces_too if kind == "faces" else expected)


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_documents_are_expunged_whatever_their_share(kind: str) -> None:
    settings = index_template(kind, VALUES)["template"]["settings"]["index"]
    assert settings["merge.policy.expunge_deletes_allowed"] == 0


@pytest.mark.parametrize(
    ("dimensions", "vector_type"),
    [(512, "int8_hnsw"), (128, "flat"), (4096, "bbq_hnsw"), (512, "int4_hnsw"), (8, "hnsw")],
)
def test_vectors_have_the_dimensions_of_the_model_and_an_explicit_type(
    dimensions: int, vector_type: str
) -> None:
    values = VALUES | {"dimensions": dimensions, "index_options": {"type": vector_type}}
    field = index_template("faces", values)["template"]["mappings"]["properties"]["embedding"]
    assert (field["dims"], field["index_options"]) == (dimensions, {"type": vector_type})
    assert field["similarity"] == "dot_product"


def test_a_placeholder_without_value_is_an_error() -> None:
    incomplete = {name: value for name, value in VALUES.items() if name != "dimensions"}
    with pytest.raises(KeyError, match="dimensions"):
        index_template("faces", incomplete)


# --- what the engine's functions make, without a cluster ---------------------------------------


def test_a_face_is_mapped_field_by_field() -> None:
    of_media = media.to_document(video("v", recorded_at=NOON)) | media.with_paths("v", ["/v.mp4"])
    face = make_face(video("v"), axis(0))
    document = faces.to_document(face, axis(0), of_media, "Ann", NOON) | LINKS.of_face(face.id)
    appearance = faces.appearance_fields(("a", 0.0, 1.0))
    assert document.keys() == document.keys() | appearance.keys() == properties("faces").keys()
    assert_fitting(properties("faces"), document | appearance)


def test_a_segment_is_mapped_field_by_field() -> None:
    document = segments.to_document(Segment("v", TWO_MINUTES[0]))
    document |= {"face_ids": ["f"], "batch": "b"}
    assert document.keys() == properties("segments").keys()
    assert_fitting(properties("segments"), document)


def test_fields_that_faces_take_over_from_their_media_have_the_same_type_in_both() -> None:
    for field in media.OF_FACES:
        assert properties("faces")[field] == properties("media")[field]


def test_no_path_or_name_is_too_long_for_what_is_indexed() -> None:
    for text in ("🙂" * 100_000, "\udcff" * 100_000, "n" * 100_000):
        assert len(order_key(text).encode()) <= LONGEST_TERM_BYTES
    for kind in KINDS:
        for name, field in properties(kind).items():
            if name in ("path", "paths", "media_path", "person"):
                assert 3 * field["ignore_above"] <= LONGEST_TERM_BYTES  # UTF-16 units of 3 bytes
            if name in ("error", "warnings", "options"):
                assert (field["index"], field["doc_values"]) == (False, False)


BRIEF = {"surplus_face_ids"}
"""Fields that have a value only between two requests of one change."""


# --- what lies on a real node after everything has happened ------------------------------------


def tell_everything(index: Index) -> None:
    """Do what gives each field of each kind of document a value."""
    add_photo(index, "named", axis(0), path="/photos/named.jpg")
    (face,) = index.iter_faces()
    index.label([make_label(face, "Ann")])

    broken = video("broken", recorded_at=NOON)
    put_path(index, broken, "/videos/broken.mp4")
    first = start(index, broken, TWO_MINUTES)
    of_first = [make_face(broken, axis(1), at_s=t) for t in (1.0, 2.0)]
    track = make_track(of_first, start_s=1.0, end_s=2.0)
    finish(index, first, of_first, tracks=pack_tracks([track], min_cosine=0.5))
    index.fail_segment(claim(index, broken), "its second minute cannot be read")
    index.link_appearances(broken.id, AppearanceSettings(), warnings=["cut short"])

    anew = video("anew", options="a")
    finish(index, start(index, anew, TWO_MINUTES), [make_face(anew, axis(2), at_s=30.0)])
    last = claim(index, anew)
    finish(index, last, [make_face(anew, axis(2), at_s=90.0, segment=1)], tracks=b"tracks")
    index.start_media(video("anew", options="b"), TWO_MINUTES[:1])  # the face at 90 s has no place

    add_photo(index, "redone", axis(3))
    index.queue_media(photo("redone", options="b"), [SegmentSpan(0)], batch="20240501-a")

    working = video("working")
    counts = SegmentCounts(1, 1, 0, 1, 1, warnings=("the file ends early",))
    index.finish_segment(start(index, working, TWO_MINUTES), [], tracks=b"tracks", counts=counts)
    claim(index, working, owner="host/1/2")


@pytest.fixture(scope="module")
def collection(elasticsearch_url: str) -> Iterator[str]:
    """The name of a collection on a real node in which everything has happened."""
    settings = ElasticsearchSettings(replicas=0, expunge_s=0)
    with (
        new_collection(elasticsearch_url) as location,
        open_index(location, create=True, settings=settings, links=LINKS) as index,
    ):
        tell_everything(index)
        index.refresh()
        yield location.rpartition("/")[2]


def documents(url: str, alias: str) -> list[dict[str, Any]]:
    with Elasticsearch(url) as client:
        found = client.search(index=alias, size=1000, source={"exclude_vectors": False})
        return [hit["_source"] for hit in found["hits"]["hits"]]


def mapping(url: str, alias: str) -> dict[str, Any]:
    with Elasticsearch(url) as client:
        ((_, content),) = client.indices.get_mapping(index=alias).body.items()
        found: dict[str, Any] = content["mappings"]
        return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_stored_field_is_mapped_and_every_mapped_field_is_stored(
    kind: str, collection: str, elasticsearch_url: str
) -> None:
    mapped = mapping(elasticsearch_url, f"{collection}-{kind}")["properties"]
    stored = documents(elasticsearch_url, f"{collection}-{kind}")
    filled: dict[str, list[Any]] = defaultdict(list)
    for document in stored:
        assert document.keys() <= mapped.keys()
        for name, value in document.items():
            filled[name] += [value] if value not in (None, []) else []
    assert {name for name, values in filled.items() if values} == mapped.keys() - BRIEF
    assert mapped.keys() == properties(kind).keys()
    for document in stored:
        assert_fitting(mapped, document)


@pytest.mark.parametrize("kind", KINDS)
def test_every_index_on_a_node_tells_its_schema_version_and_collection(
    kind: str, collection: str, elasticsearch_url: str
) -> None:
    content = mapping(elasticsearch_url, f"{collection}-{kind}")
    about = content["_meta"]["sightings"]
    assert about["schema_version"] == SCHEMA_VERSION
    assert (about["collection"], about["kind"]) == (collection, kind)
    assert content["dynamic"] == "strict"


def test_the_faces_index_tells_its_model_on_a_node(collection: str, elasticsearch_url: str) -> None:
    content = mapping(elasticsearch_url, f"{collection}-faces")
    about = content["_meta"]["sightings"]["model"]
    assert about["weights_sha256"] == MODEL.weights_sha256
    assert about["thresholds"]["possible"] == 0.5
    assert content["properties"]["embedding"]["dims"] == MODEL.dimensions


@pytest.mark.parametrize("vector_type", ["hnsw", "flat", "int8_hnsw", "int4_hnsw", "bbq_hnsw"])
def test_a_node_takes_each_vector_type_with_the_models_own_dimensions(
    vector_type: Any, elasticsearch_url: str
) -> None:
    settings = ElasticsearchSettings(replicas=0, vector_type=vector_type)
    with (
        new_collection(elasticsearch_url) as location,
        open_index(location, create=True, settings=settings) as index,
    ):
        index.adopt_model(replace(OTHER_MODEL, dimensions=128))
        alias = f"{location.rpartition('/')[2]}-faces"
        field = mapping(elasticsearch_url, alias)["properties"]["embedding"]
        assert (field["dims"], field["index_options"]["type"]) == (128, vector_type)


# --- which values fit which type ---------------------------------------------------------------


def assert_fitting(mapped: Properties, document: dict[str, Any]) -> None:
    """Assert that each value is what its field's type is for."""
    for name, value in document.items():
        kind = mapped[name]["type"]
        for single in _singles(value):
            assert _fits(kind, single), f"{name}: {single!r} is no {kind}"


def _singles(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for part in value:
            yield from _singles(part)
    elif value is not None:
        yield value


def _fits(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "long"):
        bits = 31 if kind == "integer" else 63
        return type(value) is int and abs(value) < 2**bits
    if kind == "double":
        return type(value) in (int, float)
    if kind == "date":
        return datetime.fromisoformat(value).tzinfo is not None
    if kind == "binary":
        return base64.b64decode(value, validate=True) is not None
    if kind == "dense_vector":  # written as base64, given back as numbers
        return isinstance(value, float) or from_vector(value).dtype == np.float32
    return kind == "keyword" and type(value) is str
