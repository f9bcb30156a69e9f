"""Searches on a cluster find what exact search finds, however many bits of the vectors it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.elasticsearch.collections import fill, merge, new_collection
from benchmarks.elasticsearch.exact import SAME_COSINE, nearest, questions, recall
from benchmarks.elasticsearch.gallery import synthetic
from benchmarks.elasticsearch.searching import K
from indexer.engines.elastic.nearest import MAX_CANDIDATES

if TYPE_CHECKING:
    from benchmarks.elasticsearch.exact import Questions
    from benchmarks.elasticsearch.gallery import Gallery

FLOORS = {"int8_hnsw": 0.99, "int4_hnsw": 0.99, "bbq_hnsw": 0.99, "int8_flat": 0.999, "flat": 1.0}
"""Least recall@20 of neighbours with a cosine above 0.5, under each filter, by vector type."""


@pytest.fixture(scope="module")
def people() -> Gallery:
    """More faces than a search looks at one by one: graphs are searched as graphs."""
    return synthetic(MAX_CANDIDATES + 500, queries=50)


@pytest.fixture(scope="module")
def asked(people: Gallery) -> Questions:
    return questions(people)


@pytest.mark.parametrize("vector_type", FLOORS)
def test_a_search_finds_nearly_all_that_is_there(elasticsearch_url, people, asked, vector_type):
    numbers = {face.id: number for number, face in enumerate(people.faces())}
    with new_collection(elasticsearch_url, people, vector_type) as collection:
        fill(collection, people)
        merge(collection)
        for name, of_filter in asked.items():
            found = [
                {numbers[hit.face.id] for hit in collection.index.search(q.vector, K, q.filters)}
                for q in of_filter
            ]
            truths = [nearest(people, question, K) for question in of_filter]
            share = recall(found, truths, above=SAME_COSINE)
            assert share >= FLOORS[vector_type], f"{name}: {share}"
