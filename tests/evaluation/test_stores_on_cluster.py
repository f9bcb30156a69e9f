"""The Elasticsearch engine as a store, on a real node."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from elasticsearch import Elasticsearch

from indexer.errors import IndexFailure, UsageError
from indexer.evaluation.stores import open_store
from indexer.settings import ElasticsearchSettings, Settings
from tests.evaluation.neighbours import DIMENSIONS, K, check, expected, recall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from indexer.evaluation.records import Metric
    from indexer.evaluation.stores.base import Store

SETTINGS = Settings(elasticsearch=ElasticsearchSettings(retry_s=5, oversample=3))


@contextmanager
def opened(
    name: str, metric: Metric, folder: Path, settings: Settings = SETTINGS
) -> Iterator[Store]:
    with open_store(name, DIMENSIONS, metric=metric, folder=folder, settings=settings) as store:
        yield store


@pytest.fixture
def collections(elasticsearch_url: str) -> Iterator[list[str]]:
    """What stores have left on the node, filled in when the test ends."""
    with Elasticsearch(elasticsearch_url) as client:
        before = everything(client)
        yield []
        assert everything(client) == before


def everything(client: Elasticsearch) -> set[str]:
    templates = client.indices.get_index_template().body["index_templates"]
    return {*client.indices.get(index="*"), *(template["name"] for template in templates)}


@pytest.mark.usefixtures("collections")
@pytest.mark.parametrize(
    ("vector_type", "metric"),
    [("flat", "euclidean"), ("int8_hnsw", "cosine")],
)
def test_a_collection_finds_the_nearest(
    elasticsearch_url: str, vectors: np.ndarray, queries: np.ndarray, tmp_path: Path,
    vector_type: str, metric: Metric,
) -> None:  # fmt: skip
    with opened(f"elasticsearch:{vector_type}@{elasticsearch_url}", metric, tmp_path) as store:
        check(store, vectors, queries)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("collections")
def test_codes_of_a_bit_a_dimension_find_nearly_all_when_more_are_compared_in_full(
    elasticsearch_url: str, vectors: np.ndarray, queries: np.ndarray, tmp_path: Path
) -> None:
    wanted, _ = expected(vectors, queries, "cosine")
    found = {}
    for oversample in (1.0, 5.0):
        cluster = replace(SETTINGS.elasticsearch, oversample=oversample)
        settings = replace(SETTINGS, elasticsearch=cluster)
        name = f"elasticsearch:bbq_hnsw@{elasticsearch_url}"
        with opened(name, "cosine", tmp_path, settings) as store:
            store.insert(vectors)
            found[oversample] = recall(store.nearest(queries, K)[0], wanted)
    assert 0.5 < found[1.0] < found[5.0]
    assert found[5.0] >= 0.98


@pytest.mark.usefixtures("collections")
def test_the_cluster_and_the_vector_type_are_those_of_the_settings_if_none_are_named(
    elasticsearch_url: str, vectors: np.ndarray, queries: np.ndarray, tmp_path: Path
) -> None:
    location = f"elasticsearch://{elasticsearch_url.partition('//')[2]}/of-the-user"
    cluster = replace(SETTINGS.elasticsearch, vector_type="int8_flat")
    settings = replace(SETTINGS, index=location, elasticsearch=cluster)
    with opened("elasticsearch", "cosine", tmp_path, settings) as store:
        check(store, vectors, queries)
        with Elasticsearch(elasticsearch_url) as client:
            (made,) = client.indices.get(index="evaluation-*-faces-evaluation-*").body.values()
        of_vectors = made["mappings"]["properties"]["embedding"]["index_options"]
        assert of_vectors["type"] == "int8_flat"


@pytest.mark.usefixtures("collections")
def test_what_the_cluster_refuses_leaves_nothing_on_it(
    elasticsearch_url: str, vectors: np.ndarray, tmp_path: Path
) -> None:
    name = f"elasticsearch@{elasticsearch_url}"
    with pytest.raises(IndexFailure):
        open_store(name, 5000, metric="cosine", folder=tmp_path, settings=SETTINGS)
    with (
        pytest.raises(UsageError, match="of length 1 alone"),
        opened(name, "euclidean", tmp_path) as store,
    ):
        store.insert(2 * vectors)
