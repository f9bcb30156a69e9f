"""Kibana's saved objects: their structure, their fields and references, and what each panel asks.

Kibana itself is not run. What it does with an object is told by its source, 9.3: what an import
takes (`OBJECTS`), and how it makes requests of panels and saved searches (`query_of`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from elasticsearch import Elasticsearch
from vl_convert import vegalite_to_svg

from es_mappings import SCHEMA_VERSION, index_template
from es_mappings.kibana import saved_objects, to_ndjson
from indexer.engines import open_index
from indexer.links import PictureLinks
from indexer.records import SegmentSpan
from indexer.settings import ElasticsearchSettings
from tests.cli.running import sightings
from tests.elasticsearch.collections import new_collection
from tests.engines.builders import (
    NOON,
    add_photo,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    photo,
    put_path,
    start,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.base import Index

URL = "https://faces.example.org"
LINKS = PictureLinks(("key",))
VALUES: dict[str, Any] = {
    "name": "holiday",
    "schema_version": SCHEMA_VERSION,
    "shards": 1,
    "replicas": 0,
    "model_slug": "facenet-512",
    "model": {"name": "facenet"},
    "dimensions": 512,
    "index_options": {"type": "int8_hnsw"},
}

OBJECTS: dict[str, tuple[str, set[str], set[str]]] = {
    # type: (newest version of the type that 9.0 to 9.3 all know, needed, possible attributes)
    "index-pattern": (
        "8.0.0",
        {"title", "name"},
        {"fieldAttrs", "fieldFormatMap", "fields", "runtimeFieldMap", "sourceFilters", "typeMeta"},
    ),
    "visualization": (
        "8.5.0",
        {"title", "visState", "kibanaSavedObjectMeta"},
        {"description", "uiStateJSON", "version"},
    ),
    "search": (
        "10.5.0",
        {"title", "columns", "sort", "kibanaSavedObjectMeta"},
        {"description", "grid", "hideChart", "isTextBasedQuery", "rowHeight", "timeRestore"},
    ),
    "dashboard": (
        "10.2.0",
        {"title", "panelsJSON", "optionsJSON", "kibanaSavedObjectMeta"},
        {"description", "timeRestore", "version"},
    ),
}

Saved = dict[str, Any]


def objects(name: str = "holiday") -> list[Saved]:
    return list(saved_objects(name, URL))


def of_type(kind: str, name: str = "holiday") -> list[Saved]:
    return [each for each in objects(name) if each["type"] == kind]


def titled(kind: str) -> Any:
    """Parametrize by the objects of a type, which are known before a collection has a name."""
    ids = [each["id"].removeprefix("sightings-holiday-") for each in of_type(kind)]
    return pytest.mark.parametrize("short_id", ids)


def one(short_id: str, name: str = "holiday") -> Saved:
    (found,) = (each for each in objects(name) if each["id"] == f"sightings-{name}-{short_id}")
    return found


def fields(kind: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = index_template(kind, VALUES)["template"]["mappings"][
        "properties"
    ]
    return found


# --- structure ---------------------------------------------------------------------------------


def test_the_file_is_one_object_a_line_and_names_the_collection_and_the_address() -> None:
    lines = to_ndjson("holiday", URL).splitlines()
    assert [json.loads(line) for line in lines] == objects()
    text = "".join(lines)
    assert "${" not in text
    types = [json.loads(line)["type"] for line in lines]
    assert set(types) == set(OBJECTS)
    assert (types.count("index-pattern"), types.count("search"), types.count("dashboard")) == (
        2,
        2,
        1,
    )


@pytest.mark.parametrize("saved", objects(), ids=lambda saved: saved["id"])
def test_an_object_is_what_an_import_into_kibana_takes(saved: Saved) -> None:
    version, needed, possible = OBJECTS[saved["type"]]
    assert saved.keys() == {
        "type",
        "id",
        "attributes",
        "references",
        "coreMigrationVersion",
        "typeMigrationVersion",
        "managed",
    }
    assert saved["coreMigrationVersion"] == "8.8.0"
    assert saved["typeMigrationVersion"] == version
    assert needed <= saved["attributes"].keys() <= needed | possible
    for name, value in saved["attributes"].items():
        if name.endswith("JSON") or name in (
            "visState",
            "fields",
            "fieldAttrs",
            "fieldFormatMap",
            "runtimeFieldMap",
            "sourceFilters",
            "typeMeta",
        ):
            assert type(value) is str
            json.loads(value)
    if meta := saved["attributes"].get("kibanaSavedObjectMeta"):
        assert meta.keys() == {"searchSourceJSON"}
        source = json.loads(meta["searchSourceJSON"])
        assert {"query", "filter"} <= source.keys() <= {"query", "filter", "indexRefName"}
        assert source["query"] == {"query": "", "language": "kuery"}


def test_ids_are_unique_and_of_the_collection_alone() -> None:
    ids = [each["id"] for each in objects("a")] + [each["id"] for each in objects("b")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("saved", objects(), ids=lambda saved: saved["id"])
def test_references_resolve_and_all_are_used(saved: Saved) -> None:
    known = {(each["type"], each["id"]) for each in objects()}
    assert all((each["type"], each["id"]) in known for each in saved["references"])
    assert sorted(each["name"] for each in saved["references"]) == sorted(used_names(saved))


def used_names(saved: Saved) -> Iterator[str]:
    """Yield the names by which an object's own text speaks of its references."""
    attributes = saved["attributes"]
    for panel in json.loads(attributes.get("panelsJSON", "[]")):
        yield f"{panel['panelIndex']}:{panel['panelRefName']}"
    source = json.loads(attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
    if "indexRefName" in source:
        yield source["indexRefName"]
    for filtered in source.get("filter", ()):
        yield filtered["meta"]["indexRefName"]


# --- the dashboard -----------------------------------------------------------------------------


def test_the_dashboard_shows_every_chart_and_saved_search_once() -> None:
    (dashboard,) = of_type("dashboard")
    shown = [(each["type"], each["id"]) for each in dashboard["references"]]
    expected = [(each["type"], each["id"]) for each in of_type("visualization") + of_type("search")]
    assert sorted(shown) == sorted(expected)


def test_panels_lie_side_by_side_within_the_grid() -> None:
    (dashboard,) = of_type("dashboard")
    cells: set[tuple[int, int]] = set()
    for panel in json.loads(dashboard["attributes"]["panelsJSON"]):
        grid = panel["gridData"]
        assert grid["i"] == panel["panelIndex"]
        assert panel["type"] in ("visualization", "search")
        assert grid["x"] + grid["w"] <= 48
        own = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not own & cells
        cells |= own


# --- fields ------------------------------------------------------------------------------------


@titled("index-pattern")
def test_a_data_view_is_of_an_alias_and_its_fields_exist(short_id: str) -> None:
    attributes = one(short_id)["attributes"]
    assert attributes["title"] == f"holiday-{short_id}"
    formats = json.loads(attributes["fieldFormatMap"])
    hidden = {each["value"] for each in json.loads(attributes["sourceFilters"])}
    assert hidden | formats.keys() <= fields(short_id).keys()
    assert not hidden & formats.keys()


@pytest.mark.parametrize("kind", ["faces", "media"])
@pytest.mark.parametrize("field", ["thumbnail_url", "frame_url"])
def test_pictures_come_from_the_service_by_their_signed_paths(kind: str, field: str) -> None:
    shown = json.loads(one(kind)["attributes"]["fieldFormatMap"])[field]
    assert shown["id"] == "url"
    assert shown["params"]["type"] == "img"
    # Encoded, the path's slashes and its signature's question mark would be lost.
    start, end = shown["params"]["urlTemplate"].split("{{rawValue}}")
    assert start == URL
    # A frame shows which of its faces is meant.
    assert end == ("&box=true&max_side_px=640" if (kind, field) == ("faces", "frame_url") else "")
    assert int(shown["params"]["width"]) > 0
    assert int(shown["params"]["height"]) > 0


def test_no_data_view_shows_vectors_and_pictures_as_text() -> None:
    hidden = {each["value"] for each in json.loads(one("faces")["attributes"]["sourceFilters"])}
    binary = {name for name, field in fields("faces").items() if field["type"] == "binary"}
    assert binary | {"embedding"} <= hidden


@titled("search")
def test_the_fields_of_a_saved_search_exist(short_id: str) -> None:
    saved = one(short_id)
    known = fields(kind_of(saved))
    for field in saved["attributes"]["columns"]:
        assert field in known
    for field, order in saved["attributes"]["sort"]:
        assert known[field].get("doc_values", True)
        assert order in ("asc", "desc")
    for filtered in source_of(saved)["filter"]:
        assert known[filtered["meta"]["key"]].get("index", True)
        assert list(fields_in(filtered["query"])) == [filtered["meta"]["key"]]


@titled("visualization")
def test_the_fields_of_a_chart_exist_and_can_be_aggregated(short_id: str) -> None:
    url = chart(one(short_id))["data"]["url"]
    known = fields(url["index"].removeprefix("holiday-"))
    used = list(fields_in(url["body"]))
    assert used
    for field in used:
        assert known[field].get("doc_values", True)


def fields_in(part: Any) -> Iterator[str]:
    """Yield the fields that a query or aggregation names."""
    if isinstance(part, list):
        for value in part:
            yield from fields_in(value)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "field":
                yield value
            elif key in ("match_phrase", "term"):
                yield from value
            else:
                yield from fields_in(value)


def kind_of(saved: Saved) -> str:
    """Return the kind of index that a saved search looks at."""
    reference = next(each for each in saved["references"] if each["type"] == "index-pattern")
    return str(reference["id"]).removeprefix("sightings-holiday-")


def source_of(saved: Saved) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        saved["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]
    )
    return found


def chart(saved: Saved) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart."""
    state = json.loads(saved["attributes"]["visState"])
    assert (state["type"], state["aggs"]) == ("vega", [])
    assert state["title"] == saved["attributes"]["title"]
    spec: dict[str, Any] = json.loads(state["params"]["spec"])
    assert spec["$schema"] == "https://vega.github.io/schema/vega-lite/v5.json"
    return spec


# --- what each asks a real node ----------------------------------------------------------------


def fill(index: Index) -> None:
    """A photo of Ann with somebody, a video of two minutes in work, and one that failed."""
    add_photo(index, "queued later", axis(4), path="/photos/undated.jpg", sharpness=310.0)
    dated = photo("dated", recorded_at=NOON)
    faces = [
        make_face(dated, axis(0), probability=0.999, face_px=130.0),
        make_face(dated, axis(1), x=200.0, probability=0.955, face_px=45.0),
    ]
    finish(index, start(index, dated), faces)
    link(index, dated)
    put_path(index, dated, "/photos/dated.jpg")
    index.label([make_label(faces[0], "Ann")])

    broken = video("broken")
    put_path(index, broken, "/videos/broken.mp4")
    index.fail_segment(start(index, broken), "it cannot be read")
    link(index, broken)

    working = video("working")
    spans = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0, 120.0))
    finish(index, start(index, working, spans))
    put_path(index, working, "/videos/working.mp4")
    claim(index, working)


@pytest.fixture(scope="module")
def collection(elasticsearch_url: str) -> Iterator[str]:
    settings = ElasticsearchSettings(replicas=0, expunge_s=0)
    with (
        new_collection(elasticsearch_url) as location,
        open_index(location, create=True, settings=settings, links=LINKS) as index,
    ):
        fill(index)
        index.refresh()
        yield location.rpartition("/")[2]


def rows(short_id: str, collection: str, url: str) -> list[dict[str, Any]]:
    """Return what a chart draws: the answer to its request, verbatim, at its `format`."""
    spec = chart(one(short_id, collection))
    asked = spec["data"]["url"]
    # Kibana's own word: whether the dashboard's filters are put beside the body.
    assert asked.keys() - {"%context%"} == {"index", "body"}
    with Elasticsearch(url) as client:
        answer: Any = client.search(index=asked["index"], **asked["body"]).body
    for name in spec["data"]["format"]["property"].split("."):
        answer = answer[name]
    drawn: list[dict[str, Any]] = answer
    for channel in spec["encoding"].values():
        for definition in channel if isinstance(channel, list) else [channel]:
            if definition["field"] not in {each["as"] for each in spec.get("transform", ())}:
                assert all(at(row, definition["field"]) is not None for row in drawn)
    return drawn


def at(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row[name]
    return row


def counts(found: list[dict[str, Any]]) -> dict[Any, int]:
    keys = [round(row["key"], 6) if type(row["key"]) is float else row["key"] for row in found]
    return dict(zip(keys, (row["doc_count"] for row in found), strict=True))


PHOTOS = {"/photos/dated.jpg": 2, "/photos/undated.jpg": 1}
DRAWN: dict[str, dict[Any, int]] = {
    "faces-by-media": PHOTOS,
    "faces-by-person": {"Ann": 1},
    "faces-by-day": {round(NOON.replace(hour=0).timestamp() * 1000): 2},
    "media-by-state": {"done": 2, "failed": 1, "working": 1},
    "probability-histogram": {0.95: 2, 0.99: 1},
    "face-px-histogram": {40.0: 2, 120.0: 1},
    "sharpness-histogram": {100.0: 2, 300.0: 1},
}


@pytest.mark.parametrize("short_id", DRAWN)
def test_a_chart_draws_what_is_there(
    short_id: str, collection: str, elasticsearch_url: str
) -> None:
    assert counts(rows(short_id, collection, elasticsearch_url)) == DRAWN[short_id]


def test_the_chart_of_the_work_tells_states_and_attempts(
    collection: str, elasticsearch_url: str
) -> None:
    found = rows("segments-by-state", collection, elasticsearch_url)
    told = {(row["key"]["state"], row["key"]["attempts"]): row["doc_count"] for row in found}
    assert told == {("done", 1): 3, ("failed", 1): 1, ("claimed", 1): 1}


@titled("visualization")
def test_a_chart_is_drawn_with_a_bar_for_each_row(
    short_id: str, collection: str, elasticsearch_url: str
) -> None:
    """Drawn by Vega-Lite itself, as Kibana does, over the rows that the node gives."""
    found = rows(short_id, collection, elasticsearch_url)
    spec = chart(one(short_id, collection)) | {"data": {"values": found}}
    svg = vegalite_to_svg(spec, vl_version="5.20")
    assert svg.count('aria-roledescription="bar"') == len(found) > 0


def test_every_chart_is_run() -> None:
    ids = {each["id"].removeprefix("sightings-holiday-") for each in of_type("visualization")}
    assert ids == DRAWN.keys() | {"segments-by-state"}


def query_of(saved: Saved) -> dict[str, Any]:
    """Return the query that Kibana makes of a saved search's filters."""
    clauses: dict[str, list[Any]] = {"must_not": [], "filter": []}
    for filtered in source_of(saved)["filter"]:
        assert not filtered["meta"]["disabled"]
        clauses["must_not" if filtered["meta"]["negate"] else "filter"].append(filtered["query"])
    return {"bool": clauses}


def found_by(short_id: str, collection: str, url: str) -> list[dict[str, list[Any]]]:
    """Return the rows of a saved search: each column's values."""
    saved = one(short_id, collection)
    ((view_id, _),) = {(each["id"], each["type"]) for each in saved["references"]}
    view = one(view_id.removeprefix(f"sightings-{collection}-"), collection)
    with Elasticsearch(url) as client:
        hits = client.search(
            index=view["attributes"]["title"],
            query=query_of(saved),
            sort=[{field: order} for field, order in saved["attributes"]["sort"]],
            fields=saved["attributes"]["columns"],
            source=False,
        )["hits"]["hits"]
    return [hit.get("fields", {}) for hit in hits]


def test_the_search_for_faces_without_a_name_finds_them_the_largest_first(
    collection: str, elasticsearch_url: str
) -> None:
    found = found_by("unnamed-faces", collection, elasticsearch_url)
    assert [(row["media_path"], row["face_px"]) for row in found] == [
        (["/photos/undated.jpg"], [50.0]),
        (["/photos/dated.jpg"], [45.0]),
    ]
    for row in found:
        (thumbnail,), (frame,) = row["thumbnail_url"], row["frame_url"]
        for shown, last in ((thumbnail, "/thumbnail"), (frame, "/frame")):
            path, _, signature = shown.partition("?signature=")
            assert path.endswith(last)
            assert LINKS.is_signed(path, signature)


def test_the_search_for_failed_media_says_what_went_wrong(
    collection: str, elasticsearch_url: str
) -> None:
    (row,) = found_by("failed-media", collection, elasticsearch_url)
    assert row["media_path"] == ["/videos/broken.mp4"]
    assert "it cannot be read" in row["error"][0]


# --- the command -------------------------------------------------------------------------------


def test_the_command_prints_the_file_of_a_collection() -> None:
    run = sightings("kibana", "--url", f"{URL}/", "--index", "elasticsearch://es:9200/holiday")
    assert (run.code, run.out) == (0, to_ndjson("holiday", URL))


@pytest.mark.parametrize(
    ("url", "index", "message"),
    [
        (URL, "faces.sightings", "indices of a cluster alone"),
        ("faces.example.org", "elasticsearch://es/holiday", "--url is the address"),
        ("https://ann:secret@example.org", "elasticsearch://es/holiday", "--url is the address"),
        ("https://example.org/?a=1", "elasticsearch://es/holiday", "--url is the address"),
        ('https://example.org/"', "elasticsearch://es/holiday", "--url is the address"),
    ],
)
def test_the_command_says_what_it_cannot_use(url: str, index: str, message: str) -> None:
    run = sightings("kibana", "--url", url, "--index", index)
    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.split())
    assert "secret" not in run.err
