"""The benchmark of starting up runs, and what it says of a search's process is true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.startup.__main__ import main
from benchmarks.startup.processes import imports_torch, run
from indexer.evaluation.matrix import CARDS

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "sightings --help": False,
    "sightings search, empty cache": None,
    "sightings search": False,
    "sightings index, nothing to do": False,
}
"""Each command, and whether it imports torch; the first search is not looked at."""


@pytest.mark.slow
def test_commands_are_timed_and_a_search_with_its_networks_in_the_cache_imports_no_torch(
    shared_data: Path, tmp_path: Path, capsys: Any
) -> None:
    file, card = tmp_path / "figures.json", CARDS / "mobileface-v2.json"
    model = f"onnx:{shared_data}/models/mobileface-v2.onnx?card={card}"
    faces = shared_data / "data" / "lfw"
    main([f"--faces={faces}", f"--model={model}", "--photos=2", "--rounds=1", f"--json={file}"])
    commands, parts = json.loads(file.read_text())["tables"]
    assert {row["command"]: row["imports_torch"] for row in commands["rows"]} == COMMANDS
    assert all(row["cpu_s"] > 0 for row in commands["rows"])
    assert all(len(row["every_s"]) == 1 for row in commands["rows"])
    again = next(row for row in parts["rows"] if row["part"] == "the search again")
    assert 0 < again["median_ms"] < sum(row["median_ms"] for row in parts["rows"])
    assert "| sightings search, empty cache" in capsys.readouterr().out


def test_a_command_that_fails_ends_the_benchmark_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"no\.sightings"):
        run(["search", str(tmp_path / "gone.jpg"), f"--index={tmp_path}/no.sightings"], tmp_path)


def test_what_a_command_imports_is_seen(tmp_path: Path) -> None:
    assert not imports_torch(["--help"], tmp_path)


def test_without_photos_or_a_model_it_says_what_is_needed(tmp_path: Path, capsys: Any) -> None:
    for options, said in (
        ([f"--faces={tmp_path}", "--model=dlib"], "--faces has to name"),
        ([f"--index={tmp_path}/x.sightings"], "--index needs --photo"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(options)
        assert said in capsys.readouterr().err
