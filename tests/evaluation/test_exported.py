"""A file of `sightings export` is measured as the index that it was written from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import UsageError
from indexer.evaluation.features import features_of, read_features
from indexer.export import export_vectors
from tests.engines.builders import add_photo, at_cosine, axis

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.engines.base import Index

both_formats = pytest.mark.parametrize("suffix", [".npz", ".parquet"])


@pytest.fixture
def people(index: Index, tmp_path: Path) -> Path:
    """Ann alone, Ann at the middle with two others beside her, Ben, and a photo elsewhere."""
    folder = tmp_path / "people"
    photos = {
        "people/Ann/1.jpg": [axis(0)],
        "people/Ann/2.jpg": [axis(1), axis(2), axis(3), at_cosine(0.9)],  # of 640 pixels
        "people/Ben/1.jpg": [axis(4)],
        "people/Ben/old/1.jpg": [axis(5)],
        "others/Cy/1.jpg": [axis(6)],
    }
    for name, embeddings in photos.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        add_photo(index, name, *embeddings, path=str(path))
    return folder


@both_formats
def test_it_gives_the_features_that_the_index_gives(
    index: Index, people: Path, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"faces{suffix}"
    export_vectors(index, file)
    of_index, read = features_of(index, people), read_features(file, people)
    assert of_index.names == ("Ann/1.jpg", "Ann/2.jpg", "Ben/1.jpg")
    assert (read.vectors == of_index.vectors).all()
    assert (read.vectors[1] == at_cosine(0.9)).all()
    assert replace(read, vectors=None) == replace(of_index, vectors=None)  # type: ignore[arg-type]


def test_the_folder_may_be_given_as_it_is_seen_from_here(
    index: Index, people: Path, tmp_path: Path, monkeypatch
) -> None:
    export_vectors(index, tmp_path / "f.npz")
    monkeypatch.chdir(people.parent)
    here = type(people)("people")
    assert read_features(tmp_path / "f.npz", here).persons == ("Ann", "Ann", "Ben")


@both_formats
@pytest.mark.usefixtures("people")
def test_without_a_folder_it_cannot_be_read(index: Index, tmp_path: Path, suffix: str) -> None:
    export_vectors(index, tmp_path / f"f{suffix}")
    with pytest.raises(UsageError, match="no folder of photos"):
        read_features(tmp_path / f"f{suffix}")


@pytest.mark.parametrize("lost", ["path", "box", "frame", "model", "vector"])
def test_a_file_that_lacks_a_column_or_rows_is_refused(
    index: Index, people: Path, tmp_path: Path, lost: str
) -> None:
    export_vectors(index, tmp_path / "f.npz")
    with np.load(tmp_path / "f.npz") as arrays:
        columns = dict(arrays)
    for name, kept in (("gone.npz", None), ("short.npz", columns[lost][1:])):
        rest = {key: value for key, value in columns.items() if key != lost}
        np.savez(tmp_path / name, **rest if kept is None else {**rest, lost: kept})
        with pytest.raises(UsageError, match=f"{name}.*no features that can be read"):
            read_features(tmp_path / name, people)


@pytest.mark.usefixtures("people")
def test_paths_that_stand_for_no_photo_of_the_folder_are_left_out(
    index: Index, tmp_path: Path
) -> None:
    export_vectors(index, tmp_path / "f.npz")
    elsewhere = read_features(tmp_path / "f.npz", tmp_path / "nobody")
    assert elsewhere.names == ()
    assert elsewhere.vectors.shape == (0, len(axis(0)))
