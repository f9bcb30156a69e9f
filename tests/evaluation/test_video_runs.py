"""Runs on videos in a matrix: the run of every frame comes first, and the others are held to it."""

from __future__ import annotations

from dataclasses import replace
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


MODEL = f"onnx:{{models}}/mobilefacenet.onnx?card={CARDS}/mobilefacenet.json"
EVERY, SELDOM = {"keyframes.strategy": "all"}, {"keyframes.strategy": "fps=2"}


@pytest.mark.slow
def test_runs_are_held_against_every_frame_wherever_it_stands(
    shared_data: Path, tmp_path: Path
) -> None:
    matrix = Matrix(
        video=(
            VideoRun("seldom", MODEL, settings=SELDOM),
            VideoRun("mean", MODEL, settings=SELDOM, ranking="mean"),
            VideoRun("absent", "onnx:{models}/none.onnx"),
            VideoRun("every", MODEL, settings=EVERY),
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


@pytest.mark.slow
def test_a_seed_draws_clips_of_its_own_and_runs_are_held_against_those_alone(
    shared_data: Path, tmp_path: Path
) -> None:
    matrix = Matrix(
        video=(
            VideoRun("seldom", MODEL, settings=SELDOM, seed=0),
            VideoRun("every", MODEL, settings=EVERY, seed=0),
            VideoRun("every, own seed", MODEL, settings=EVERY, seed=TINY.seed),
            VideoRun("seldom, no seed", MODEL, settings=SELDOM),
            VideoRun("alone", MODEL, settings=SELDOM, seed=8),
        )
    )
    lfw, models = shared_data / "data" / "lfw", shared_data / "models"
    recipe = replace(TINY, clips=1, frames=25)
    outcomes = evaluate(matrix, Request(lfw, tmp_path, models=models, recipe=recipe))
    assert [each.made_with["seed"] for each in outcomes] == [0, 0, 7, 7, 8]
    clips = [each.made_with["videos"] for each in outcomes]
    assert clips[0] == clips[1] != clips[2] == clips[3] != clips[4] != clips[0]
    assert {path.name for path in (tmp_path / "videos").iterdir()} == {
        f"tiny-{digest}" for digest in clips
    }
    seldom, every, own_every, own_seldom, alone = (each.metrics for each in outcomes)
    for part, whole in ((seldom, every), (own_seldom, own_every)):
        assert whole["found_of_every_frame"] == whole["detections_of_every_frame"] == 1
        assert part["faces_of_every_frame"] == part["faces"] / whole["faces"]
    assert "found_of_every_frame" not in alone
    assert [each.configuration.get("seed") for each in outcomes] == [0, 0, 7, None, 8]
