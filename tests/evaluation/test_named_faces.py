"""Which faces of an index are evidence for thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.evaluation.named_faces import named_faces
from tests.engines.builders import add_photo, add_video, at_cosine, axis, make_label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(str(tmp_path / "faces.sightings"), create=True) as opened:
        yield opened


def test_named_faces_come_with_their_vectors_and_unnamed_ones_do_not(index: Index) -> None:
    ann, _, bo = add_photo(index, "group", axis(0), axis(1), axis(2))
    index.label([make_label(bo, "Bo"), make_label(ann, "Ann")])
    found = named_faces(index, per_person=10)
    assert [(face.person, face.vector.tolist()) for face in found] == [
        ("Ann", axis(0).tolist()),
        ("Bo", axis(2).tolist()),
    ]


def test_an_appearance_counts_once_by_its_best_face(index: Index) -> None:
    runs = [(1.0, 4.0, [axis(0), at_cosine(0.9), at_cosine(0.8)]), (30.0, 40.0, [at_cosine(0.7)])]
    first, second = add_video(index, "clip", *runs)
    sharp, *_ = add_photo(index, "p", at_cosine(0.6), face_px=112.0)
    index.label([make_label(face, "Ann") for face in (first[0], second[0], sharp)])
    found = named_faces(index, per_person=10)
    assert len(found) == 3
    assert {face.appearance_id is None for face in found} == {True, False}
    assert len({face.appearance_id for face in found}) == 3


def test_a_person_gives_at_most_so_many_and_always_the_same(index: Index) -> None:
    faces = [face for n in range(6) for face in add_photo(index, f"p{n}", at_cosine(n / 6))]
    (bo,) = add_photo(index, "bo", axis(5))
    index.label([make_label(bo, "Bo"), *(make_label(face, "Ann") for face in faces)])
    found = named_faces(index, per_person=2)
    assert [face.person for face in found] == ["Ann", "Ann", "Bo"]
    assert [face.id for face in found[:2]] == sorted(face.id for face in faces)[:2]
    assert named_faces(index, per_person=2) == found


def test_without_names_there_is_nothing(index: Index) -> None:
    add_photo(index, "p", axis(0))
    assert named_faces(index, per_person=2) == []
