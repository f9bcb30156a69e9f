"""Another model embeds the stored faces anew; ids, names and appearances stay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import open_index
from indexer.errors import ModelMismatch, UsageError
from indexer.ingest import ingest
from indexer.naming import name_faces
from indexer.query import PictureQueries, stored_face_query
from indexer.reindex import reindex
from indexer.reports import Progress
from indexer.searching import find
from indexer.settings import Settings
from tests.clips import GREY, clip, documents, faces_of, photo, shot, still
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index

NEW = FakeEmbedder("2")


@pytest.fixture
def folder(tmp_path, portraits) -> Path:
    folder = tmp_path / "media"
    photo(folder / "both.png", still(portraits, "eileen", "grace"))
    clip(folder / "cut.mp4", shot(portraits, "eileen", 6), shot(portraits, "grace", 6, GREY))
    return folder


@pytest.fixture
def index(tmp_path, folder, networks) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        ingest(index, [folder], networks)
        name_faces(index, "Grace", [max(faces_of(index), key=lambda f: f.timestamp_s).id])
        yield index


def without_vectors(index: Index) -> list[object]:
    return [replace(face, model="", embedding=None) for face in faces_of(index)]


class Stopping(Progress):
    """Interrupts the run when it begins with its second file."""

    files = 0

    def start_file(self, path: str, duration_s: float | None) -> None:  # noqa: ARG002
        self.files += 1
        if self.files == 2:
            raise KeyboardInterrupt


def test_vectors_change_and_all_else_stays(index) -> None:
    faces, media, labels = without_vectors(index), list(index.iter_media()), index.list_labels()
    vectors = {face.id: face.vector for face in faces_of(index)}
    report = reindex(index, NEW, Settings())
    assert (report.activated, report.failed, report.media) == (True, [], 2)
    assert report.faces == len(faces)
    assert index.model.key == NEW.identity.key
    assert without_vectors(index) == faces
    assert (list(index.iter_media()), index.list_labels()) == (media, labels)
    for face in faces_of(index):
        assert face.model == NEW.identity.key
        assert face.vector == pytest.approx(-vectors[face.id], abs=1e-5)


def test_new_vectors_are_those_that_indexing_with_the_new_model_gives(
    index, tmp_path, folder, networks
) -> None:
    reindex(index, NEW, Settings())
    with open_index(tmp_path / "new.sightings", create=True) as fresh:
        ingest(fresh, [folder], replace(networks, embedder=NEW))
        expected = {face.id: face.vector for face in faces_of(fresh)}
    again = {face.id: face.vector for face in faces_of(index)}
    shared = again.keys() & expected.keys()
    assert len(shared) >= 4
    for face_id in shared:
        assert again[face_id] == pytest.approx(expected[face_id], abs=1e-5)


def test_afterwards_the_old_model_is_refused(index, folder, networks) -> None:
    reindex(index, NEW, Settings())
    with pytest.raises(ModelMismatch, match="sightings reindex"):
        ingest(index, [folder], networks)
    with pytest.raises(ModelMismatch):
        PictureQueries(index, Settings(), networks=networks).photo(folder / "both.png")
    with pytest.raises(UsageError):
        reindex(index, NEW, Settings())


def test_searches_go_on_by_the_new_model(index, folder, networks) -> None:
    reindex(index, NEW, Settings())
    queries = PictureQueries(index, Settings(), networks=replace(networks, embedder=NEW))
    grace = find(index, queries.photo(folder / "both.png", 2)[0])
    assert [(result.media.path, result.person) for result in grace] == [
        (str(folder / "both.png"), None),
        (str(folder / "cut.mp4"), "Grace"),
    ]


def test_the_live_vectors_answer_until_all_new_ones_are_there(index, networks) -> None:
    grace = max(faces_of(index), key=lambda face: face.timestamp_s)
    before = documents(index)
    scores: list[list[float]] = []

    class Searching(Progress):
        def finish_file(self, path: str) -> None:  # noqa: ARG002
            query = stored_face_query(index, grace.id)
            scores.append([result.score for result in find(index, query)])
            assert index.model.key == networks.embedder.identity.key
            assert documents(index) == before

    reindex(index, NEW, Settings(), Searching())
    assert len(scores) == 2
    assert scores[0] == scores[1]
    assert scores[0][0] == pytest.approx(1.0)


def test_what_was_embedded_before_an_interruption_is_not_done_again(index, networks) -> None:
    with pytest.raises(KeyboardInterrupt):
        reindex(index, NEW, Settings(), Stopping())
    assert index.model.key == networks.embedder.identity.key
    report = reindex(index, NEW, Settings())
    assert (report.activated, report.media) == (True, 1)
    assert index.model.key == NEW.identity.key


def test_a_missing_media_is_told_and_the_run_can_be_ended_later(index, folder, networks) -> None:
    away = (folder / "cut.mp4").rename(folder.with_name("away.mp4"))
    report = reindex(index, NEW, Settings())
    assert (report.activated, report.media) == (False, 1)
    (text,) = report.failed
    assert text.startswith(f"{folder / 'cut.mp4'} is no longer there")
    assert text.endswith("Bring it back, or remove what is gone: sightings media prune.")
    assert index.model.key == networks.embedder.identity.key
    assert not reindex(index, NEW, Settings()).activated
    away.rename(folder / "cut.mp4")
    report = reindex(index, NEW, Settings())
    assert (report.activated, report.media, report.failed) == (True, 1, [])


def test_a_file_with_other_content_is_not_used(index, folder, portraits) -> None:
    photo(folder / "both.png", still(portraits, "grace", "eileen"))
    report = reindex(index, NEW, Settings())
    assert not report.activated
    assert report.failed[0].startswith(f"{folder / 'both.png'} is no longer there (or has other")


def test_a_copy_elsewhere_serves_as_well(index, folder, networks) -> None:
    moved = (folder / "both.png").rename(folder / "moved.png")
    ingest(index, [moved], networks)
    assert reindex(index, NEW, Settings()).activated


def test_a_third_model_drops_what_was_begun_of_the_second(index, networks) -> None:
    with pytest.raises(KeyboardInterrupt):
        reindex(index, NEW, Settings(), Stopping())
    third = FakeEmbedder("3")
    report = reindex(index, third, Settings())
    assert (report.activated, report.media, index.model.key) == (True, 2, third.identity.key)
    with pytest.raises(ModelMismatch):
        index.adopt_model(networks.embedder.identity)


def test_an_index_whose_media_show_nobody_changes_its_model_at_once(
    tmp_path, portraits, networks
) -> None:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        path = photo(tmp_path / "coffee.png", still(portraits, "coffee"))
        ingest(index, [path], networks)
        report = reindex(index, NEW, Settings())
        assert (report.activated, report.media, report.faces) == (True, 0, 0)
        assert ingest(index, [path], replace(networks, embedder=NEW)).skipped == [str(path)]


def test_vectors_of_the_new_model_have_length_one(index) -> None:
    reindex(index, NEW, Settings())
    lengths = [float(np.linalg.norm(face.vector)) for face in faces_of(index)]
    assert lengths == pytest.approx([1.0] * len(lengths), abs=1e-5)
