"""Models verify real pairs about as well as is known of them: one that falls short has a bug."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.evaluation.evaluate import Request, evaluate
from indexer.evaluation.matrix import CARDS, Matrix, PhotoRun

if TYPE_CHECKING:
    from pathlib import Path

EACH = 12
"""Pairs of one person, and as many of two, from each of the five folds: 120 in all."""


@pytest.fixture(scope="module")
def pairs(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the first pairs of each fold of LFW's."""
    header, *lines = (shared_data / "data" / "lfw_pairs.txt").read_text().splitlines()
    folds, of_fold = map(int, header.split("\t"))
    kept = [f"{folds}\t{EACH}"]
    for start in range(0, 2 * folds * of_fold, of_fold):
        kept += lines[start : start + EACH]
    file = tmp_path_factory.mktemp("pairs") / "pairs.txt"
    file.write_text("\n".join(kept) + "\n")
    return file


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        "facenet:{models}/facenet-vggface2.pt",
        f"onnx:{{models}}/mobilefacenet.onnx?card={CARDS}/mobilefacenet.json",
        "dlib",
    ],
    ids=["facenet", "mobilefacenet", "dlib"],
)
def test_a_model_tells_people_apart_as_is_known_of_it(
    shared_data: Path, pairs: Path, tmp_path: Path, model: str
) -> None:
    """Thresholds come from the other folds, as LFW's rules are; today one pair is missed at most.

    MobileFaceNet on a plain box instead of landmarks misses three, at an area of 0.992.
    """
    run = PhotoRun("one", model, photos="pairs", measures=("verification",))
    lfw, models = shared_data / "data" / "lfw", shared_data / "models"
    request = Request(lfw, tmp_path, pairs=pairs, models=models)
    (outcome,) = evaluate(Matrix(photos=(run,)), request, stop_at_errors=True)
    metrics = outcome.metrics
    assert metrics["pairs"] == 120
    assert metrics["detection_rate"] == 1
    assert metrics["accuracy"] >= 0.98
    assert metrics["auc"] >= 0.998
