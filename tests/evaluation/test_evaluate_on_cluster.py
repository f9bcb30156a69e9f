"""Runs of a matrix whose store is a cluster."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from elasticsearch import Elasticsearch

from indexer.evaluation.evaluate import Request, evaluate
from indexer.evaluation.matrix import Matrix, PhotoRun
from tests.evaluation.material import FEATURES, write_material

if TYPE_CHECKING:
    from pathlib import Path


def test_binary_codes_are_searched_on_the_cluster_that_is_given(
    elasticsearch_url: str, tmp_path: Path
) -> None:
    write_material(tmp_path, dimensions=64)
    run = PhotoRun(
        "codes",
        "features:{models}/" + FEATURES,
        store="elasticsearch:bbq_hnsw",
        measures=("retrieval",),
    )
    request = Request(
        tmp_path / "people", tmp_path / "work", models=tmp_path, elasticsearch=elasticsearch_url
    )
    (outcome,) = evaluate(Matrix(photos=(run,)), request, stop_at_errors=True)
    assert outcome.metrics["store"]["recall20"] > 0.9
    assert outcome.metrics["store"]["name"] == "elasticsearch:bbq_hnsw"
    assert outcome.configuration["store"] == "elasticsearch:bbq_hnsw"
    with Elasticsearch(elasticsearch_url) as client:
        (node,) = client.nodes.info(metric="http").body["nodes"].values()
    assert outcome.made_with["server"] == f"Elasticsearch {node['version']}"
    assert f", elasticsearch {version('elasticsearch')}" in outcome.made_with["versions"]
    assert elasticsearch_url not in str(vars(outcome))


def test_a_cluster_that_does_not_answer_skips_its_runs(tmp_path: Path) -> None:
    write_material(tmp_path)
    run = PhotoRun("codes", "features:{models}/" + FEATURES, store="elasticsearch:flat")
    request = Request(
        tmp_path / "people",
        tmp_path / "work",
        models=tmp_path,
        elasticsearch="http://localhost:1",
        flags={"elasticsearch.retry_s": 0.1},
    )
    (outcome,) = evaluate(Matrix(photos=(run,)), request)
    assert outcome.state == "skipped"
    assert "elasticsearch:flat" in (outcome.reason or "")
