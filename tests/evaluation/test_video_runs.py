"""Runs on videos in a matrix: the run of every frame comes first, and the others are held to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.evaluation.evaluate import Request, evaluate
from indexer.evaluation.matrix import CARDS, Matrix, VideoRun
from indexer.evaluation.video.recipes import Recipe
from tests.evaluation.watching import Seen

if TYPE_CHECKING:
    from pathlib import Path

TINY = Recipe(
    "tiny", clips=2, frames=40, people=2, strangers=1, in_clip=1, strangers_in_clip=1,
    query_frames=10,
)  # fmt: skip


@pytest.mark.slow
def test_runs_are_held_against_every_frame_wherever_it_stands(
    shared_data: Path, tmp_path: Path
) -> None:
    model = f"onnx:{{models}}/mobilefacenet.onnx?card={CARDS}/mobilefacenet.json"
    matrix = Matrix(
        video=(
            VideoRun("seldom", model, settings={"keyframes.strategy": "fps=2"}),
            VideoRun("mean", model, settings={"keyframes.strategy": "fps=2"}, ranking="mean"),
            VideoRun("absent", "onnx:{models}/none.onnx"),
            VideoRun("every", model, settings={"keyframes.strategy": "all"}),
        )
    )
    lfw, models = shared_data / "data" / "lfw", shared_data / "models"
    request = Request(lfw, tmp_path, models=models, recipe=TINY)
    seen = Seen()
    outcomes = {each.name: each for each in evaluate(matrix, request, seen)}
    assert seen.ended == ["every", "seldom", "mean", "absent"]
    assert {name: each.state for name, each in outcomes.items()} == {
        "seldom": "done",
        "mean": "done",
        "absent": "skipped",
        "every": "done",
    }
    every, seldom = outcomes["every"].metrics, outcomes["seldom"].metrics
    assert every["detections_of_every_frame"] == every["found_of_every_frame"] == 1
    assert 0 < seldom["detections_of_every_frame"] < 0.2
    assert seldom["looked_at"] < every["looked_at"] == every["frames"] == 80
    assert outcomes["seldom"].made_with["weights_sha256"]
    assert str(models) not in str(outcomes["seldom"].configuration)
    again = Seen()
    evaluate(matrix, request, again)
    assert again.kept == ["every", "seldom", "mean"]
