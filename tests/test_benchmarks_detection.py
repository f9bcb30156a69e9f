"""The benchmark of detection runs, tells what settings miss, and finds out when faces differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.detection.__main__ import main
from benchmarks.detection.measuring import other_looks
from benchmarks.detection.recall import recall_of
from benchmarks.detection.sides import Look

if TYPE_CHECKING:
    from pathlib import Path

NONE = np.zeros((0, 4))
BOXES = np.array([[10.0, 10, 60, 70], [100, 10, 180, 100], [12, 200, 140, 350]])
"""Faces whose shorter sides have 50, 80 and 128 pixels."""


def test_a_face_is_found_again_where_half_of_both_boxes_is_the_same() -> None:
    near = BOXES + np.array([0, 0, 0, 20])  # IoU of 0.75, 0.82 and 0.88
    assert recall_of([BOXES], [near[::-1]]).found.all()
    far = BOXES + np.array([20, 0, 20, 0])  # IoU of 0.43, 0.6 and 0.73
    recall = recall_of([BOXES], [far])
    assert (recall.found.tolist(), recall.extra) == ([False, True, True], 1)


def test_recall_is_told_by_the_size_of_the_faces_over_all_pictures() -> None:
    recall = recall_of([BOXES, NONE, BOXES], [BOXES[1:], BOXES[:1], BOXES[2:]])
    assert recall.percent() == pytest.approx(50)
    assert recall.percent(40, 80) == 0.0
    assert recall.percent(80, 120) == 50.0
    assert recall.percent(120) == 100.0
    assert recall.percent(200) is None
    assert recall.extra == 1


def test_each_box_is_one_face() -> None:
    twice = recall_of([BOXES[[0, 0]]], [BOXES[:1]])
    assert (twice.found.sum(), twice.extra) == (1, 0)
    again = recall_of([BOXES[:1]], [BOXES[[0, 0]]])
    assert (again.found.sum(), again.extra) == (1, 1)


def test_without_any_faces_there_is_no_recall() -> None:
    assert recall_of([NONE, NONE], [NONE, BOXES]).percent() is None
    assert recall_of([NONE, NONE], [NONE, BOXES]).extra == 3
    assert recall_of([], []).percent() is None


def test_sides_that_the_pictures_do_not_exceed_are_not_measured() -> None:
    default = Look(40, 0, 0.9)
    looks = other_looks(default, (40, 80), (1280, 640), longest_side_px=1280)
    assert [(each.min_face_px, each.max_side_px) for each in looks] == [
        (80, 0), (40, 640), (80, 640)
    ]  # fmt: skip


@pytest.mark.slow
def test_a_tiny_run_has_all_figures(shared_data: Path, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "figures.json"
    main(tiny(shared_data, "--min-faces=120", "--max-sides=160", f"--json={file}"))
    tables = [table["rows"] for table in json.loads(file.read_text())["tables"]]
    (speed,), (default, larger, reduced) = tables
    assert speed["count"] == 3
    assert speed["faces"] == default["faces"] >= 3
    assert speed["times_as_fast"] > 0
    assert (default["times_by_cpu"], default["found_percent"], default["extra"]) == (1, 100, 0)
    # LFW's faces have about 110 pixels.
    assert (larger["min_face_px"], larger["from_80_to_120"]) == (120, 0)
    assert (larger["from_its_min"], default["from_its_min"]) == (None, 100)
    assert (reduced["min_face_px"], reduced["max_side_px"]) == (120, 160)
    assert "Faces are the same." in capsys.readouterr().out


@pytest.mark.slow
def test_another_minimum_face_on_one_side_makes_it_fail_and_say_what_differs(
    shared_data: Path, capsys: Any
) -> None:
    with pytest.raises(SystemExit, match="1"):
        main(tiny(shared_data, "--naive-min-face=150", "--min-faces", "--max-sides"))
    told = capsys.readouterr()
    assert "3 photos, picture 0: 0 faces expected" in told.err
    assert "Faces are the same." not in told.out


def tiny(shared_data: Path, *more: str) -> list[str]:
    """Return the options of a run on three photos."""
    faces = f"--faces={shared_data / 'data' / 'lfw'}"
    return ["--clips", "--rendered=0", "--photos=3", "--rounds=1", "--threads=1", faces, *more]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--faces=nowhere"], "nowhere is not there"),
        (["--clips", "480p-20"], "There is no clip '480p-20'"),
        (["--videos", "nothing.mp4"], "nothing.mp4 is not there"),
        (["--rounds=0"], "--rounds has to be 1 or more"),
        (["--min-faces", "40", "8"], "no face under 12"),
        (["--clips", "--rendered=0", "--photos=0"], "nothing to look at"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_options_that_cannot_hold_are_refused(
    wrong: list[str], told: str, tmp_path: Path, capsys: Any
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"--faces={tmp_path}", *wrong])
    assert told in capsys.readouterr().err
