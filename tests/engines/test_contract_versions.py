"""The index remembers its model, and takes another one only as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import ClaimLost, IndexFailure, ModelMismatch, UsageError
from tests.engines.builders import (
    MODEL,
    OTHER_MODEL,
    add_photo,
    add_video,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    photo,
    present,
    start,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index

THIRD_MODEL = replace(OTHER_MODEL, weights_sha256="3" * 64)


def small(number: int) -> np.ndarray:
    return axis(number, dimensions=OTHER_MODEL.dimensions)


def test_a_new_index_has_no_model_until_it_adopts_one(open_again: Callable[[], Index]) -> None:
    index = open_again()
    assert index.model is None
    index.adopt_model(MODEL)
    assert index.model == MODEL
    assert open_again().model == MODEL


def test_adopting_the_same_model_again_remembers_where_its_weights_lie_now(index: Index) -> None:
    index.adopt_model(MODEL)
    index.adopt_model(replace(MODEL, weights_path="/elsewhere/tiny.onnx", thresholds=None))
    assert index.model == replace(MODEL, weights_path="/elsewhere/tiny.onnx", thresholds=None)


@pytest.mark.parametrize(
    "changes", [{"recipe": "other crops"}, {"weights_sha256": "9" * 64}, {"name": "other"}]
)
def test_another_model_is_refused_and_the_error_says_how_to_reindex(
    index: Index, changes: dict[str, str]
) -> None:
    index.adopt_model(MODEL)
    with pytest.raises(ModelMismatch, match="sightings reindex"):
        index.adopt_model(replace(MODEL, **changes))  # type: ignore[arg-type]
    assert index.model == MODEL


def test_a_version_is_built_beside_the_live_one(index: Index) -> None:
    one, two = add_photo(index, "p", axis(0), axis(1))
    index.begin_version(OTHER_MODEL)
    assert [face.id for face in index.unembedded_faces(OTHER_MODEL.key)] == [one.id, two.id]
    assert {face.embedding for face in index.unembedded_faces(OTHER_MODEL.key)} == {None}
    index.put_vectors(OTHER_MODEL.key, {one.id: small(2), "gone": small(0)})
    assert [face.id for face in index.unembedded_faces(OTHER_MODEL.key)] == [two.id]
    assert index.model == MODEL
    assert [hit.score for hit in index.search(axis(0), 5)] == [1.0, 0.0]
    assert present(index, one).vector.tolist() == axis(0).tolist()


def test_an_activated_version_is_the_only_one_and_faces_keep_all_else(
    open_again: Callable[[], Index],
) -> None:
    index, reader = open_again(), open_again()
    ((first, second),) = add_video(index, "v", (1.0, 5.0, [axis(0), axis(1)]))
    index.label([make_label(first, "Ann")])
    assert len(reader.search(axis(0), 5)) == 2
    before = list(index.iter_faces())
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {second.id: small(3), first.id: small(2)})
    index.activate_version(OTHER_MODEL.key)
    assert index.model == OTHER_MODEL
    after = [replace(face, model=OTHER_MODEL.key) for face in before]
    assert list(index.iter_faces()) == after
    for opened in (index, reader):
        assert [hit.face.id for hit in opened.search(small(3), 1)] == [second.id]
        with pytest.raises(UsageError):
            opened.search(axis(0), 1)
    assert present(index, first).vector.tolist() == small(2).tolist()
    with pytest.raises(UsageError):
        index.activate_version(OTHER_MODEL.key)


def test_an_incomplete_version_cannot_be_activated(index: Index) -> None:
    one, two = add_photo(index, "p", axis(0), axis(1))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {one.id: small(0)})
    with pytest.raises(IndexFailure, match="1 faces"):
        index.activate_version(OTHER_MODEL.key)
    assert (index.model, index.search(axis(1), 1)[0].face.id) == (MODEL, two.id)


def test_faces_that_come_while_a_version_is_built_are_among_its_unembedded(index: Index) -> None:
    (one,) = add_photo(index, "a", axis(0))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {one.id: small(0)})
    (two,) = add_photo(index, "b", axis(1))
    assert [face.id for face in index.unembedded_faces(OTHER_MODEL.key)] == [two.id]
    index.delete_faces([one.id])
    index.put_vectors(OTHER_MODEL.key, {one.id: small(1), two.id: small(1)})
    index.activate_version(OTHER_MODEL.key)
    assert [hit.face.id for hit in index.search(small(1), 5)] == [two.id]


def test_a_version_goes_on_where_it_stopped(index: Index) -> None:
    one, two = add_photo(index, "p", axis(0), axis(1))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {one.id: small(0)})
    index.begin_version(replace(OTHER_MODEL, weights_path="/moved"))
    assert [face.id for face in index.unembedded_faces(OTHER_MODEL.key)] == [two.id]
    index.put_vectors(OTHER_MODEL.key, {two.id: small(1)})
    index.activate_version(OTHER_MODEL.key)
    assert index.model == replace(OTHER_MODEL, weights_path="/moved")


def test_a_version_of_yet_another_model_replaces_an_unfinished_one(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {face.id: small(0)})
    index.begin_version(THIRD_MODEL)
    assert [found.id for found in index.unembedded_faces(THIRD_MODEL.key)] == [face.id]


def test_vectors_of_a_model_whose_version_was_dropped_do_not_come_into_another(
    open_again: Callable[[], Index],
) -> None:
    """One who embeds for hours, and another who begins a model of as many dimensions meanwhile."""
    first, second = open_again(), open_again()
    (face,) = add_photo(first, "p", axis(0))
    first.begin_version(OTHER_MODEL)
    second.begin_version(THIRD_MODEL)
    for refused in (
        lambda: list(first.unembedded_faces(OTHER_MODEL.key)),
        lambda: first.put_vectors(OTHER_MODEL.key, {face.id: small(0)}),
        lambda: first.activate_version(OTHER_MODEL.key),
    ):
        with pytest.raises(UsageError, match="another model's was begun"):
            refused()
    second.put_vectors(THIRD_MODEL.key, {face.id: small(1)})
    second.activate_version(THIRD_MODEL.key)
    assert first.model == THIRD_MODEL
    assert present(first, face).vector.tolist() == small(1).tolist()


def test_a_vector_put_again_replaces(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {face.id: small(0)})
    index.put_vectors(OTHER_MODEL.key, {face.id: small(1)})
    index.activate_version(OTHER_MODEL.key)
    assert present(index, face).vector.tolist() == small(1).tolist()


def test_a_version_of_the_live_model_is_refused(index: Index) -> None:
    index.adopt_model(MODEL)
    with pytest.raises(UsageError):
        index.begin_version(replace(MODEL, weights_path="/elsewhere"))


def test_without_a_version_being_built_there_is_nothing_to_build(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    with pytest.raises(UsageError):
        list(index.unembedded_faces(OTHER_MODEL.key))
    with pytest.raises(UsageError):
        index.put_vectors(OTHER_MODEL.key, {face.id: small(0)})
    with pytest.raises(UsageError):
        index.activate_version(OTHER_MODEL.key)


@pytest.mark.parametrize("vector", [axis(0), small(0) * np.float32(3.0)])
def test_vectors_that_do_not_fit_the_new_model_are_refused(
    index: Index, vector: np.ndarray
) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.begin_version(OTHER_MODEL)
    with pytest.raises(UsageError):
        index.put_vectors(OTHER_MODEL.key, {face.id: vector})


def test_after_activation_new_faces_must_be_of_the_new_model(index: Index) -> None:
    (face,) = add_photo(index, "a", axis(0))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(OTHER_MODEL.key, {face.id: small(0)})
    index.activate_version(OTHER_MODEL.key)
    index.start_media(photo("b"), [])
    with pytest.raises(ModelMismatch):
        add_photo(index, "c", axis(0))
    index.adopt_model(OTHER_MODEL)


def test_media_in_progress_begin_again_with_the_new_model(index: Index) -> None:
    add_photo(index, "done", axis(0))
    segment = start(index, video("v"))
    index.begin_version(OTHER_MODEL)
    index.put_vectors(
        OTHER_MODEL.key, {face.id: small(0) for face in index.unembedded_faces(OTHER_MODEL.key)}
    )
    index.activate_version(OTHER_MODEL.key)
    with pytest.raises(ClaimLost):
        finish(index, segment, [make_face(video("v"), axis(0))])
    again = claim(index, video("v"))
    assert (again.attempts, again.tracks) == (1, b"")
    finish(index, again, [make_face(video("v"), small(1), model=OTHER_MODEL.key)])
    link(index, video("v"))
    assert index.stats()["media_done"] == 2
    assert index.search(small(1), 1)[0].face.media_id == video("v").id
