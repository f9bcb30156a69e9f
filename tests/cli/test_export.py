"""`sightings export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Library


def test_faces_are_written_and_the_user_told_what_they_are(
    library: Library, tmp_path: Path
) -> None:
    file = tmp_path / "faces.npz"
    run = sightings("export", file)
    assert run.code == 0
    with np.load(file) as arrays:
        assert run.out == f"{len(arrays['vector'])} faces written to {file}.\n"
        assert {library.anna, library.ben, *library.in_clip} <= set(arrays["face_id"].tolist())
    assert "biometric" in run.err


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("options", "persons", "faces"),
    [
        (("--person", "Anna"), {"Anna"}, 1),
        (("--person", "Anna", "--person", "Ben"), {"Anna", "Ben"}, 2),
        (("--unnamed", "--kind", "photo"), {""}, 2),
        (("--kind", "photo"), {"Anna", "Ben", ""}, 4),
    ],
)
def test_options_choose_the_faces(
    tmp_path: Path, options: tuple[str, ...], persons: set[str], faces: int
) -> None:
    assert sightings("export", tmp_path / "f.npz", *options).code == 0
    with np.load(tmp_path / "f.npz") as arrays:
        assert set(arrays["person"].tolist()) == persons
        assert len(arrays["vector"]) == faces


@pytest.mark.usefixtures("library")
def test_what_cannot_be_exported_is_told_by_the_exit_code(tmp_path: Path) -> None:
    nobody = sightings("export", tmp_path / "f.parquet", "--person", "Cy")
    assert (nobody.code, nobody.out) == (1, "")
    assert "no faces" in nobody.err
    assert sightings("export", tmp_path / "f.csv").code == 2
    assert sightings("export", tmp_path / "f.npz", "--person", "A", "--unnamed").code == 2
    assert sightings("export", tmp_path / "none" / "f.npz").code == 3
    assert not list(tmp_path.glob("f.*"))
