"""`sightings evaluate`: what it prints, writes and refuses, and how it goes on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from indexer.evaluation.matrix import CARDS
from tests.cli.running import COMMAND, sightings
from tests.evaluation.material import FEATURES, PAIRS, write_material

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 6
RUNS_FILE = "runs.toml"


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with people without pictures, pairs and vectors."""
    write_material(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def matrix(made_up: Path) -> Path:
    """Runs on the made-up vectors, and one whose weights are nowhere."""
    rows = [
        f'[[photos]]\nname = "PCA {n}"\nmodel = "features:{{here}}/{FEATURES}"\npca = {n}\n'
        for n in range(1, RUNS + 1)
    ]
    rows.append('[[photos]]\nname = "absent"\nmodel = "onnx:{models}/none.onnx"\n')
    file = made_up / RUNS_FILE
    file.write_text("\n".join(rows))
    return file


def test_vectors_of_a_file_are_measured_without_any_model(made_up: Path) -> None:
    run = sightings("evaluate", "people", "--pairs", PAIRS, "--features", FEATURES, "--json")
    assert run.code == 0, run.err
    told = run.document
    assert (told["done"], told["skipped"], told["failed"]) == (1, 0, 0)
    assert told["accuracy"] == told["outcomes"][0]["metrics"]["accuracy"] == 1
    assert {"accuracy_std", "auc", "eer", "tar_at_far", "top20", "map"} <= told.keys()
    assert (made_up / "sightings-evaluation" / "outcomes").is_dir()


def test_without_pairs_all_but_the_verification_is_measured(made_up: Path) -> None:
    run = sightings("evaluate", "people", "--features", FEATURES, "--json", "--work", "w")
    assert run.code == 0, run.err
    assert "accuracy" not in run.document
    assert run.document["top20_of_existing"] == 1
    assert (made_up / "w").is_dir()


def test_what_came_of_each_run_is_said(matrix: Path) -> None:
    run = sightings("evaluate", "people", "--pairs", PAIRS, "--matrix", matrix, "--models", ".")
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    assert lines[0].startswith("run ")
    assert "Accuracy" in lines[0]
    assert [line.split()[0] for line in lines[1 : RUNS + 1]] == ["PCA"] * RUNS
    (skipped,) = (line for line in lines if line.startswith("skipped: absent: "))
    assert "none.onnx" in skipped
    assert lines[-1] == f"{RUNS} done, 1 skipped, 0 failed."
    assert f"1 of {RUNS + 1}: PCA 1\n  done in " in run.err
    assert "biometric data" in run.err


def test_a_matrix_of_which_something_failed_or_nothing_is_done_ends_with_1(made_up: Path) -> None:
    absent = '[[photos]]\nname = "absent"\nmodel = "onnx:{models}/none.onnx"\n'
    (made_up / "m.toml").write_text(absent)
    run = sightings("evaluate", "people", "--matrix", "m.toml")
    assert (run.code, run.out.splitlines()[-1]) == (1, "0 done, 1 skipped, 0 failed.")
    wrong = f'[[photos]]\nname = "wrong"\nmodel = "features:{{here}}/{FEATURES}"\npca = 99\n'
    right = wrong.replace("wrong", "right").replace("99", "3")
    (made_up / "m.toml").write_text(wrong + right)
    run = sightings("evaluate", "people", "--matrix", "m.toml", "--json")
    assert run.code == 1
    assert (run.document["done"], run.document["failed"]) == (1, 1)


def test_a_killed_evaluation_goes_on_where_it_was(matrix: Path, made_up: Path) -> None:
    command = [*COMMAND, "evaluate", "people", "--pairs", PAIRS, "--matrix", str(matrix)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        while said.count(" done in ") < 2 and (line := process.stderr.readline()):
            said += line
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    folder = made_up / "sightings-evaluation" / "outcomes"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*/*.json")}
    assert 2 <= len(before) < RUNS
    run = sightings("evaluate", "people", "--pairs", PAIRS, "--matrix", matrix)
    assert run.out.splitlines()[-1] == f"{RUNS} done, 1 skipped, 0 failed."
    assert run.err.count("done before") == len(before)
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*/*.json")}
    assert before.items() <= after.items()
    assert len(after) == RUNS


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["people"], 2, "Give --model MODEL, --features FILE or --matrix FILE"),
        (["people", "--model", "dlib", "--features", FEATURES], 2, "Give one of"),
        (["people", "--model", "nothing"], 2, "There is no model 'nothing'"),
        (["people", "--model", "facenet:gone.pt"], 3, "there is no file gone.pt"),
        (["people", "--features", "gone.npz"], 2, "gone.npz"),
        (["people", "--features", "."], 2, ".: vectors are kept in files named .npz"),
        (["people", "--model", "onnx:."], 2, ". is no ONNX network"),
        (["people", "--features", FEATURES, "--video"], 2, "Videos need a model"),
        (["people", "--features", FEATURES, "--pairs", "gone.txt"], 2, "gone.txt cannot be read"),
        (["people", "--features", FEATURES, "--queries", "P0001"], 2, "give --report DIR"),
        (["people", "--features", FEATURES, "--report", FEATURES], 2, "is a file"),
        (["people", "--matrix", "gone.toml"], 2, "gone.toml cannot be read"),
        (["people", "--matrix", RUNS_FILE, "--video"], 2, "has no runs on videos"),
        (["people/P0001", "--features", FEATURES], 2, "no photo of a person"),
        (["gone", "--features", FEATURES], 2, "gone is no folder"),
    ],
)
@pytest.mark.usefixtures("matrix")
def test_what_cannot_be_done_is_said_in_words(words: list[str], code: int, said: str) -> None:
    run = sightings("evaluate", *words)
    assert run.code == code
    assert said in run.err
    assert "Traceback" not in run.err


