"""A work folder serves nothing that other code or other libraries have made, and says so."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer.evaluation import code
from indexer.evaluation.code import code_digest, vectors_digest
from indexer.evaluation.evaluate import Request, evaluate
from indexer.evaluation.matrix import Matrix, PhotoRun
from indexer.evaluation.work_folder import WorkFolder
from indexer.settings import ComputeSettings, Settings
from tests.evaluation.material import FEATURES, PAIRS, write_material
from tests.evaluation.watching import Seen

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(compute=ComputeSettings(runtime="openvino"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one module for each thing that decides what an evaluation gives."""
    folder = tmp_path / "package"
    for name in ("mtcnn.py", "embeddings/facenet.py", "evaluation/rates.py",
                 "evaluation/video/truth.py", "evaluation/stores/milvus.py",
                 "engines/base.py", "engines/embedded/nearest.py", "engines/elastic/search.py",
                 "../es_mappings/faces.json", "cli/index.py"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("A = 1\n")
    monkeypatch.setattr(code, "PACKAGE", folder)
    return folder


def digests() -> tuple[str, str, str]:
    return vectors_digest(), code_digest("photos"), code_digest("video")


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        ("mtcnn.py", (True, True, True)),
        ("embeddings/facenet.py", (True, True, True)),
        ("evaluation/rates.py", (False, True, True)),
        ("evaluation/video/truth.py", (False, False, True)),
        ("evaluation/stores/milvus.py", (False, True, False)),
        ("engines/base.py", (False, True, True)),
        ("engines/embedded/nearest.py", (False, True, True)),
        ("engines/elastic/search.py", (False, True, True)),
        ("../es_mappings/faces.json", (False, True, False)),
        ("cli/index.py", (False, False, False)),
    ],
)
def test_what_a_change_of_code_makes_stale(
    package: Path, module: str, changes: tuple[bool, ...]
) -> None:
    before = digests()
    assert digests() == before
    (package / module).write_text("A = 2\n")
    assert tuple(a != b for a, b in zip(before, digests(), strict=True)) == changes


def test_a_module_that_is_renamed_is_another(package: Path) -> None:
    before = digests()
    (package / "mtcnn.py").rename(package / "found.py")
    assert not set(before) & set(digests())


@pytest.mark.parametrize(
    ("library", "changes"),
    [
        ("torch", (True, True, True)),
        ("scikit-learn", (False, True, True)),
        ("pymilvus", (False, True, True)),
        ("milvus-lite", (False, True, True)),
        ("elasticsearch", (False, True, True)),
        ("numkong", (False, True, True)),
        ("rich", (False, False, False)),
    ],
)
def test_what_another_version_of_a_library_makes_stale(
    package: Path, monkeypatch: pytest.MonkeyPatch, library: str, changes: tuple[bool, ...]
) -> None:
    del package
    before = digests()
    version = code.version
    monkeypatch.setattr(code, "version", lambda name: "0.1" if name == library else version(name))
    assert tuple(a != b for a, b in zip(before, digests(), strict=True)) == changes


def test_indexes_and_outcomes_lie_apart_by_code_and_runtime(package: Path, tmp_path: Path) -> None:
    def places() -> set[Path]:
        work = WorkFolder(tmp_path / "work")
        torch = replace(SETTINGS, compute=ComputeSettings(runtime="torch"))
        indexes = {work.indexes(k, s) for k in ("photos", "video") for s in (SETTINGS, torch)}
        return {*indexes, work.outcomes("photos"), work.outcomes("video")}

    before = places()
    assert (len(before), places()) == (6, before)
    (package / "mtcnn.py").write_text("A = 2\n")
    assert not before & places()


def test_vectors_of_an_older_detector_are_not_served(
    package: Path, portraits: dict, tmp_path: Path, shared_data: Path
) -> None:
    """The second evaluation embeds anew; the third one, after nothing changed, does not."""
    for name in ("eileen", "grace"):
        for number in (1, 2):
            path = tmp_path / "people" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(portraits[name]).rotate(number).save(path)
    model = f"facenet:{shared_data}/models/facenet-vggface2.pt"
    matrix = Matrix(photos=(PhotoRun("one", model, measures=("retrieval",)),))
    request = Request(tmp_path / "people", tmp_path / "work", flags={"compute.runtime": "openvino"})

    def kept() -> tuple[list[str], int]:
        seen = Seen()
        (outcome,) = evaluate(matrix, request, seen, stop_at_errors=True)
        assert outcome.metrics["queries"] == 4
        return seen.kept, len(list((tmp_path / "work").glob("indexes/*/*.sightings")))

    assert kept() == ([], 1)
    (package / "mtcnn.py").write_text("A = 2\n")
    assert kept() == ([], 2)
    assert kept() == (["one"], 2)


def test_what_is_left_unused_is_told_with_the_command_that_deletes_it(
    package: Path, tmp_path: Path
) -> None:
    write_material(tmp_path)
    work = tmp_path / "a folder"
    request = Request(tmp_path / "people", work, pairs=tmp_path / PAIRS, models=tmp_path)
    matrix = Matrix(photos=(PhotoRun("one", f"features:{{models}}/{FEATURES}"),))

    def warnings() -> list[str]:
        seen = Seen()
        evaluate(matrix, request, seen, stop_at_errors=True)
        return seen.warnings

    assert warnings() == []
    (work / "indexes").mkdir()
    (work / "indexes" / "facenet-0123-4567.sightings").touch()  # as Sightings 1.0 kept them
    (package / "evaluation" / "rates.py").write_text("A = 2\n")
    (warning,) = warnings()
    assert warning.startswith(f"3 files in {work} were made by other code or libraries")
    assert "biometric" in warning
    command = warning.partition("To delete them: ")[2]
    assert shlex.split(command)[:2] == ["rm", "-r"]
    subprocess.run(["sh", "-c", command], check=True)
    assert warnings() == []
    assert (work / "indexes").is_dir()
