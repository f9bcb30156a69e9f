"""Searching media: the best ones, each with its appearances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.query import Query
from indexer.records import Filters
from indexer.results import Sighting
from indexer.searching import find
from tests.engines.builders import (
    add_photo,
    add_video,
    at_cosine,
    axis,
    finish,
    link,
    make_face,
    photo,
    random_vectors,
    start,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.results import Group

ME = axis(0)[None]


def test_each_span_of_a_result_has_its_own_verdict_and_best_moment(index: Index) -> None:
    first, second, _ = add_video(
        index,
        "v",
        (0.0, 4.0, [at_cosine(0.4), at_cosine(0.55)]),
        (10.0, 14.0, [at_cosine(0.95, 2), at_cosine(0.7, 2)]),
        (20.0, 22.0, [at_cosine(0.45, 3)]),
    )
    (result,) = find(index, Query(ME, "me"))
    assert [replace(seen, score=round(seen.score, 4)) for seen in result.appearances] == [
        Sighting(0.0, 4.0, 0.55, "possible", first[1].timestamp_s, first[1].id),
        Sighting(10.0, 14.0, 0.95, "same person", second[0].timestamp_s, second[0].id),
    ]
    assert result.verdict == "same person"


def scores(group: Group) -> list[float]:
    return [round(hit.score, 4) for hit in group.hits]


def test_media_come_best_first_and_at_most_as_many_as_asked_for(index: Index) -> None:
    for name, cosine in (("b", 0.5), ("a", 0.9), ("c", 0.1)):
        add_photo(index, name, at_cosine(cosine), path=f"/p/{name}.jpg")
    best_first = ["/p/a.jpg", "/p/b.jpg", "/p/c.jpg"]
    for groups in (0, 1, 2, 3, 100):
        found = [group.media.path for group in index.search_groups(ME, groups)]
        assert found == best_first[:groups]


def test_a_media_counts_when_its_best_face_reaches_the_minimum_score(index: Index) -> None:
    add_photo(index, "in", at_cosine(0.1), axis(0))
    add_photo(index, "out", at_cosine(0.49), at_cosine(0.3))
    found = index.search_groups(ME, 20, min_score=0.5)
    assert [group.media.id for group in found] == [photo("in").id]
    assert len(index.search_groups(ME, 20, min_score=1.0)) == 1


def test_hits_are_the_best_face_of_each_appearance_best_first(index: Index) -> None:
    first, second, third = add_video(
        index,
        "v",
        (0.0, 4.0, [at_cosine(0.6), at_cosine(0.8)]),
        (10.0, 14.0, [at_cosine(0.95, 2), at_cosine(0.7, 2)]),
        (20.0, 22.0, [at_cosine(0.65, 3)]),
    )
    (group,) = index.search_groups(ME, 20, span_score=0.6)
    assert [hit.face.id for hit in group.hits] == [second[0].id, first[1].id, third[0].id]
    assert scores(group) == [0.95, 0.8, 0.65]
    assert [hit.face.appearance_start_s for hit in group.hits] == [10.0, 0.0, 20.0]
    assert group.media.kind == "video"


def test_appearances_below_the_span_score_are_left_out_but_never_the_best(index: Index) -> None:
    add_video(index, "v", (0.0, 1.0, [at_cosine(0.4)]), (2.0, 3.0, [at_cosine(0.3)]))
    cases = {-1.0: [0.4, 0.3], 0.35: [0.4], 0.5: [0.4]}
    for span_score, expected in cases.items():
        (group,) = index.search_groups(ME, 20, span_score=span_score)
        assert scores(group) == expected


def test_every_face_of_a_photo_is_a_hit_of_its_own(index: Index) -> None:
    add_photo(index, "p", at_cosine(0.3), at_cosine(0.9), at_cosine(0.6))
    (group,) = index.search_groups(ME, 20, span_score=0.5)
    assert scores(group) == [0.9, 0.6]
    (group,) = index.search_groups(ME, 20)
    assert scores(group) == [0.9, 0.6, 0.3]


def test_faces_of_a_video_in_progress_are_hits_of_their_own(index: Index) -> None:
    segment = start(index, video("v"))
    faces = [make_face(video("v"), at_cosine(0.9), at_s=t) for t in (1.0, 2.0)]
    finish(index, segment, faces)
    (group,) = index.search_groups(ME, 20)
    assert [hit.face.id for hit in group.hits] == sorted(face.id for face in faces)
    link(index, video("v"))
    assert index.search_groups(ME, 20)[0].media.state == "done"


def test_spans_depend_neither_on_the_number_of_groups_nor_on_other_media(index: Index) -> None:
    vectors = random_vectors(40, seed=11)
    add_video(index, "v", *((2.0 * n, 2.0 * n + 1, [vectors[n]]) for n in range(40)))
    query = vectors[7][None]
    (alone,) = index.search_groups(query, 1, span_score=0.2)
    for n in range(30):
        add_photo(index, f"p{n}", *random_vectors(5, seed=20 + n))
    for groups in (1, 2, 31, 1000):
        among = index.search_groups(query, groups, span_score=0.2)
        assert among[0] == alone
    only = index.search_groups(query, 1, Filters(media_ids=(video("v").id,)), span_score=0.2)
    assert only == [alone]


def test_a_face_scores_as_its_nearest_query(index: Index) -> None:
    add_photo(index, "both", at_cosine(0.6))
    add_photo(index, "second", axis(5))
    queries = np.array([axis(0), axis(1), axis(5)])
    groups = index.search_groups(queries, 20)
    assert [scores(group) for group in groups] == [[1.0], [0.8]]


def test_the_order_of_queries_does_not_matter(index: Index) -> None:
    for n in range(20):
        add_photo(index, f"p{n}", *random_vectors(3, seed=n))
    queries = random_vectors(6, seed=99)
    groups = index.search_groups(queries, 20, span_score=0.3)
    assert index.search_groups(queries[::-1], 20, span_score=0.3) == groups


def test_groups_agree_with_an_exhaustive_comparison(index: Index) -> None:
    stored = {f"p{n}": random_vectors(n % 7 + 1, seed=n) for n in range(60)}
    for name, vectors in stored.items():
        add_photo(index, name, *vectors)
    queries = random_vectors(3, seed=100)
    best = {photo(name).id: (rows @ queries.T).max() for name, rows in stored.items()}
    expected = sorted(best, key=lambda media_id: -best[media_id])
    groups = index.search_groups(queries, 25)
    assert [group.media.id for group in groups] == expected[:25]
    assert [group.hits[0].score for group in groups] == pytest.approx(
        [best[media_id] for media_id in expected[:25]], abs=1e-6
    )


def test_media_of_equal_score_come_in_order_of_their_best_faces_ids(index: Index) -> None:
    vector = random_vectors(1, seed=3)[0]
    ids = sorted(add_photo(index, f"p{n}", vector)[0].id for n in range(15))
    for groups in (1, 7, 15):
        found = index.search_groups(vector[None], groups)
        assert [group.hits[0].face.id for group in found] == ids[:groups]


def test_no_query_finds_nothing(index: Index) -> None:
    add_photo(index, "p", axis(0))
    assert index.search_groups(np.empty((0, 8), np.float32), 20) == []
