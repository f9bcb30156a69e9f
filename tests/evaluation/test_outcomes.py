"""Outcomes in the work folder: whole or not there, and found only under the same conditions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import EnvironmentFailure
from indexer.evaluation.outcomes import KeptOutcomes, key_of
from indexer.evaluation.records import Outcome

OUTCOME = Outcome(
    name="one",
    kind="photos",
    state="done",
    configuration={"model": "dlib", "pca": 3},
    metrics={"accuracy": 0.5, "by_photos": [{"photos": "2-3", "queries": 4}], "eer": None},
    arrays={
        "names": np.array(["Ann/Ann_0001.jpg", "Bernd Ü/漢.jpg"]),
        "average_precision": np.array([0.5, np.nan]),
        "neighbours": np.arange(40).reshape(2, 20),
    },
    made_with={"seed": 0},
)


def test_an_outcome_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    KeptOutcomes(tmp_path / "kept").keep("k", OUTCOME)
    found = KeptOutcomes(tmp_path / "kept").find("k")
    assert found is not None
    assert {**vars(found), "arrays": None} == {**vars(OUTCOME), "arrays": None}
    assert found.arrays.keys() == OUTCOME.arrays.keys()
    for name, array in OUTCOME.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_numbers_of_numpy_and_what_is_no_number_are_kept_as_json_has_them(tmp_path: Path) -> None:
    metrics = {"a": np.float32(0.5), "b": np.int64(3), "c": float("nan"), "d": (np.bool_(True),)}
    kept = KeptOutcomes(tmp_path)
    kept.keep("k", Outcome("one", "photos", "done", metrics=metrics))
    found = kept.find("k")
    assert found is not None
    assert found.metrics == {"a": 0.5, "b": 3, "c": None, "d": [True]}


def test_what_was_not_kept_is_not_found(tmp_path: Path) -> None:
    assert KeptOutcomes(tmp_path).find("k") is None


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_an_outcome_of_which_a_part_is_missing_or_broken_is_not_found(
    tmp_path: Path, suffix: str
) -> None:
    kept = KeptOutcomes(tmp_path)
    kept.keep("k", OUTCOME)
    part = tmp_path / f"k{suffix}"
    part.write_bytes(part.read_bytes()[:100])
    assert kept.find("k") is None
    part.unlink()
    assert kept.find("k") is None


def test_no_object_is_ever_pickled(tmp_path: Path) -> None:
    outcome = Outcome("one", "photos", "done", arrays={"odd": np.array([Path()], object)})
    with pytest.raises(TypeError, match="odd"):
        KeptOutcomes(tmp_path).keep("k", outcome)
    np.savez(tmp_path / "k.npz", odd=np.array([Path()], object))
    fields = {"name": "one", "kind": "photos", "state": "done"}
    (tmp_path / "k.json").write_text(json.dumps(fields))
    assert KeptOutcomes(tmp_path).find("k") is None


def test_a_work_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFailure, match="work cannot be made: Not a directory"):
        KeptOutcomes(tmp_path / "file" / "work")


def test_keys_are_equal_for_what_decides_the_same() -> None:
    first = {"pca": 3, "settings": {"a": 1, "b": 2.0}, "digest": "x"}
    assert key_of(first) == key_of({"settings": {"b": 2.0, "a": 1}, "digest": "x", "pca": 3})
    for name, value in (("pca", 4), ("settings", {"a": 1}), ("digest", "y"), ("more", None)):
        assert key_of(first | {name: value}) != key_of(first)
