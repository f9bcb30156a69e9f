"""What is found on a cluster under the names of a collection, and whether it can be used."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from elasticsearch import Elasticsearch

from es_mappings import KINDS, SCHEMA_VERSION
from indexer.engines import open_index
from indexer.errors import IndexFailure
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.tampering import (
    changed,
    doubled,
    in_use,
    let_leases_run_out,
    moved,
    name_of,
    schema,
    without_alias,
)
from tests.engines.builders import OTHER_MODEL, add_photo, axis, make_label, photo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.engines.base import Index


@pytest.fixture(scope="module")
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture(scope="module")
def filled(elasticsearch_url: str) -> Iterator[str]:
    """The location of a collection that holds something; tests leave it as they find it."""
    with new_collection(elasticsearch_url) as location:
        fill(location)
        yield location


def fill(location: str) -> None:
    with open_index(location, create=True, settings=SETTINGS) as index:
        add_photo(index, "p", axis(0), path="/p.jpg")


def state(client: Elasticsearch, location: str) -> dict[str, Any]:
    """All that a refused opening must leave as it is."""
    return dict(client.indices.get(index=f"{name_of(location)}-*").body)


def assert_refused(client: Elasticsearch, location: str, message: str) -> None:
    """Neither for reading nor for writing is it opened, and nothing on the cluster changes."""
    before = state(client, location)
    for create in (False, True):
        with pytest.raises(IndexFailure, match=message):
            open_index(location, create=create, settings=SETTINGS)
    assert state(client, location) == before


# --- other versions of Sightings -----------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_newer_version_made_is_refused(
    kind: str, filled: str, client: Elasticsearch
) -> None:
    index = in_use(client, f"{name_of(filled)}-{kind}")
    told = rf"newer version of Sightings \(schema {SCHEMA_VERSION + 3}.*Update Sightings"
    with schema(client, index, SCHEMA_VERSION + 3):
        assert_refused(client, filled, told)


def test_what_an_older_version_made_is_refused_and_the_error_says_what_to_do(
    filled: str, client: Elasticsearch
) -> None:
    index = in_use(client, f"{name_of(filled)}-media")
    told = rf"older schema {SCHEMA_VERSION - 1}.*Index the media again under another name"
    with schema(client, index, SCHEMA_VERSION - 1):
        assert_refused(client, filled, told)


def test_a_model_that_a_newer_version_left_half_built_is_refused_too(
    location: str, client: Elasticsearch
) -> None:
    fill(location)
    with open_index(location, settings=SETTINGS) as index:
        index.begin_version(OTHER_MODEL)
    built = in_use(client, f"{name_of(location)}-building")
    with schema(client, built, SCHEMA_VERSION + 1):
        assert_refused(client, location, "newer version of Sightings")


# --- what is not Sightings' ----------------------------------------------------------------------


@pytest.mark.parametrize("aliased", [True, False], ids=["alias", "name"])
def test_an_index_of_somebody_else_is_refused(
    aliased: bool, location: str, client: Elasticsearch
) -> None:
    name = name_of(location)
    if aliased:
        client.indices.create(index=f"{name}-theirs", aliases={f"{name}-faces": {}})
    else:
        client.indices.create(index=f"{name}-labels")
    assert_refused(client, location, f"Sightings did not make it as a part of {name}. Use another")


def test_parts_of_another_collection_and_of_another_kind_are_refused(
    filled: str, location: str, client: Elasticsearch
) -> None:
    open_index(location, create=True, settings=SETTINGS).close()
    theirs, ours = (in_use(client, f"{name_of(of)}-files") for of in (location, filled))
    told = "index {} .* Sightings did not make it as a part"
    with moved(client, f"{name_of(filled)}-files", theirs):
        assert_refused(client, filled, told.format(theirs))
    with moved(client, f"{name_of(filled)}-media", ours):
        assert_refused(client, filled, told.format(ours))


def test_an_alias_on_two_indices_is_refused(filled: str, client: Elasticsearch) -> None:
    alias = f"{name_of(filled)}-media"
    with doubled(client, alias) as second:
        assert_refused(client, filled, f"{alias} is on several indices, {alias}-1 and {second}")


# --- what is missing -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["faces", "media", "labels"])
def test_a_part_without_its_alias_is_missing(kind: str, filled: str, client: Elasticsearch) -> None:
    alias = f"{name_of(filled)}-{kind}"
    with without_alias(client, alias):
        assert_refused(client, filled, f"not whole: {alias} is missing .*without its alias")


def test_a_collection_that_lost_parts_is_never_filled_up(
    location: str, client: Elasticsearch
) -> None:
    fill(location)
    name = name_of(location)
    for kind, gone in (("labels", "labels"), ("faces", f"faces, {name}-labels")):
        client.indices.delete(index=in_use(client, f"{name}-{kind}"))
        assert_refused(client, location, f"not whole: {name}-{gone} is missing .*a snapshot")


def test_a_creation_that_was_cut_short_is_completed(location: str, client: Elasticsearch) -> None:
    name = name_of(location)
    open_index(location, create=True, settings=SETTINGS).close()
    client.indices.delete(index=[f"{name}-files-1", f"{name}-labels-1"])
    with pytest.raises(IndexFailure, match=f"not whole: {name}-files, {name}-labels is missing"):
        open_index(location, settings=SETTINGS)
    fill(location)
    with without_alias(client, f"{name}-media"):
        assert_refused(client, location, f"{name}-media is missing")
    with open_index(location, settings=SETTINGS) as index:
        assert index.count() == 1


def test_a_cluster_that_takes_no_more_indices_says_so(location: str, client: Elasticsearch) -> None:
    limit = "cluster.max_shards_per_node"
    client.cluster.put_settings(persistent={limit: 1})
    try:
        with pytest.raises(IndexFailure, match=r"validation_exception: .*maximum normal shards"):
            open_index(location, create=True, settings=SETTINGS)
    finally:
        client.cluster.put_settings(persistent={limit: None})


WRITES: dict[str, Callable[[Index], object]] = {
    "files": lambda index: add_photo(index, "q", axis(1), path="/q.jpg"),
    "segments": lambda index: add_photo(index, "q", axis(1)),
    "labels": lambda index: index.label([make_label(next(index.iter_faces()), "Ann")]),
    "media": lambda index: index.start_media(photo("q"), []),
}


@pytest.mark.parametrize("kind", WRITES)
def test_a_part_that_is_lost_while_it_is_written_is_never_made_by_the_way(
    kind: str, filled: str, client: Elasticsearch
) -> None:
    """Elasticsearch makes an index of its own accord, unless it is told not to."""
    alias = f"{name_of(filled)}-{kind}"
    with open_index(filled, settings=SETTINGS) as index, without_alias(client, alias):
        with pytest.raises(IndexFailure, match=rf"missing on the cluster \(no such index.*{kind}"):
            WRITES[kind](index)
        assert not client.indices.exists(index=alias)


def test_faces_that_are_lost_while_they_are_written_are_not_made_by_the_way(
    location: str, client: Elasticsearch
) -> None:
    fill(location)
    with open_index(location, settings=SETTINGS) as index:
        client.indices.delete(index=in_use(client, f"{name_of(location)}-faces"))
        with pytest.raises(IndexFailure, match="There is no index"):
            add_photo(index, "q", axis(1))
    left = {found for found in state(client, location) if "-faces" in found}
    assert left == {f"{name_of(location)}-faces-none-0"}  # where the collection began


# --- mappings that were changed ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("media", {"state": {"type": "text"}}, "state is text, not keyword"),
        ("labels", {"person_key": None}, "person_key is missing, not keyword"),
        ("segments", {"attempts": {"type": "keyword"}}, "attempts is keyword, not integer"),
        ("faces", {"face_px": {"properties": {}}}, "face_px is object, not double"),
        (
            "faces",
            {"embedding": {"type": "dense_vector", "dims": 4}},
            "embedding is dense_vector of 4 dimensions, not dense_vector of 8 dimensions",
        ),
    ],
    ids=["type", "missing", "number", "object", "dimensions"],
)
def test_a_mapping_that_takes_other_values_is_told_field_by_field(
    kind: str, fields: dict[str, Any], told: str, filled: str, client: Elasticsearch
) -> None:
    with changed(client, f"{name_of(filled)}-{kind}", **fields) as other:
        assert_refused(client, filled, f"mapping of {other} is not what .*: {told}")


def test_a_mapping_that_changes_later_is_told_by_what_it_refuses(
    filled: str, client: Elasticsearch
) -> None:
    alias = f"{name_of(filled)}-labels"
    with (
        open_index(filled, settings=SETTINGS) as index,
        changed(client, alias, created_at=None),
        pytest.raises(IndexFailure, match=r"\[created_at\].*were not made by this version"),
    ):
        WRITES["labels"](index)


def test_operators_may_add_fields_and_change_settings(location: str, client: Elasticsearch) -> None:
    fill(location)
    name = name_of(location)
    client.indices.put_mapping(index=f"{name}-media", properties={"team": {"type": "keyword"}})
    client.indices.put_settings(index=f"{name}-*", settings={"index.refresh_interval": "5s"})
    with open_index(location, settings=SETTINGS) as index:
        add_photo(index, "q", axis(1), path="/q.jpg")
        assert index.search(axis(1), 1)[0].face.media_id == photo("q").id


# --- loads that were cut short -------------------------------------------------------------------


def let_a_load_begin_elsewhere(location: str, client: Elasticsearch) -> str:
    """Have a process of another machine load the faces; return their index."""
    faces = in_use(client, f"{name_of(location)}-faces")
    until = datetime.now(timezone.utc) + timedelta(seconds=60)
    lease = {
        "state": "loading",
        "owner": "elsewhere/1/1.00/aa",
        "lease_until": until.isoformat(),
    }
    client.index(index=f"{name_of(location)}-segments", id="lease-loading", document=lease)
    loading = {"index.number_of_replicas": 0, "index.refresh_interval": "-1"}
    client.indices.put_settings(index=faces, settings=loading)
    return faces


@pytest.fixture
def loading(location: str, client: Elasticsearch) -> tuple[str, str]:
    """A collection that was made to have two copies, and its faces, which others load now."""
    with open_index(location, create=True, settings=replace(SETTINGS, replicas=2)) as index:
        add_photo(index, "p", axis(0))
    return location, let_a_load_begin_elsewhere(location, client)


def assert_brought_back(client: Elasticsearch, faces: str) -> None:
    settings = client.indices.get_settings(index=faces, flat_settings=True)[faces]["settings"]
    assert "index.refresh_interval" not in settings
    assert settings["index.number_of_replicas"] == "2"


def test_a_load_of_another_machine_is_left_alone_until_optimize_ends_it(
    loading: tuple[str, str], client: Elasticsearch
) -> None:
    """Whether a process of another machine lives, nobody here can know."""
    location, faces = loading
    with open_index(location, settings=SETTINGS) as index:
        assert index.stats()["loading"] == "elsewhere/1/1.00/aa"
        index.optimize()
        assert index.stats()["loading"] == ""
    assert_brought_back(client, faces)


def test_a_load_of_another_machine_that_is_no_longer_renewed_is_ended_by_the_next_to_open(
    loading: tuple[str, str], client: Elasticsearch
) -> None:
    location, faces = loading
    let_leases_run_out(location)
    open_index(location, settings=SETTINGS).close()
    assert_brought_back(client, faces)
