"""Searching faces: the k nearest, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import UsageError
from indexer.records import Filters
from tests.engines.builders import (
    MODEL,
    add_photo,
    at_cosine,
    axis,
    finish,
    link,
    make_face,
    make_label,
    photo,
    random_vectors,
    start,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.records import Face


def add_random(index: Index, name: str, count: int, seed: int) -> list[Face]:
    media = photo(name)
    vectors = random_vectors(count, seed)
    faces = [make_face(media, vector, x=8.0 * i) for i, vector in enumerate(vectors)]
    finish(index, start(index, media), faces)
    link(index, media)
    return faces


def test_an_empty_index_has_no_hits(index: Index) -> None:
    assert index.search(axis(0), 20) == []
    assert index.search_groups(axis(0)[None], 20) == []
    index.adopt_model(MODEL)
    assert index.search(axis(0), 20) == []
    assert index.search_groups(axis(0)[None], 20) == []


def test_an_indexed_face_is_its_own_nearest_neighbour(index: Index) -> None:
    for face in add_random(index, "p", 200, seed=1):
        (hit,) = index.search(face.vector, 1)
        assert hit.face.id == face.id
        assert hit.score == pytest.approx(1.0, abs=1e-6)


def test_scores_are_raw_cosines_from_one_to_minus_one(index: Index) -> None:
    add_photo(index, "p", axis(0), at_cosine(0.5), axis(1), at_cosine(-0.25), -axis(0))
    scores = [hit.score for hit in index.search(axis(0), 20)]
    assert scores == pytest.approx([1.0, 0.5, 0.0, -0.25, -1.0], abs=1e-6)
    assert index.search(axis(0), 1)[0].euclidean == 0.0


def test_scores_never_leave_the_range_of_a_cosine(index: Index) -> None:
    vectors = random_vectors(300, seed=2)
    for number in range(3):
        add_photo(index, f"p{number}", *vectors[100 * number : 100 * number + 100])
    for vector in vectors[:50]:
        best = index.search(vector, 1)[0].score
        worst = index.search(-vector, 300)[-1].score
        assert -1.0 <= worst <= best <= 1.0


def test_a_search_agrees_with_an_exhaustive_comparison(index: Index) -> None:
    faces = add_random(index, "a", 400, seed=3) + add_random(index, "b", 300, seed=4)
    stored = np.array([face.vector for face in faces], np.float64)
    for query in random_vectors(20, seed=5):
        expected = np.argsort(-(stored @ query))[:25]
        hits = index.search(query, 25)
        assert [hit.face.id for hit in hits] == [faces[i].id for i in expected]
        assert [hit.score for hit in hits] == pytest.approx(stored[expected] @ query, abs=1e-6)


def test_k_cuts_the_best_hits_and_an_index_with_fewer_gives_all(index: Index) -> None:
    faces = add_photo(index, "p", at_cosine(0.1), at_cosine(0.9), at_cosine(0.5))
    best_first = [faces[1].id, faces[2].id, faces[0].id]
    for k in (0, 1, 2, 3, 100):
        assert [hit.face.id for hit in index.search(axis(0), k)] == best_first[:k]


def test_equal_scores_come_in_order_of_face_id_wherever_k_cuts(index: Index) -> None:
    vector = random_vectors(1, seed=6)[0]
    faces = [face for n in range(12) for face in add_photo(index, f"p{n}", vector, vector)]
    ids = sorted(face.id for face in faces)
    for k in range(1, 25):
        assert [hit.face.id for hit in index.search(vector, k)] == ids[:k]


def test_hits_carry_the_face_without_embedding_and_thumbnail(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0), face_px=61.5)
    index.label([make_label(face, "Ann")])
    (hit,) = index.search(axis(0), 1)
    assert (hit.face.media_id, hit.face.box_xyxy) == (face.media_id, face.box_xyxy)
    assert (hit.face.face_px, hit.face.person) == (61.5, "Ann")
    assert (hit.face.embedding, hit.face.thumbnail) == (None, None)


def test_filters_apply_before_k_is_cut(index: Index) -> None:
    for n in range(50):
        add_photo(index, f"near{n}", at_cosine(0.9), face_px=200.0)
    (far,) = add_photo(index, "far", at_cosine(0.1), face_px=30.0)
    hits = index.search(axis(0), 1, Filters(media_ids=(photo("far").id,)))
    assert [hit.face.id for hit in hits] == [far.id]
    groups = index.search_groups(
        axis(0)[None], 1, Filters(exclude_media_ids=tuple(photo(f"near{n}").id for n in range(50)))
    )
    assert [group.media.id for group in groups] == [photo("far").id]


def test_a_filter_changes_which_faces_count_and_never_their_scores(index: Index) -> None:
    add_random(index, "a", 300, seed=7)
    add_random(index, "b", 10, seed=8)
    query = random_vectors(1, seed=9)[0]
    scores = {hit.face.id: hit.score for hit in index.search(query, 310)}
    for name in "ab":
        for hit in index.search(query, 310, Filters(media_ids=(photo(name).id,))):
            assert hit.score == scores[hit.face.id]


@pytest.mark.parametrize("shape", [(7,), (9,), (512,), (1, 8), ()])
def test_a_query_of_another_shape_is_refused(index: Index, shape: tuple[int, ...]) -> None:
    add_photo(index, "p", axis(0))
    with pytest.raises(UsageError):
        index.search(np.ones(shape, np.float32), 5)
    with pytest.raises(UsageError):
        index.search_groups(np.ones(shape, np.float32)[None], 5)


def test_a_query_that_is_not_a_number_is_refused(index: Index) -> None:
    add_photo(index, "p", axis(0))
    with pytest.raises(UsageError):
        index.search(axis(0) * np.float32(np.nan), 5)


def test_a_search_sees_each_change_at_once(index: Index) -> None:
    for n in range(1, 40):
        (face,) = add_photo(index, f"p{n}", at_cosine(n / 40))
        assert [hit.face.id for hit in index.search(axis(0), 1)] == [face.id]
        assert len(index.search(axis(0), 100)) == n
    for n in range(39, 1, -1):
        index.delete_media([photo(f"p{n}").id])
        assert index.search(axis(0), 1)[0].score == pytest.approx((n - 1) / 40, abs=1e-6)
        assert len(index.search(axis(0), 100)) == n - 1
