"""Clips are indexed and searched by the product's own code, and what is found is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.errors import UsageError
from indexer.evaluation.matrix import CARDS
from indexer.evaluation.video.recipes import Recipe
from indexer.evaluation.video.running import EVERY_FRAME, VideoRun, assigned, run_video
from indexer.evaluation.video.sets import render_set
from indexer.settings import AppearanceSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.evaluation.video.sets import VideoSet
    from indexer.networks import Networks

TINY = Recipe(
    "tiny", clips=2, frames=50, people=2, strangers=1, in_clip=1, strangers_in_clip=1,
    query_frames=10,
)  # fmt: skip
SMALL = Recipe(
    "small", clips=3, frames=75, people=3, strangers=2, in_clip=2, strangers_in_clip=1,
    query_frames=10,
)  # fmt: skip


@pytest.fixture(scope="module")
def tiny(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> VideoSet:
    return render_set(shared_data / "data" / "lfw", tmp_path_factory.mktemp("sets"), recipe=TINY)


def test_a_run_has_all_that_is_measured_of_videos(
    tiny: VideoSet, networks: Networks, tmp_path: Path
) -> None:
    run = VideoRun("one a second", "fake", {"keyframes.strategy": "fps=1"})
    outcome = run_video(run, tiny, tmp_path, networks=networks)
    metrics = outcome.metrics
    assert (outcome.kind, outcome.state, outcome.name) == ("video", "done", "one a second")
    assert (metrics["videos"], metrics["frames"], metrics["looked_at"]) == (2, 100, 4)
    assert metrics["documents"] <= metrics["faces"]
    assert metrics["queries"] == 4
    assert metrics["by_video_query"]["queries"] == 2
    assert 0 < metrics["map"] <= 1
    assert metrics["span_error_s"].keys() == {"median", "p90", "spans", "missed"}
    for name in ("moment_recall", "moment_recall_possible"):
        assert 0 <= metrics[name] <= 1
    assert outcome.configuration["settings"] == {"keyframes.strategy": "fps=1"}
    assert outcome.made_with["videos"] == tiny.digest
    assert outcome.made_with["model"] == networks.embedder.identity.key


def test_a_run_held_against_itself_finds_all_with_as_many_detections(
    tiny: VideoSet, networks: Networks, tmp_path: Path
) -> None:
    run = VideoRun("two a second", "fake", {"keyframes.strategy": "fps=2"})
    first = run_video(run, tiny, tmp_path, networks=networks)
    assert len(first.arrays["followed"]) > 0
    again = run_video(run, tiny, tmp_path, networks=networks, every_frame=first)
    assert "followed_of_every_frame" not in first.metrics
    assert again.metrics["followed_of_every_frame"] == 1.0
    assert again.metrics["detections_of_every_frame"] == 1.0
    assert again.metrics["faces_of_every_frame"] == 1.0


def test_an_index_that_is_there_is_used_again(
    tiny: VideoSet, networks: Networks, tmp_path: Path
) -> None:
    run = VideoRun("one a second", "fake", {"keyframes.strategy": "fps=1"})
    first = run_video(run, tiny, tmp_path, networks=networks)
    (index,) = tmp_path.glob("*.sightings")
    again = run_video(run, tiny, tmp_path, networks=networks)
    assert list(tmp_path.glob("*.sightings")) == [index]
    assert again.metrics["stage_s"]["index"] == first.metrics["stage_s"]["index"]
    assert {name: each.tolist() for name, each in again.arrays.items()} == {
        name: each.tolist() for name, each in first.arrays.items()
    }


def test_the_mean_of_a_videos_faces_ranks_videos_and_knows_no_moments(
    tiny: VideoSet, networks: Networks, tmp_path: Path
) -> None:
    settings = {"keyframes.strategy": "random=5"}
    run = VideoRun("mean of 5", "fake", settings, ranking="mean")
    metrics = run_video(run, tiny, tmp_path, networks=networks).metrics
    assert metrics["looked_at"] == 10
    assert 0 < metrics["map"] <= 1
    assert "moment_recall" not in metrics
    assert "span_error_s" not in metrics


def test_settings_of_a_run_are_put_on_top_of_those_given() -> None:
    given = Settings(appearances=AppearanceSettings(max_gap_s=3.0))
    settings = assigned(given, {"keyframes.max_gap_s": "0.5"})
    assert (settings.appearances.max_gap_s, settings.keyframes.max_gap_s) == (3.0, 0.5)
    assert settings.keyframes.strategy == "delta-e"


def test_a_setting_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Unknown setting .keyframes\.speed."):
        assigned(None, {"keyframes.speed": 3})


def test_networks_that_look_for_other_faces_are_refused(
    tiny: VideoSet, networks: Networks, tmp_path: Path
) -> None:
    run = VideoRun("small faces", "fake", {"faces.min_face_px": 20})
    with pytest.raises(UsageError, match="small faces looks for faces by other settings"):
        run_video(run, tiny, tmp_path, networks=networks)


@pytest.mark.slow
def test_key_frames_find_people_as_every_frame_does(shared_data: Path, tmp_path: Path) -> None:
    videos = render_set(shared_data / "data" / "lfw", tmp_path, recipe=SMALL)
    models = shared_data / "models"
    model = f"onnx:{models / 'mobilefacenet.onnx'}?card={CARDS / 'mobilefacenet.json'}"
    every = run_video(VideoRun("every frame", model, EVERY_FRAME), videos, tmp_path)
    key = run_video(VideoRun("key frames", model), videos, tmp_path, every_frame=every)
    assert every.metrics["looked_at"] == every.metrics["frames"] == 225
    assert key.metrics["looked_at"] < every.metrics["looked_at"] / 2
    assert every.metrics["moment_recall_possible"] > 0.8
    assert every.metrics["moment_precision_possible"] > 0.9
    assert every.metrics["map"] == key.metrics["map"] == 1.0
    assert key.metrics["found_of_every_frame_possible"] > 0.9
    assert key.metrics["span_error_s"]["median"] < 0.3