@pytest.mark.slow
def test_a_model_is_measured_on_photos_and_reported(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """About thirty photos of LFW with a fast network, twice: the index is the cache."""
    folder = _some_lfw(shared_data, tmp_path)
    monkeypatch.chdir(tmp_path)
    model = f"onnx:{shared_data}/models/mobilefacenet.onnx?card={CARDS}/mobilefacenet.json"
    words = ["evaluate", folder, "--pairs", "pairs.txt", "--model", model, "--report", "report"]
    run = sightings(*words, "--queries", "P0", "--json")
    assert run.code == 0, run.err
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report.items() <= run.document.items()
    assert {"accuracy", "accuracy_std", "auc", "tar_at_far", "top20"} <= report.keys()
    assert (report["accuracy"], report["detection_rate"]) == (1, 1)
    (outcome,) = report["outcomes"]
    assert outcome["metrics"]["stage_s"].keys() >= {"detect", "embed", "store"}
    assert outcome["made_with"]["model"].startswith("mobilefacenet-")
    assert (tmp_path / "report" / "report.html").stat().st_size > 10_000
    (times,) = (tmp_path / "report-work" / "indexes").glob("*/*.times.json")
    assert json.loads(times.read_text())["photos"] == outcome["metrics"]["photos"]
    (tmp_path / "report-work" / "outcomes").rename(tmp_path / "elsewhere")
    again = sightings(*words, "--json")
    assert again.document["accuracy"] == 1
    assert json.loads(times.read_text())["photos"] == outcome["metrics"]["photos"]


def _some_lfw(shared_data: Path, folder: Path) -> Path:
    """Link photos of eight people, and write pairs of the first two of each, in two folds."""
    people = [
        person
        for person in sorted((shared_data / "data" / "lfw").iterdir())
        if 3 <= len(list(person.iterdir())) <= 5
    ][:8]
    for person in people:
        (folder / "lfw" / person.name).mkdir(parents=True)
        for photo in sorted(person.iterdir()):
            (folder / "lfw" / person.name / photo.name).symlink_to(photo)
    lines = ["2\t4"]
    for fold in (people[:4], people[4:]):
        lines += [f"{person.name}\t1\t2" for person in fold]
        turned = fold[1:] + fold[:1]
        lines += [f"{a.name}\t1\t{b.name}\t2" for a, b in zip(fold, turned, strict=True)]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n")
    return folder / "lfw"
