"""What a store finds, without the queries themselves and copies of their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.evaluation.measuring import with_reduction
from indexer.evaluation.records import Features
from indexer.evaluation.retrieval import TOP, retrieve
from indexer.evaluation.storing import stored
from indexer.settings import Settings
from tests.evaluation.made_up import scattered

if TYPE_CHECKING:
    from pathlib import Path


def with_copies(features: Features) -> Features:
    """Return features in which each photo of the first two people is there three times."""
    rows = [row for row, person in enumerate(features.persons) if person in {"P0000", "P0001"}]
    names = [f"{features.persons[row]}/copy{n}-{row}.jpg" for n in (1, 2) for row in rows]
    return Features(
        (*features.names, *names),
        (*features.persons, *(features.persons[row] for _ in (1, 2) for row in rows)),
        np.concatenate([features.vectors, features.vectors[rows], features.vectors[rows]]),
    )


@pytest.mark.parametrize("store", ["exact", "scikit-learn", "embedded"])
def test_copies_of_a_query_take_no_place_among_its_neighbours(tmp_path: Path, store: str) -> None:
    features = with_copies(scattered([3] * 20, spread=1.0, dimensions=16))
    found = stored(features.vectors, store, "cosine", tmp_path, Settings())
    # Of copies of another photo, it may name others than exact search does.
    assert found.recall > 0.99
    assert found.neighbours.shape == (72, TOP)
    assert (found.neighbours >= 0).all()
    for row, neighbours in enumerate(found.neighbours):
        same = (features.vectors[neighbours] == features.vectors[row]).all(axis=1)
        assert not same.any()
    exact, by_store = retrieve(features), retrieve(features, found.neighbours)
    assert by_store.top == pytest.approx(exact.top)
    assert by_store.recall_at == pytest.approx(exact.recall_at)


def test_photos_that_are_all_copies_have_no_neighbours(tmp_path: Path) -> None:
    vectors = np.tile(np.eye(1, 4, dtype=np.float32), (5, 1))
    found = stored(vectors, "exact", "cosine", tmp_path, Settings())
    assert (found.neighbours == -1).all()
    assert found.recall == 1.0


def test_copies_are_copies_after_a_reduction() -> None:
    """Products of matrices round by the place of a row."""
    features = with_copies(scattered([3] * 100, spread=1.0, dimensions=64))
    assert retrieve(with_reduction(features, 7, whiten=True)).copies == 12
