"""Features of a folder are those that the index holds of its photos, on either engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import MediaError
from indexer.evaluation.features import features_of
from tests.engines.builders import (
    MODEL,
    add_photo,
    axis,
    finish,
    make_face,
    photo,
    put_path,
    start,
)

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.engines.base import Index


def on_disk(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()


def test_each_photo_has_the_vector_of_its_face_nearest_the_centre(
    index: Index, tmp_path: Path
) -> None:
    folder = tmp_path / "lfw"
    on_disk(folder, "Ann/1.jpg", "Ann/2.jpg", "Bob/1.png")
    # Faces stand at x = 0, 100, 200, 300 of 640 pixels.
    add_photo(index, "a1", axis(0), axis(1), axis(2), axis(3), path=str(folder / "Ann/1.jpg"))
    add_photo(index, "a2", axis(4), path=str(folder / "Ann/2.jpg"))
    add_photo(index, "b1", axis(5), axis(6), path=str(folder / "Bob/1.png"))
    features = features_of(index, folder)
    assert features.names == ("Ann/1.jpg", "Ann/2.jpg", "Bob/1.png")
    assert features.persons == ("Ann", "Ann", "Bob")
    assert features.vectors.dtype == np.float32
    assert features.vectors.tolist() == [axis(n).tolist() for n in (3, 4, 6)]
    assert features.model == MODEL.key
    assert features.missing == ()


def test_photos_with_the_same_bytes_each_count(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "lfw"
    on_disk(folder, "Ann/1.jpg", "Bob/1.jpg", "Bob/2.jpg")
    add_photo(index, "twice", axis(0), path=str(folder / "Ann/1.jpg"))
    put_path(index, photo("twice"), str(folder / "Bob/2.jpg"))
    put_path(index, photo("twice"), str(tmp_path / "elsewhere.jpg"))
    add_photo(index, "b1", axis(1), path=str(folder / "Bob/1.jpg"))
    features = features_of(index, folder)
    assert features.names == ("Ann/1.jpg", "Bob/1.jpg", "Bob/2.jpg")
    assert features.vectors.tolist() == [axis(n).tolist() for n in (0, 1, 0)]


def test_photos_without_a_face_and_those_not_indexed_are_missing(
    index: Index, tmp_path: Path
) -> None:
    folder = tmp_path / "lfw"
    on_disk(folder, "Ann/1.jpg", "Ann/faceless.jpg", "Bob/unknown.jpg")
    add_photo(index, "a1", axis(0), path=str(folder / "Ann/1.jpg"))
    add_photo(index, "faceless", path=str(folder / "Ann/faceless.jpg"))
    features = features_of(index, folder)
    assert features.names == ("Ann/1.jpg",)
    assert features.missing == ("Ann/faceless.jpg", "Bob/unknown.jpg")


def test_what_does_not_lie_in_lfws_layout_is_passed_over(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "lfw"
    kept = "Ann/1.jpg"
    others = ("top.jpg", "Ann/deep/1.jpg", "Ann/notes.txt", "Ann/.hidden.jpg", ".git/1.jpg")
    on_disk(folder, kept, *others, "../lfw2/Ann/1.jpg")
    for number, name in enumerate((kept, *others, "../lfw2/Ann/1.jpg")):
        add_photo(index, name, axis(number), path=str((folder / name).resolve()))
    gone = add_photo(index, "gone", axis(7), path=str(folder / "Ann/gone.jpg"))
    features = features_of(index, folder)
    assert gone
    assert (features.names, features.missing) == ((kept,), ())
    assert features.vectors.tolist() == [axis(0).tolist()]


def test_a_folder_that_the_index_does_not_know_is_all_missing(index: Index, tmp_path: Path) -> None:
    on_disk(tmp_path, "Ann/1.jpg")
    features = features_of(index, tmp_path)
    assert (features.names, features.missing) == ((), ("Ann/1.jpg",))
    assert (features.vectors.shape, features.model) == ((0, 0), "")
    media = photo("elsewhere")
    finish(index, start(index, media), [make_face(media, axis(0))])
    assert features_of(index, tmp_path).vectors.shape == (0, 8)


def test_a_folder_that_is_not_there_is_told(index: Index, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="none"):
        features_of(index, tmp_path / "none")
