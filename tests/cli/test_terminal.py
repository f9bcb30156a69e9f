"""What is different in a terminal: questions, bars, widths, Ctrl-C and closed pipes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.errors import IndexFailure
from tests.cli.running import COMMAND, in_terminal, sightings
from tests.media_maker import make_video

if TYPE_CHECKING:
    import numpy as np

    from tests.cli.conftest import Library, RealLibrary


def people() -> set[str]:
    return {person["name"] for person in sightings("people", "list", "--json").document}


@pytest.mark.usefixtures("library")
def test_forgetting_asks_for_the_person_and_for_those_alike() -> None:
    run = in_terminal("people", "forget", "Anna", answer="y\ny\n")
    assert run.code == 0
    assert "Delete all that the index holds of Anna for good? [y/N]: " in run.out
    question = "There are 5 unnamed faces with the verdict `same person`. Delete them too? [y/N]"
    assert question in run.out
    assert "Deleted 0 media, 5 faces, 0 labels." in run.out
    assert people() == {"Ben"}


@pytest.mark.usefixtures("library")
def test_the_answer_no_changes_nothing() -> None:
    run = in_terminal("people", "forget", "Anna", answer="n\n")
    assert run.code == 1
    assert "Aborted!" in run.out
    assert people() == {"Anna", "Ben"}


@pytest.mark.usefixtures("library")
def test_merging_asks() -> None:
    run = in_terminal("people", "rename", "Anna", "Ben", answer="y\n")
    assert run.code == 0
    assert "Ben exists: make Anna one with it for good? [y/N]: " in run.out
    assert people() == {"Ben"}


def test_removing_media_lists_them_and_asks(library: Library) -> None:
    run = in_terminal("media", "remove", library.folder / "ben.jpg", answer="y\n")
    assert run.code == 0
    assert f"{library.folder}/ben.jpg" in run.out
    assert "Delete all that the index holds of 1 media for good? [y/N]: " in run.out
    assert "Deleted 1 media, 1 face, 1 label." in run.out


@pytest.mark.parametrize("columns", [50, 80, 100])
def test_a_narrow_terminal_folds_paths_and_cuts_nothing(library: Library, columns: int) -> None:
    run = in_terminal("search", "--stored-face", library.anna, columns=columns)
    lines = run.out.splitlines()
    assert max(len(line) for line in lines if "\x1b" not in line) <= max(columns, 80)
    for whole in ("same person", "00:02.0–00:06.0", "00:15.0–00:19.0", "0.850"):
        assert any(whole in line for line in lines)
    folded = "".join(lines)
    assert folded.count("sub") == 1
    shown = in_terminal("faces", library.folder / "clip.mp4", columns=columns).out
    assert all(face[:12] in shown for face in library.in_clip)
    assert shown.count("0.950") == 4


def test_a_bar_is_shown_in_a_terminal_only(real_library: RealLibrary) -> None:
    arguments = ("index", real_library.folder / "both.png", "--index", real_library.index)
    seen = in_terminal(*arguments)
    assert seen.code == 0
    assert "files" in seen.out
    assert "1/1" in seen.out
    quiet = sightings(*arguments)
    assert quiet.err == ""
    assert "files" not in quiet.out


@pytest.mark.parametrize("request_to_end", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_gives_130_and_leaves_no_lock(
    portraits: dict[str, np.ndarray], tmp_path: Path, request_to_end: signal.Signals
) -> None:
    video, place = tmp_path / "long.mp4", tmp_path / "faces.sightings"
    make_video(video, [portraits["eileen"]] * 600, fps=5)
    process = subprocess.Popen(
        [*COMMAND, "index", video, "--index", place, "--model", "dlib"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not claims(place):
        time.sleep(0.1)
    process.send_signal(request_to_end)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err == "sightings: interrupted; what was finished is stored.\n"
    assert claims(place) == 0
    assert sightings("media", "remove", video, "--index", place, "--yes").code == 0


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.3])
def test_further_requests_to_end_neither_crash_nor_leave_a_traceback(
    portraits: dict[str, np.ndarray], tmp_path: Path, pause_s: float
) -> None:
    video, place = tmp_path / "long.mp4", tmp_path / "faces.sightings"
    make_video(video, [portraits["eileen"]] * 600, fps=5)
    process = subprocess.Popen(
        [*COMMAND, "index", video, "--index", place, "--model", "dlib"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not claims(place):
        time.sleep(0.1)
    for _ in range(4):
        process.send_signal(signal.SIGINT)
        time.sleep(pause_s)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT), err
    assert err.startswith("sightings: ")
    assert all(line.startswith("sightings: ") for line in err.splitlines()), err
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert sightings("media", "remove", video, "--index", place, "--yes").code == 0


def claims(place: Path) -> int:
    """Return how many segments are being worked on; none while there is no index yet."""
    try:
        with open_index(str(place)) as index:
            return int(index.stats()["segments_claimed"])
    except IndexFailure:
        return 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.usefixtures("library")
def test_a_reader_that_closes_early_is_no_trouble(unbuffered: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "media", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.usefixtures("library")
def test_output_that_cannot_be_written_is_reported(unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [*COMMAND, "media", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert run.returncode == 3
    expected = "sightings: The output cannot be read or written: No space left on device.\n"
    assert run.stderr == expected


def test_letters_that_a_terminal_lacks_do_not_end_a_run(library: Library) -> None:
    run = subprocess.run(
        [*COMMAND, "faces", library.folder / "clip.mp4"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert "00:02.0\\u201300:06.0" in run.stdout
