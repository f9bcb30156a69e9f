"""The load test of the service runs, and what it says of the answers is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.service.__main__ import main
from benchmarks.service.archive import make_archive
from benchmarks.service.clients import answers_alone, put_load
from benchmarks.service.server import address_of, serving
from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

TINY = "--faces 300 --asked 10 --clients 6 --overload 40 --seconds 1"
STRETCHES = {
    "nobody else": 1,
    "load": 6,
    "overload, refused wait as told": 40,
    "overload, refused ask at once": 40,
    "load after overload": 6,
    "load, default rates, ask at once": 6,
}


def test_under_every_load_the_answers_are_right_and_nothing_fails(tmp_path: Path, capsys) -> None:
    file = tmp_path / "figures.json"
    main([*TINY.split(), "--json", str(file)])
    searches, memory = json.loads(file.read_text())["tables"]
    assert {row["stretch"]: row["clients"] for row in searches["rows"]} == STRETCHES
    assert all(row["found"] > 0 for row in searches["rows"])
    assert {row["errors"] for row in searches["rows"]} == {0}
    assert {row["other"] for row in searches["rows"]} == {0}
    assert {row["stretch"] for row in memory["rows"]} == STRETCHES.keys()
    assert all(0 < row["last_mb"] <= row["most_mb"] for row in memory["rows"])
    assert "| load after overload" in capsys.readouterr().out


def test_too_many_searches_and_too_frequent_ones_are_refused(tmp_path: Path) -> None:
    index = tmp_path / "faces.sightings"
    asked = make_archive(index, 100, asked=4)
    few = {"api.max_searches": 1, "api.threads": 9, "api.search_rate": "200/minute"}
    with serving(index, few) as server:
        expected, _ = answers_alone(server, asked)
        load = put_load(server, expected, 30, 2.0, impatient=True)
    assert set(load.times_ms) == {200, 429, 503}
    assert load.number(200, 503) == 200 - len(asked)
    assert load.other == 0


def test_other_answers_than_those_that_are_expected_are_counted(tmp_path: Path) -> None:
    index = tmp_path / "faces.sightings"
    asked = make_archive(index, 100, asked=2)
    with serving(index, {}) as server:
        expected, _ = answers_alone(server, asked)
        first, second = expected
        swapped = {first: expected[second], second: expected[second]}
        load = put_load(server, swapped, 2, 0.3, impatient=True)
    assert 0 < load.other < load.number(200)


def test_what_a_service_answers_is_what_the_command_line_prints(tmp_path: Path) -> None:
    index = tmp_path / "faces.sightings"
    (face_id,) = make_archive(index, 300, asked=1)
    with serving(index, {}) as server:
        answers, _ = answers_alone(server, [face_id])
    printed = sightings("search", "--index", index, "--stored-face", face_id, "--json").document
    (answered,) = json.loads(answers[face_id])["lists"]
    assert [one["best"] for one in answered["results"]] == [
        one["best"] for one in printed["results"]
    ]
    spans = [one["appearances"] for one in answered["results"]]
    for span in (span for seen in spans for span in seen):
        del span["thumbnail_url"], span["frame_url"]
    assert spans == [one["appearances"] for one in printed["results"]]
    assert sum(map(len, spans)) == 4, "a made-up person appears four times"


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=re.escape("often")),
        serving(tmp_path / "faces.sightings", {"api.rate": "often"}),
    ):
        pass


def test_a_service_that_never_says_where_it_is_is_not_waited_for_without_end(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.write_text("Listening somewhere.")
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command) as process:
        try:
            with pytest.raises(RuntimeError, match="Listening somewhere"):
                address_of(process, log, wait_s=0.3)
        finally:
            process.kill()
