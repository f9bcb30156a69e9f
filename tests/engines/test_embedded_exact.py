"""The embedded engine finds what comparing everything finds: faces, scores and their order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.engines.checks import exact_cosines
from indexer.engines.embedded.connection import Database
from indexer.engines.embedded.index import EmbeddedIndex
from indexer.engines.embedded.vectors import VectorTable
from indexer.records import Filters
from tests.engines.builders import MODEL, WHOLE, claim, finish, link, make_face, photo
from tests.engines.test_embedded_coding import CODINGS, coding_of, unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from indexer.records import Face

Answer = list[tuple[str, float]]
"""Face ids with their scores."""


@pytest.fixture(params=CODINGS)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedIndex]:
    database = Database(str(tmp_path / "faces.sightings"), create=True, busy_timeout_s=5.0)
    with EmbeddedIndex(database, VectorTable(coding_of(request.param))) as opened:
        yield opened


def add(index: EmbeddedIndex, name: str, vectors: np.ndarray) -> list[Face]:
    """Index a photo of faces."""
    model, media = replace(MODEL, dimensions=vectors.shape[1]), photo(name)
    faces = [
        make_face(media, vector, x=8.0 * i, model=model.key, face_px=20.0 + i)
        for i, vector in enumerate(vectors)
    ]
    index.adopt_model(model)
    index.start_media(media, WHOLE)
    finish(index, claim(index, media), faces)
    link(index, media)
    return faces


def add_all(index: EmbeddedIndex, vectors: np.ndarray, sizes: Sequence[int]) -> list[Face]:
    """Index photos with so many faces each; the last has the rest."""
    parts = np.split(vectors, np.cumsum(sizes))
    return [face for n, part in enumerate(parts) for face in add(index, f"p{n}", part)]


def best_first(faces: Sequence[Face], queries: np.ndarray) -> Answer:
    """Every face with its highest cosine, compared with every query one by one."""
    stored = np.array([face.vector for face in faces])
    each = [exact_cosines(stored, np.tile(query, (len(stored), 1))) for query in queries]
    scores = np.max(each, axis=0).tolist()
    found = zip((face.id for face in faces), scores, strict=True)
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))


def best_groups(
    faces: Sequence[Face], queries: np.ndarray, groups: int, min_score: float, span_score: float
) -> list[Answer]:
    by_media: dict[str, Answer] = {}
    for face_id, score in best_first(faces, queries):
        by_media.setdefault(face_id.split("-")[0], []).append((face_id, score))
    return [
        hits[:1] + [hit for hit in hits[1:] if hit[1] >= span_score]
        for hits in by_media.values()
        if hits[0][1] >= min_score
    ][:groups]


def found(index: EmbeddedIndex, query: np.ndarray, k: int) -> Answer:
    return [(hit.face.id, hit.score) for hit in index.search(query, k)]


def found_groups(
    index: EmbeddedIndex, queries: np.ndarray, groups: int, min_score: float, span_score: float
) -> list[Answer]:
    answer = index.search_groups(queries, groups, min_score=min_score, span_score=span_score)
    return [[(hit.face.id, hit.score) for hit in group.hits] for group in answer]


def check(index: EmbeddedIndex, faces: Sequence[Face], queries: np.ndarray) -> None:
    """Compare the answers to all queries, one by one and together, with what they must be."""
    for query in queries:
        expected = best_first(faces, query[None])
        for k in (1, 2, 20, len(faces), 10 * len(faces)):
            assert found(index, query, k) == expected[:k]
    for asked in (queries[:1], queries):
        scores = [score for _, score in best_first(faces, asked)]
        # A score that a face has to the last bit is reached, the next above it is not.
        edges = [-1.0, scores[0], scores[len(scores) // 2], np.nextafter(scores[0], 2.0)]
        for groups in (1, 3, 1000):
            for min_score in edges:
                for span_score in (min_score, 0.5, 2.0):
                    limits = groups, min_score, span_score
                    expected_groups = best_groups(faces, asked, *limits)
                    assert found_groups(index, asked, *limits) == expected_groups


def noise(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((count, dimensions)))


def people(dimensions: int) -> np.ndarray:
    centres = np.repeat(noise(15, dimensions), 20, axis=0)
    return unit(np.sqrt(0.7) * centres + np.sqrt(0.3) * noise(300, dimensions, 1))


def near_ties(dimensions: int) -> np.ndarray:
    """Nearly one vector, by less than int8 can tell apart, then by less than float32 can."""
    steps = np.repeat(10.0 ** -np.arange(2, 9), 40)[:, None]
    return unit(noise(1, dimensions) + steps * noise(280, dimensions, 1))


def duplicates(dimensions: int) -> np.ndarray:
    return np.tile(noise(7, dimensions), (40, 1))


def opposites(dimensions: int) -> np.ndarray:
    """Cosines of exactly 1, 0 and -1, and nothing above 0 for a query that is no axis."""
    axes = np.eye(dimensions, dtype=np.float32)[:30]
    return np.concatenate([axes, -axes, -np.abs(noise(60, dimensions))])


@pytest.mark.parametrize("dimensions", [128, 512, 1280])
@pytest.mark.parametrize("vectors_of", [people, near_ties, duplicates, opposites])
def test_answers_are_those_of_comparing_everything(
    index: EmbeddedIndex, vectors_of: Callable[[int], np.ndarray], dimensions: int
) -> None:
    vectors = vectors_of(dimensions)
    faces = add_all(index, vectors, [1, 1, 2, 3, 5, 8, 40, 100])
    between = unit((vectors[:1] + vectors[1:2]) / 2)
    check(index, faces, np.concatenate([vectors[:1], between, noise(1, dimensions, 9)]))


def test_vectors_that_are_a_little_too_long_tie_at_one(index: EmbeddedIndex) -> None:
    lengths = 1.0 + np.linspace(0.0, 4e-5, 40, dtype=np.float32)[:, None]
    faces = add_all(index, (noise(1, 128) * lengths).astype(np.float32), [10, 10])
    check(index, faces, (noise(1, 128) * lengths[[0, 39]]).astype(np.float32))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_faces_are_enough(index: EmbeddedIndex, count: int) -> None:
    faces = add(index, "p", noise(count, 128))
    check(index, faces, noise(2, 128, 1))


def test_a_media_of_almost_all_faces_does_not_hide_the_others(index: EmbeddedIndex) -> None:
    near = unit(noise(1, 128) + 0.01 * noise(600, 128, 1))
    far = noise(25, 128, 2)
    faces = [*add(index, "crowd", near)]
    for n, vector in enumerate(far):
        faces += add(index, f"p{n}", vector[None])
    check(index, faces, near[:2])
    limits = 20, -1.0, 0.9
    assert len(found_groups(index, near[:1], *limits)) == 20


def test_answers_stay_right_while_faces_come_and_go(index: EmbeddedIndex) -> None:
    rng = np.random.default_rng(5)
    vectors, faces = people(128), []
    for step in range(12):
        part = vectors[25 * step : 25 * step + 25]
        faces += add_all(index, part, [1, 4]) if step == 0 else add(index, f"more {step}", part)
        leaving = rng.random(len(faces)) < 0.3
        index.delete_faces([face.id for face, leaves in zip(faces, leaving, strict=True) if leaves])
        faces = [face for face, leaves in zip(faces, leaving, strict=True) if not leaves]
        for query in (vectors[25 * step], vectors[0]):
            assert found(index, query, 20) == best_first(faces, query[None])[:20]
            limits = 3, -1.0, 0.5
            groups = found_groups(index, query[None], *limits)
            assert groups == best_groups(faces, query[None], *limits)
    check(index, faces, vectors[:2])


def test_a_filter_takes_its_part_of_the_exact_order(index: EmbeddedIndex) -> None:
    faces = add_all(index, people(128), [150, 50])
    query = people(128)[3]
    for least_px in (20.0, 21.0, 60.0, 165.0, 169.0, 1000.0):
        hits = index.search(query, 20, Filters(min_face_px=least_px))
        passing = [face for face in faces if face.face_px >= least_px]
        expected = best_first(passing, query[None])[:20] if passing else []
        assert [(hit.face.id, hit.score) for hit in hits] == expected


def test_few_cosines_are_computed_exactly(tmp_path: Path) -> None:
    rescored: list[int] = []

    class Counting(VectorTable):
        def exact_scores(self, connection, queries, positions) -> np.ndarray:
            rescored.append(len(positions))
            return super().exact_scores(connection, queries, positions)

    table = Counting(coding_of("int8"))
    database = Database(str(tmp_path / "faces.sightings"), create=True, busy_timeout_s=5.0)
    with EmbeddedIndex(database, table) as index:
        centres = np.repeat(noise(100, 512), 20, axis=0)
        add_all(index, unit(np.sqrt(0.7) * centres + np.sqrt(0.3) * noise(2000, 512, 1)), [900])
        index.search(unit(centres[:1])[0], 20)
    assert 20 <= sum(rescored) < 60


def test_threads_get_right_answers_while_others_write(index: EmbeddedIndex) -> None:
    query = noise(1, 128)[0]
    faces = add(index, "near", unit(query + 0.05 * noise(60, 128, 1)))
    expected = best_first(faces, query[None])[:20]
    limits = 1, -1.0, -1.0
    expected_groups = best_groups(faces, query[None], *limits)

    def ask(_: int) -> bool:
        groups = found_groups(index, query[None], *limits)
        return (found(index, query, 20), groups) == (expected, expected_groups)

    def write(number: int) -> None:
        add(index, f"far {number}", noise(40, 128, number))
        add(index, f"gone {number}", noise(40, 128, 100 + number))
        index.delete_media([photo(f"gone {number}").id])

    with ThreadPoolExecutor(9) as threads:
        answers = threads.map(ask, range(150))
        list(threads.map(write, range(10, 15)))
        assert all(answers)
    assert index.count() == 60 + 5 * 40


@pytest.mark.parametrize("name", CODINGS)
def test_nothing_of_a_removed_face_stays_in_memory(tmp_path: Path, name: str) -> None:
    table = VectorTable(coding_of(name))
    database = Database(str(tmp_path / "faces.sightings"), create=True, busy_timeout_s=5.0)
    with EmbeddedIndex(database, table) as index:
        faces = add(index, "p", noise(50, 128))
        index.refresh()
        columns = table.coding.layout(128)
        before = {column: table.rows[column].copy() for column in columns}
        index.delete_faces([face.id for face in faces[:10]])
        index.refresh()
        for column in columns:
            assert not table.rows[column][:10].any()
            assert np.array_equal(table.rows[column][10:], before[column][10:])
        # More than half gone: the rows move together, and none of the others is left.
        index.delete_faces([face.id for face in faces[10:40]])
        index.refresh()
        for column in columns:
            assert np.array_equal(table.rows[column], before[column][40:])


def test_the_statistics_say_how_is_searched(index: EmbeddedIndex) -> None:
    add(index, "p", noise(1, 128))
    assert str(index.stats()["search"]).startswith(("int8 (numkong", "float32 (numpy), because "))
