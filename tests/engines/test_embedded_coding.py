"""However vectors lie in memory, how far a cosine can be off is known, and is never exceeded."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.engines.embedded import kernel
from indexer.engines.embedded.approximation import Approximation, best_cosines
from indexer.engines.embedded.coding import ROWS_TOGETHER, Coding, Float32, Int8
from indexer.engines.embedded.rows import Rows
from tests.engines.builders import random_vectors

CODINGS = ["int8", "float32"]


def coding_of(name: str) -> Coding:
    found = kernel.installed()
    assert found.dots is not None, found.name
    return Int8(found, found.dots) if name == "int8" else Float32("a test asks for it")


@pytest.fixture(params=CODINGS)
def coding(request: pytest.FixtureRequest) -> Coding:
    return coding_of(request.param)


def unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / lengths, np.float32)


def vectors_of(kind: str, dimensions: int) -> np.ndarray:
    rng = np.random.default_rng(dimensions)
    random = random_vectors(200, seed=dimensions, dimensions=dimensions)
    if kind == "one large component":  # all others fall between two whole numbers, or to zero
        random[:, 0] = 20.0
    if kind == "halfway between whole numbers":
        random = rng.integers(-126, 126, random.shape) + 0.5
        random[:, -1] = 127.0
    if kind == "equal components":
        random = np.sign(random) + (random == 0)
    if kind == "tiny and large":
        random *= 10.0 ** rng.integers(-30, 1, random.shape)
        random[:, 0] += 1e-20
    return unit(random)


def stored(coding: Coding, vectors: np.ndarray) -> Rows:
    rows = Rows(coding.layout(vectors.shape[1]))
    rows.put(rows.extend(len(vectors)), coding.encode(vectors))
    return rows


def off_by(approximation: Approximation, exact: np.ndarray) -> np.ndarray:
    return np.abs(approximation.scores.astype(np.float64) - exact)


@pytest.mark.parametrize("dimensions", [2, 8, 128, 512, 1280])
@pytest.mark.parametrize(
    "kind",
    [
        "random",
        "one large component",
        "halfway between whole numbers",
        "equal components",
        "tiny and large",
    ],
)
def test_no_cosine_is_off_by_more_than_its_error(
    coding: Coding, kind: str, dimensions: int
) -> None:
    vectors = vectors_of(kind, dimensions)
    strangers = random_vectors(20, seed=1, dimensions=dimensions)
    for query in [*vectors[:20], *-vectors[:20], *strangers]:
        found = coding.compare(stored(coding, vectors), query[None], np.arange(len(vectors)))
        exact = best_cosines(vectors, query[None])
        assert (off_by(found, exact) <= found.errors).all()


@pytest.mark.parametrize("queries", [1, 2, 7, 100])
def test_the_highest_of_several_queries_counts(coding: Coding, queries: int) -> None:
    vectors, asked = random_vectors(500, 1, 64), random_vectors(queries, 2, 64)
    found = coding.compare(stored(coding, vectors), asked, np.arange(500))
    exact = np.max([best_cosines(vectors, query[None]) for query in asked], axis=0)
    assert np.array_equal(best_cosines(vectors, asked), exact)
    assert (off_by(found, exact) <= found.errors).all()


@pytest.mark.parametrize("length", [0.0, 1e-6, 0.5, 3.0, 1e6])
def test_a_query_of_another_length_than_one_has_bounds_as_well(
    coding: Coding, length: float
) -> None:
    vectors, query = random_vectors(300, 1, 64), random_vectors(1, 2, 64) * np.float32(length)
    found = coding.compare(stored(coding, vectors), query, np.arange(300))
    products = vectors.astype(np.float64) @ query[0].astype(np.float64)
    assert (off_by(found, products.clip(-1.0, 1.0)) <= found.errors).all()


def test_errors_of_int8_are_small_enough_to_be_of_use() -> None:
    coding, vectors = coding_of("int8"), random_vectors(1000, 1, 512)
    found = coding.compare(stored(coding, vectors), random_vectors(1, 2, 512), np.arange(1000))
    assert found.errors.max() < 0.03


@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize(
    "chosen",
    ["all", "one", "few of many", "every third", "a stretch", "all but a stretch", "none"],
)
def test_any_choice_of_rows_scores_as_among_all(coding: Coding, chosen: str, queries: int) -> None:
    count = 2 * ROWS_TOGETHER + 500
    rng = np.random.default_rng(0)
    positions = np.arange(count)
    positions = {
        "all": positions,
        "one": positions[[ROWS_TOGETHER]],
        "few of many": np.sort(rng.choice(count, 40, replace=False)),
        "every third": positions[1::3],
        "a stretch": positions[100 : ROWS_TOGETHER + 100],
        "all but a stretch": np.delete(positions, np.s_[5 : ROWS_TOGETHER + 5]),
        "none": positions[:0],
    }[chosen]
    rows = stored(coding, random_vectors(count, 1, 16))
    asked = random_vectors(queries, 2, 16)
    among_all = coding.compare(rows, asked, np.arange(count))
    found = coding.compare(rows, asked, positions)
    assert np.allclose(found.scores, among_all.scores[positions], rtol=0.0, atol=1e-6)
    assert np.array_equal(found.errors, among_all.errors[positions])


@pytest.mark.parametrize("dimensions", [1, 5, 63, 64, 129, 512, 1280])
@pytest.mark.parametrize("queries", [1, 2, 33])
def test_the_kernel_gives_the_very_sums(dimensions: int, queries: int) -> None:
    dots = kernel.installed().dots
    assert dots is not None
    rng = np.random.default_rng(dimensions)
    codes = rng.integers(-127, 128, (70, dimensions), dtype=np.int8)
    codes[0], codes[1] = 127, -127
    asked = codes[:queries]
    expected = codes.astype(np.int64) @ asked.T.astype(np.int64)
    assert np.array_equal(dots(codes, asked), expected)
    assert np.array_equal(dots(codes[7:30], asked), expected[7:30])
