"""The benchmark of the engine runs: figures nobody can make again are worth nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from elasticsearch import Elasticsearch

from benchmarks.elasticsearch.__main__ import main
from benchmarks.elasticsearch.exact import Question, nearest, questions, recall
from benchmarks.elasticsearch.gallery import of_people, synthetic

if TYPE_CHECKING:
    from pathlib import Path

TINY = (
    "--faces 120 --queries 4 --rounds 2 --write-faces 60 --repetitions 1 "
    "--vectors flat int8_hnsw --write-vectors int8_hnsw"
)


def test_all_parts_run_and_leave_nothing_behind(elasticsearch_url, tmp_path: Path, capsys):
    file, before = tmp_path / "figures.json", on_cluster(elasticsearch_url)
    main(["--url", elasticsearch_url, "--json", str(file), *TINY.split()])
    content = json.loads(file.read_text())
    tables: dict[str, list[dict]] = {}
    for table in content["tables"]:
        tables.setdefault(table["title"].split(":")[0].split(",")[0], []).extend(table["rows"])
    assert {row["way"]: len(row["each_rows_per_s"]) for row in tables["Writing"]} == {
        "bare client loop": 1,
        "bulk.write_all": 1,
        "Index.finish_segment": 1,
    }
    assert all(row["rows_per_s"] > 0 for row in tables["A first load"])
    assert {(row["vectors"], row["faces"]) for row in tables["Building"]} == {
        ("flat", 120),
        ("int8_hnsw", 120),
    }
    assert {row["search"] for row in tables["Times"]} == {"numpy", "search", "search_groups"}
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in tables["Times"])
    exact = [row for row in tables["Recall"] if row["vectors"] == "flat"]
    assert {row["filter"] for row in exact} == {"none", "one video", "half the time"}
    assert {row["of_all"] for row in exact} == {1.0}
    assert "| flat" in capsys.readouterr().out
    assert on_cluster(elasticsearch_url) == before


def on_cluster(url: str) -> set[str]:
    """Return the names of all indices and templates that a benchmark may have made."""
    with Elasticsearch(url) as client:
        templates = client.indices.get_index_template()["index_templates"]
        names = {*client.indices.get(index="bench*"), *(one["name"] for one in templates)}
    return {name for name in names if name.startswith("bench")}


def test_recall_counts_the_near_ones_that_were_found():
    truths = [(np.array([3, 1, 2]), np.array([0.9, 0.6, 0.2])), (np.array([5]), np.array([0.7]))]
    assert recall([{3, 2}, {5}], truths, above=-1.0) == pytest.approx(3 / 4)
    assert recall([{3, 2}, {5}], truths, above=0.5) == pytest.approx(2 / 3)
    assert recall([{3}, {5}], truths, above=0.95) is None


def test_the_nearest_are_the_best_of_those_that_pass():
    gallery = synthetic(60, queries=3)
    for of_filter in questions(gallery).values():
        for question in of_filter:
            numbers, cosines = nearest(gallery, question, 20)
            passing = np.ones(60, bool) if question.mask is None else question.mask
            expected = np.sort((gallery.vectors @ question.vector)[passing])[::-1][:20]
            np.testing.assert_allclose(cosines, expected, atol=1e-6)
            assert passing[numbers].all()


def test_fewer_pass_than_are_asked_for():
    gallery = synthetic(10)
    mask = np.arange(10) == 4
    numbers, _ = nearest(gallery, Question(gallery.queries[0], None, mask), 20)
    assert numbers.tolist() == [4]


def test_queries_of_real_people_have_somebody_to_find():
    people = ["one", "two", "two", "three", "three", "three"]
    gallery = of_people("faces", np.eye(6, dtype=np.float32), people, queries=10)
    assert len(gallery) == 3
    assert len(gallery.queries) == 3
    assert set(gallery.query_persons) <= set(gallery.persons)
    stored = {int(vector.argmax()) for vector in gallery.vectors}
    assert stored.isdisjoint(int(vector.argmax()) for vector in gallery.queries)
