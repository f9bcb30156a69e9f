"""`sightings pca`, and re-embedding by what it writes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import RealLibrary


@pytest.fixture
def real_copy(real_library: RealLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the real index, with six faces, to do with as a test likes."""
    index = tmp_path / "real.sightings"
    shutil.copy(real_library.index, index)
    monkeypatch.setenv("SIGHTINGS_INDEX", str(index))
    return index


def test_an_index_is_reduced_by_what_was_fitted_to_it(
    real_copy: Path, real_library: RealLibrary
) -> None:
    run = sightings("pca", "--dimensions", 3)
    file = real_copy.with_name("real.pca3.npz")
    assert (run.code, run.err) == (0, "")
    fitted, written, then = run.out.splitlines()
    assert fitted.startswith("Fitted to 6 faces: 3 of 128 dimensions keep ")
    assert written.startswith(f"Written: {file}.")
    assert then == f"Now reduce it: sightings reindex --model pca:{file}"
    run = sightings("reindex", "--model", f"pca:{file}")
    assert run.code == 0
    assert run.out.startswith("6 faces of 4 media embedded anew. pca-")
    run = sightings("search", real_library.folder / "grace/0001.png", "--all", "--json")
    assert run.code == 0
    assert run.found[0] in ("0001.png", "both.png")
    assert run.document["results"][0]["verdict"] is None


@pytest.mark.usefixtures("real_copy")
def test_a_file_may_be_named_and_is_not_written_twice(tmp_path: Path) -> None:
    file = tmp_path / "my file.npz"
    run = sightings("pca", file, "--dimensions", 2, "--whiten")
    assert f"sightings reindex --model 'pca:{file}'" in run.out
    run = sightings("pca", file, "--dimensions", 2)
    assert run.code == 2
    assert f"{file} is there already" in run.err


@pytest.mark.usefixtures("real_copy")
def test_more_dimensions_than_faces_are_wrong_usage(tmp_path: Path) -> None:
    run = sightings("pca", "--dimensions", 900)
    assert run.code == 2
    assert "6 vectors of 128 dimensions can be reduced to at least 1 and at most 6" in run.err
    assert not list(tmp_path.glob("*.npz"))


def test_an_index_on_a_cluster_needs_a_named_file() -> None:
    run = sightings("pca", "--dimensions", 2, "--index", "elasticsearch://localhost:1/lfw")
    assert run.code == 2
    assert "Name a FILE.npz" in run.err


@pytest.mark.usefixtures("real_copy")
def test_an_export_does_not_take_the_place_of_the_model(tmp_path: Path) -> None:
    file = tmp_path / "kept.npz"
    assert sightings("pca", file, "--dimensions", 3).code == 0
    assert sightings("reindex", "--model", f"pca:{file}").code == 0
    before = file.read_bytes()
    run = sightings("export", file)
    assert run.code == 2
    assert "kept.npz is the index's model" in run.err
    assert file.read_bytes() == before
