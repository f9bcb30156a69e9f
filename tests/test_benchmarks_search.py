"""The benchmark of searches runs, and stops where two ways find different faces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.search.__main__ import main
from benchmarks.search.collection import media_numbers
from benchmarks.search.measuring import Difference, are_best, measure_faces, measure_media
from benchmarks.search.people import made_up
from benchmarks.search.ways import Numpy, Sightings

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.search.people import Crowd
    from benchmarks.search.ways import Found, Way

pytestmark = pytest.mark.slow


class Sloppy(Numpy):
    """Leaves out the best."""

    name = "sloppy"

    def nearest(self, query: np.ndarray, k: int) -> Found:
        rows, cosines = super().nearest(query, k + 1)
        return rows[1:], cosines[1:]


def opened(kind: type[Way], folder: Path, crowd: Crowd) -> Way:
    way = kind(folder / kind.__name__)
    way.folder.mkdir()
    way.write(crowd)
    way.open()
    return way


def test_all_figures_are_printed_and_written(tmp_path: Path, capsys) -> None:
    file = tmp_path / "figures.json"
    main(["--faces", "1500", "--queries", "5", "--folder", str(tmp_path), "--json", str(file)])
    tables = {
        table["title"].partition(":")[0]: table for table in json.loads(file.read_text())["tables"]
    }
    ways = {row["way"] for row in tables["The nearest faces"]["rows"]}
    assert ways >= {"Sightings", "numpy"}
    assert {row["way"] for row in tables["Opening"]["rows"]} == ways
    assert all(0 < row["median_ms"] <= row["p99_ms"] for row in tables["Under filters"]["rows"])
    assert all(0 < row["median"] < 1500 for row in tables["Rescored"]["rows"])
    assert tables["After five more faces"]["rows"][0]["refresh_median_ms"] > 0
    printed = capsys.readouterr().out
    for name in ("faiss flat", "LanceDB"):
        assert (name in ways) != (f"{name} is left out" in printed)
    assert not list(tmp_path.glob("*/"))


def test_a_way_that_finds_other_faces_is_told(tmp_path: Path) -> None:
    crowd = made_up(600, queries=3)
    ways = [opened(kind, tmp_path, crowd) for kind in (Sightings, Numpy, Sloppy)]
    assert [row.way for row in measure_faces(crowd, ways[:2])] == ["Sightings", "numpy"]
    with pytest.raises(Difference, match="sloppy"):
        measure_faces(crowd, ways)


def test_other_media_are_told(tmp_path: Path) -> None:
    crowd = made_up(600, queries=3)
    sightings, plain = (opened(kind, tmp_path, crowd) for kind in (Sightings, Numpy))
    assert isinstance(sightings, Sightings)
    assert isinstance(plain, Numpy)
    assert measure_media(crowd, sightings, plain)
    plain.vectors = -plain.vectors
    with pytest.raises(Difference, match="media"):
        measure_media(crowd, sightings, plain)


def test_media_at_the_bound_may_count_or_not_as_they_are_rounded() -> None:
    best = np.array([0.9, 0.7, 0.56 - 1e-7, 0.3], np.float32)
    assert are_best(np.array([0.9, 0.7]), best)
    assert are_best(np.array([0.9, 0.7, 0.56]), best)
    assert not are_best(np.array([0.9]), best)
    assert not are_best(np.array([0.9, 0.7, 0.56, 0.3]), best)
    assert not are_best(np.array([0.9, 0.71]), best)
    assert not are_best(np.array([0.9, 0.7]), best[:1])


def test_made_up_people_are_spread_as_real_ones() -> None:
    crowd = made_up(3000, queries=5)
    cosines = crowd.vectors @ crowd.vectors.T
    same = crowd.persons[:, None] == crowd.persons[None]
    strangers = cosines[~same]
    np.fill_diagonal(same, val=False)
    assert 0.13 < strangers.std() < 0.17
    assert 0.66 < np.median(cosines[same]) < 0.74
    assert (np.diff(media_numbers(3000)) >= 0).all()
    assert media_numbers(3000)[-1] == 999 + 15
