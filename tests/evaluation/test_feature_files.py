"""Features go to files and come back as they were; anything else is refused in words."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from indexer.errors import EnvironmentFailure, UsageError
from indexer.evaluation.features import read_features, write_features
from indexer.evaluation.records import Features

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = Features(
    names=("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", 'Bé, "B"/Bé_0001.jpg'),
    persons=("Ann", "Ann", 'Bé, "B"'),
    vectors=np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32),
    missing=("Cy/Cy_0001.jpg",),
    model="tiny-0123456789ab",
    stage_s={"detect": 0.1 + 0.2, "embed": 3},
)
NONE = Features((), (), np.empty((0, 5), np.float32))

both_formats = pytest.mark.parametrize("suffix", [".npz", ".parquet"])


@both_formats
@pytest.mark.parametrize("features", [FEATURES, NONE], ids=["three", "none"])
def test_features_come_back_as_they_were(tmp_path: Path, suffix: str, features: Features) -> None:
    file = tmp_path / f"features{suffix}"
    write_features(features, file)
    read = read_features(file)
    assert replace(read, vectors=None) == replace(features, vectors=None)  # type: ignore[arg-type]
    assert read.vectors.dtype == np.float32
    assert read.vectors.shape == features.vectors.shape
    assert read.vectors.tobytes() == features.vectors.tobytes()


def test_numpy_and_arrow_read_the_files_by_themselves(tmp_path: Path) -> None:
    write_features(FEATURES, tmp_path / "f.npz")
    write_features(FEATURES, tmp_path / "f.parquet")
    with np.load(tmp_path / "f.npz") as arrays:
        assert arrays["names"].tolist() == list(FEATURES.names)
        assert (arrays["vectors"] == FEATURES.vectors).all()
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table.schema.field("vector").type == pyarrow.list_(pyarrow.float32(), 5)
    assert (np.stack(table["vector"].to_numpy()) == FEATURES.vectors).all()
    assert table["person"].to_pylist() == list(FEATURES.persons)


def test_only_the_user_can_read_a_file_of_vectors(tmp_path: Path) -> None:
    write_features(FEATURES, tmp_path / "f.npz")
    assert (tmp_path / "f.npz").stat().st_mode & 0o777 == 0o600


@both_formats
def test_a_name_that_is_not_unicode_is_kept_or_refused(tmp_path: Path, suffix: str) -> None:
    features = replace(FEATURES, names=("\udcff.jpg", *FEATURES.names[1:]))
    file = tmp_path / f"f{suffix}"
    if suffix == ".npz":
        write_features(features, file)
        assert read_features(file).names == features.names
    else:
        with pytest.raises(UsageError, match=r"Write \.npz"):
            write_features(features, file)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["f.npy", "f", "f.csv"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.npz or \.parquet"):
        write_features(FEATURES, tmp_path / name)
    with pytest.raises(UsageError, match=r"\.npz or \.parquet"):
        read_features(tmp_path / name)


@both_formats
def test_a_file_that_is_not_there_is_told(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match="no file"):
        read_features(tmp_path / f"f{suffix}")
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        write_features(FEATURES, tmp_path / "none" / f"f{suffix}")


class Trap:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("unpickled",))


def junk(file: Path) -> None:
    file.write_bytes(b"junk" * 100)


def cut_short(file: Path) -> None:
    write_features(FEATURES, file)
    file.write_bytes(file.read_bytes()[:-200])


def nothing(file: Path) -> None:
    file.write_bytes(b"")


def a_pickle(file: Path) -> None:
    file.write_bytes(pickle.dumps(Trap()))


@both_formats
@pytest.mark.parametrize("spoil", [junk, cut_short, nothing, a_pickle])
def test_a_file_of_something_else_is_refused(tmp_path: Path, suffix: str, spoil) -> None:
    file = tmp_path / f"f{suffix}"
    spoil(file)
    with pytest.raises(UsageError, match=f"f{suffix} holds no features"):
        read_features(file)


def test_objects_within_an_npz_are_not_unpickled(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    np.savez(file, names=np.array([Trap()], dtype=object), vectors=np.zeros((1, 2), np.float32))
    with pytest.raises(UsageError, match="holds no features"):
        read_features(file)


SPOILT = {
    "float64": {"vectors": np.zeros((3, 5))},
    "flat": {"vectors": np.zeros(3, np.float32)},
    "not finite": {"vectors": np.full((3, 5), np.nan, np.float32)},
    "a vector without a direction": {"vectors": np.eye(3, 5, -1, np.float32)},
    "longer than float32 can square": {"vectors": np.full((3, 5), 1e19, np.float32)},
    "no dimensions": {"vectors": np.zeros((3, 0), np.float32)},
    "fewer names": {"names": np.array(["a", "b"])},
    "twice the same name": {"names": np.array(["a", "a", "b"])},
    "numbers as names": {"names": np.arange(3)},
    "a model that is none": {"model": np.array("[1]")},
}


@pytest.mark.parametrize("changes", SPOILT.values(), ids=SPOILT)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, changes: dict) -> None:
    file = tmp_path / "f.npz"
    write_features(FEATURES, file)
    with np.load(file) as arrays:
        content = dict(arrays)
    np.savez(file, **(content | changes))
    with pytest.raises(UsageError, match="holds no features"):
        read_features(file)


def test_it_is_said_what_a_file_should_hold_instead(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", vector=FEATURES.vectors, model=np.array(["tiny"]))
    with pytest.raises(UsageError, match=r"write_features.*sightings export"):
        read_features(tmp_path / "f.npz")


def test_an_archive_that_lacks_arrays_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as archive:
        archive.writestr("names.npy", b"")
    with pytest.raises(UsageError, match="holds no features"):
        read_features(tmp_path / "f.npz")


TABLES = {
    "lists of any length": {"vector": [[1.0, 2.0], [1.0]]},
    "no vectors": {"vector": [1.0, 2.0]},
    "a row without vector": {
        "vector": pyarrow.array([[1.0], None], pyarrow.list_(pyarrow.float32(), 1))
    },
    "another column": {"embedding": [1.0, 2.0]},
}


@pytest.mark.parametrize("columns", TABLES.values(), ids=TABLES)
def test_tables_of_something_else_are_refused(tmp_path: Path, columns: dict) -> None:
    table = pyarrow.table({"name": ["a", "b"], "person": ["a", "b"], **columns})
    pyarrow.parquet.write_table(table, tmp_path / "f.parquet")
    with pytest.raises(UsageError, match="holds no features"):
        read_features(tmp_path / "f.parquet")
