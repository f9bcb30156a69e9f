"""Runs over photos with real networks: what a model's kind decides of what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer.errors import WeightsUnavailable
from indexer.evaluation.evaluate import Request, evaluate
from indexer.evaluation.loading import Loader
from indexer.evaluation.matrix import Matrix, PhotoRun
from indexer.evaluation.progress import Watcher
from indexer.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


@pytest.mark.parametrize(("crop", "rate"), [("whole", None), ("region", 0.75)])
def test_where_no_faces_are_looked_for_there_is_no_detection_rate(
    shared_data: Path, portraits: dict[str, np.ndarray], tmp_path: Path, crop: str, rate: float
) -> None:
    """Three faces and a cup of coffee."""
    photos = {"eileen/1": "eileen", "eileen/2": "eileen", "grace/1": "grace", "grace/2": "coffee"}
    for name, shown in photos.items():
        path = tmp_path / "people" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(portraits[shown]).rotate(len(name) if "2" in name else 0).save(path)
    model = f"mobilenet:{shared_data}/models/mobilenet_v2-imagenet-features.pt?crop={crop}"
    matrix = Matrix(photos=(PhotoRun("one", model, measures=("retrieval",)),))
    request = Request(tmp_path / "people", tmp_path / "work")
    (outcome,) = evaluate(matrix, request, stop_at_errors=True)
    assert outcome.metrics["detection_rate"] == rate


def test_weights_that_are_missing_under_some_settings_are_looked_for_under_others(
    shared_data: Path,
) -> None:
    loader = Loader(Watcher())
    for _ in range(2):
        with pytest.raises(WeightsUnavailable, match=r"there is no file gone\.pt"):
            loader.load("facenet", Settings(facenet_weights="gone.pt"))
    there = Settings(facenet_weights=str(shared_data / "models" / "facenet-vggface2.pt"))
    assert loader.load("facenet", there).embedder.identity.name == "facenet"
