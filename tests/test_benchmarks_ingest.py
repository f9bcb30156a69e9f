"""The benchmark of indexing runs, and it finds out when results are not the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.ingest.__main__ import main
from benchmarks.ingest.ceiling import MeasuredProject
from benchmarks.ingest.clips import ClipPlan, parse_plan, render
from benchmarks.ingest.equality import (
    compare_borders,
    compare_boxes,
    compare_index,
    compare_vectors,
    pairs,
)
from benchmarks.ingest.measuring import SEGMENT_S
from benchmarks.ingest.memory import EVERY_S, repeat
from benchmarks.ingest.naive import KeepRule
from benchmarks.ingest.records import Run, Seen, Spent, Task, Tolerances
from benchmarks.ingest.reference import Reference
from benchmarks.ingest.rule import key_frame_settings
from benchmarks.ingest.scenes import photos_of
from benchmarks.ingest.workers import Worker
from indexer.colour import lab
from indexer.keyframes import key_frames
from indexer.records import Frame
from indexer.video import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

TINY = "--clips 360p-20 --frames 24 --photos 1 --rounds 1"
TABLES = (
    "Media",
    "End to end",
    "Stages",
    "Ceiling",
    "Processes",
    "Results on the same frames",
)


def arguments(shared_data: Path, folder: Path, *more: str) -> list[str]:
    """Return the options of a tiny run."""
    faces, weights = shared_data / "data" / "lfw", shared_data / "models" / "facenet-vggface2.pt"
    return [*TINY.split(), f"--faces={faces}", f"--weights={weights}", f"--work={folder}", *more]


@pytest.mark.slow
def test_a_tiny_run_has_all_figures_of_both_sides(
    shared_data: Path, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "figures.json"
    main(arguments(shared_data, tmp_path, f"--json={file}"))
    tables = {table["title"]: table["rows"] for table in json.loads(file.read_text())["tables"]}
    assert tuple(tables) == TABLES
    clip, photos = tables["Media"]
    assert (clip["media"], clip["pictures"], photos["kept"]) == ("360p-20", 24, 1)
    assert clip["faces"] > 0
    assert [row["times_as_fast"] > 0 for row in tables["End to end"]] == [True, True]
    stages = [row["stage"] for row in tables["Stages"] if row["media"] == "360p-20"]
    assert stages == ["decode", "filter", "detect", "embed", "all stages"]
    assert all(row["floor_s"] > 0 for row in tables["Ceiling"])
    # FaceNet takes 2.835 GFLOP, and sees each face twice.
    assert tables["Ceiling"][0]["facenet_gflop"] == pytest.approx(clip["faces"] * 5.67, rel=0.01)
    assert {row["side"] for row in tables["Processes"]} == {"naive", "project"}
    assert [row["differences"] for row in tables["Results on the same frames"]] == [0, 0]
    assert "Results are the same." in capsys.readouterr().out


@pytest.mark.slow
def test_another_minimum_face_on_one_side_makes_it_fail_and_say_what_differs(
    shared_data: Path, tmp_path: Path, capsys: Any
) -> None:
    options = arguments(shared_data, tmp_path, "--naive-min-face=70", "--photos=0")
    with pytest.raises(SystemExit, match="1"):
        main(options)
    told = capsys.readouterr()
    assert "faces expected" in told.err
    assert "Results are the same." not in told.out


@pytest.mark.slow
def test_a_frame_that_is_missing_among_the_kept_is_found_out(
    shared_data: Path, tmp_path: Path
) -> None:
    photos = photos_of(shared_data / "data" / "lfw")
    clip = render(ClipPlan("360p", 20, frames=16), photos, tmp_path)
    task = Task(shared_data / "models" / "facenet-vggface2.pt", min_face_px=40, device="cpu")
    reference, stages = Reference(task), MeasuredProject(task).video(clip)
    naive = reference.video(clip)
    whole = reference.check_video(clip, naive, stages, Tolerances())
    assert (whole.difference.texts, whole.ties) == ((), 0)
    missing = replace(stages, seen=stages.seen[:1] + stages.seen[2:])
    checked = reference.check_video(clip, naive, missing, Tolerances())
    assert f"frame {stages.seen[1].number} is dropped" in checked.difference.texts[0]


@pytest.mark.slow
def test_memory_is_read_while_a_long_video_is_indexed(shared_data: Path, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    main(
        arguments(
            shared_data,
            tmp_path,
            "--frames=50",
            "--hours=0.005",
            "--memory=0.1",
            f"--json={file}",
        )
    )
    ((table,),) = (json.loads(file.read_text())["tables"],)
    assert 0.0 <= table["rows"][0]["indexed_s"] <= EVERY_S
    assert all(0 < row["now_mb"] <= row["peak_mb"] for row in table["rows"])
    assert not (tmp_path / "long.mp4").exists()


def test_a_clip_repeated_is_a_whole_video_with_all_frames_in_order(
    shared_data: Path, tmp_path: Path
) -> None:
    photos = photos_of(shared_data / "data" / "lfw")
    clip = render(ClipPlan("360p", 2, frames=12), photos, tmp_path)
    with VideoReader(repeat(clip, 0.02, tmp_path / "long.mp4")) as reader:
        frames = sum(1 for _ in reader.frames())
        assert (frames % 12, frames, reader.warnings()) == (0, len(reader.timestamps_s), ())
        assert reader.duration_s >= 1.2
        assert (np.diff(reader.timestamps_s) > 0).all()


def test_a_clip_that_was_rendered_is_used_again_and_another_plan_is_another_file(
    shared_data: Path, tmp_path: Path
) -> None:
    photos = photos_of(shared_data / "data" / "lfw")
    first = render(ClipPlan("360p", 2, frames=4), photos, tmp_path)
    written = first.stat().st_mtime_ns
    assert render(ClipPlan("360p", 2, frames=4), photos, tmp_path) == first
    assert first.stat().st_mtime_ns == written
    assert render(ClipPlan("360p", 2, frames=4, seed=1), photos, tmp_path) != first


def test_the_naive_rule_keeps_what_the_filter_keeps() -> None:
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 256, (18, 48, 3)).repeat(20, axis=0).repeat(20, axis=1)
    images = [ground[:, 3 * i : 3 * i + 320].astype(np.uint8) for i in range(40)]
    images += [images[-1]] * 40
    frames = [Frame(i, i / 29.97, image) for i, image in enumerate(images)]
    kept = [each.frame.index for each in key_frames(frames, key_frame_settings())]
    rule = KeepRule()
    assert [f.index for f in frames if rule.keeps(lab(f.image_rgb), f.timestamp_s)] == kept
    assert 3 < len(kept) < 60


BOXES = np.array([[10.0, 10, 60, 60], [100, 10, 160, 80], [12, 11, 61, 63]])


def test_boxes_are_paired_with_the_nearest_whatever_their_order() -> None:
    assert {(a, b) for a, b, _ in pairs(BOXES, BOXES[[2, 0, 1]])} == {(0, 1), (1, 2), (2, 0)}


def test_a_box_that_is_missing_extra_or_elsewhere_is_a_difference() -> None:
    assert compare_boxes("here", BOXES, BOXES + 0.009, 0.01).texts == ()
    moved = compare_boxes("here", BOXES, BOXES + np.array([0, 0, 0.02, 0]), 0.01)
    assert moved.texts == ("here: 3 boxes differ, by up to 0.020 px.",)
    assert moved.box_px == pytest.approx(0.02)
    assert compare_boxes("here", BOXES, BOXES[:2], 0.01).texts == (
        "here: 3 faces expected, 2 found.",
    )
    assert compare_boxes("here", BOXES[:0], BOXES[:1], 0.01).texts == (
        "here: 0 faces expected, 1 found.",
    )


def test_vectors_further_apart_than_the_tolerance_are_a_difference() -> None:
    vectors = np.eye(3)
    assert compare_vectors("here", vectors, vectors + 9e-6, 1e-5).texts == ()
    assert compare_vectors("here", vectors, vectors + 2e-5, 1e-5).texts != ()


def seen(number: int, *rows: int) -> Seen:
    """Return a picture, five of which come a second, with some of three faces."""
    return Seen(number, number / 5, BOXES[list(rows)], np.eye(3)[list(rows)])


def run(*pictures: Seen) -> Run:
    """Return a run in which these faces were seen."""
    faces = sum(len(each.boxes) for each in pictures)
    return Run({}, Spent(), 10, len(pictures), faces, pictures)


def test_what_is_stored_must_be_among_what_the_stages_gave() -> None:
    stages = run(seen(0, 0, 1, 2), seen(5, 0))

    def texts(*stored: Seen) -> tuple[str, ...]:
        index = replace(stages, seen=stored, spans=((0.0, 1.0), (0.0, 0.4), (0.0, 0.0)))
        return compare_index("clip", stages, index, Tolerances()).texts

    assert texts(seen(0, 2, 0)) == ()
    assert "vectors differ" in texts(replace(seen(0, 2, 0), vectors=np.eye(3)[[0, 2]]))[0]
    assert "boxes differ" in texts(replace(seen(5, 0), boxes=BOXES[:1] + 1))[0]
    assert "was not kept" in texts(seen(4, 0))[0]
    fewer = compare_index("photos", stages, replace(stages, faces_met=3), Tolerances())
    assert fewer.texts == ("photos: indexing had 3 faces met, the stages 4.",)


def test_faces_that_were_met_but_are_not_stored_are_a_difference() -> None:
    stages = run(seen(0, 0, 1, 2), seen(5, 0), seen(6))
    nothing = replace(stages, seen=())

    def texts(index: Run) -> tuple[str, ...]:
        return compare_index("here", stages, index, Tolerances()).texts

    assert texts(nothing) == (
        "here, picture 0: 0 faces are stored for 3 faces.",
        "here, picture 5: 0 faces are stored for 1 faces.",
    )
    assert texts(replace(stages, seen=(seen(0, 0, 1, 2),))) == texts(nothing)[1:]
    assert texts(stages) == ()
    of_video = replace(stages, seen=(seen(0, 0, 1, 2),), spans=((0.0, 1.0), (0.0, 0.6), (0.0, 0.0)))
    assert texts(of_video) == ()
    assert texts(replace(of_video, spans=of_video.spans[1:])) == (
        "here, picture 0: 2 appearances are stored for 3 faces.",
        "here, picture 5: 0 appearances are stored for 1 faces.",
    )
    assert len(texts(replace(nothing, spans=()))) == 2


@pytest.mark.slow
def test_a_clip_in_segments_is_compared_with_a_filter_that_begins_anew_with_each(
    shared_data: Path, tmp_path: Path
) -> None:
    photos = photos_of(shared_data / "data" / "lfw")
    clip = render(ClipPlan("360p", 2, frames=90), photos, tmp_path)
    task = Task(shared_data / "models" / "facenet-vggface2.pt", min_face_px=40, device="cpu")
    project = MeasuredProject(task)
    index, stages = project.index([clip], SEGMENT_S), project.video(clip, SEGMENT_S)
    assert compare_index("clip", stages, index, Tolerances()).texts == ()
    texts = compare_index("clip", project.video(clip), index, Tolerances()).texts
    assert "clip: indexing had 3 key frames, the stages 2." in texts


def test_nobody_who_goes_on_over_a_border_is_a_difference() -> None:
    whole = replace(run(), spans=((0.2, 0.8), (0.4, 2.2)))

    def texts(*spans: tuple[float, float]) -> tuple[str, ...]:
        return compare_borders("clip", whole, replace(whole, spans=spans), segment_s=1.0).texts

    assert texts((0.2, 2.4)) == ()
    assert texts((0.2, 0.8), (0.4, 1.6), (2.0, 2.2)) == (
        "clip: nobody goes on over the border at 2 s, in one segment 1 did.",
    )


def test_names_of_clips_that_do_not_exist_are_refused() -> None:
    assert parse_plan("720p-10", 50) == ClipPlan("720p", 10, 50)
    for name in ("480p-10", "720p-11", "720p", "720p-x"):
        with pytest.raises(ValueError, match="1080p-20"):
            parse_plan(name, 50)


def test_without_photos_of_faces_it_says_what_is_needed(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(FileNotFoundError, match="--faces"):
        photos_of(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main([f"--faces={tmp_path / 'nowhere'}", f"--weights={tmp_path}"])
    assert "--faces has to name a folder of photos" in capsys.readouterr().err


@pytest.mark.parametrize("options", ["--clips --photos=0", "--clips --memory=1"])
def test_a_run_that_has_nothing_to_index_is_refused(
    tmp_path: Path, capsys: Any, options: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"--faces={tmp_path}", f"--weights={tmp_path}", *options.split()])
    assert "there is nothing to index" in capsys.readouterr().err


@pytest.mark.slow
def test_a_side_that_fails_is_told_with_its_error(tmp_path: Path) -> None:
    task = Task(tmp_path / "no-weights.pt", min_face_px=40, device="cpu")
    with pytest.raises(RuntimeError, match=r"no-weights\.pt"):
        Worker("naive", task)
