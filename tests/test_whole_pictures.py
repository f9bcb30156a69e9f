"""An index of whole pictures: no faces are looked for, and all else works as with faces."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from indexer import open_index
from indexer.detectors import WholePicture
from indexer.embeddings import load_model
from indexer.errors import NoFace, UsageError
from indexer.faces import FaceDetector
from indexer.ingest import ingest
from indexer.link_cosines import UNCALIBRATED_IMAGENET
from indexer.naming import name_faces
from indexer.networks import load_networks
from indexer.query import PictureQueries
from indexer.reindex import reindex
from indexer.runtime import choose_runtime
from indexer.searching import find
from indexer.settings import FaceSettings, KeyframeSettings, Settings
from tests.clips import BROWN, GREY, clip, faces_of, photo, shot, spans_of, still
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.networks import Networks


@pytest.fixture(scope="module")
def spec(shared_data) -> str:
    return f"mobilenet:{shared_data}/models/mobilenet_v2-imagenet-features.pt"


@pytest.fixture(scope="module")
def whole(spec) -> Networks:
    return load_networks(None, Settings(), spec=f"{spec}?crop=whole")


@pytest.fixture
def folder(tmp_path, portraits) -> Path:
    """Coffee, Grace and Eileen on photos, and a clip with a shot of Grace and one of coffee."""
    folder = tmp_path / "media"
    for name in ("coffee", "grace", "eileen"):
        photo(folder / f"{name}.png", still(portraits, name))
    clip(
        folder / "cut.mp4",
        shot(portraits, "grace", 8, GREY),
        shot(portraits, "coffee", 8, BROWN),
    )
    return folder


@pytest.fixture
def index(tmp_path, folder, whole) -> Iterator[Index]:
    with open_index(tmp_path / "whole.sightings", create=True) as index:
        report = ingest(index, [folder], whole)
        assert (len(report.done), report.failed) == (4, [])
        yield index


def test_the_model_decides_what_is_looked_for(whole, spec):
    assert isinstance(whole.detector, WholePicture)
    of_faces = load_networks(None, Settings(), spec=spec)
    assert isinstance(of_faces.detector, FaceDetector)
    assert whole.link_cosine == of_faces.link_cosine == UNCALIBRATED_IMAGENET


def test_each_photo_gives_one_picture_that_fills_it(index):
    photos = [face for face in faces_of(index) if face.appearance_id is None]
    assert [face.box_xyxy for face in photos] == [(0.0, 0.0, 320.0, 240.0)] * 3
    for face in photos:
        assert (face.probability, face.landmarks_xy, face.face_px) == (1.0, (), 240.0)
        assert face.sharpness > 0
        assert np.linalg.norm(face.vector) == pytest.approx(1, abs=1e-5)


def test_thumbnails_show_the_middle_of_the_picture(index, folder):
    (coffee,) = faces_of(index, index.find_file(str(folder / "coffee.png")).media_id)
    with Image.open(io.BytesIO(index.thumbnail(coffee.id))) as small:
        assert small.size == (128, 128)
        middle = Image.open(folder / "coffee.png").crop((40, 0, 280, 240)).resize((128, 128))
        assert abs(np.asarray(small, int) - np.asarray(middle)).mean() < 8


def test_a_video_gives_an_appearance_of_each_shot(index):
    first, second = sorted(
        {
            (face.appearance_start_s, face.appearance_end_s)
            for face in faces_of(index)
            if face.appearance_id
        }
    )
    assert first[0] == 0.0
    assert first[1] == pytest.approx(second[0], abs=0.25)
    assert second[1] == pytest.approx(3.2, abs=0.25)


def test_a_photo_without_a_face_is_found_again_and_where_it_is_in_a_video(index, folder, whole):
    (query,) = PictureQueries(index, Settings(), networks=whole).photo(folder / "coffee.png")
    assert query.box_xyxy == (0.0, 0.0, 320.0, 240.0)
    first, second, *others = find(index, query)
    assert (first.media.path, first.score) == (str(folder / "coffee.png"), pytest.approx(1.0))
    assert second.media.path == str(folder / "cut.mp4")
    assert second.appearances[0].start_s == pytest.approx(1.6, abs=0.25)
    assert {result.verdict for result in (first, second, *others)} == {None}
    assert len(others) == 2


def test_whole_pictures_can_be_named(index, folder):
    (coffee,) = faces_of(index, index.find_file(str(folder / "coffee.png")).media_id)
    name_faces(index, "Cup", [coffee.id])
    assert [(person.name, person.media) for person in index.list_people()] == [("Cup", 1)]


def test_an_index_of_whole_pictures_takes_another_model_of_whole_pictures(index, spec, whole):
    class Mirrored(type(whole.embedder)):
        def crop(self, image_rgb, detection):
            return super().crop(image_rgb, detection)[:, ::-1]

    before = {face.id: face.vector for face in faces_of(index)}
    other = load_model(f"{spec}?crop=whole", settings=Settings())
    other.__class__ = Mirrored
    other.identity = replace(other.identity, recipe=other.identity.recipe + ", mirrored")
    assert reindex(index, other, Settings()).activated
    for face in faces_of(index):
        assert 0.5 < face.vector @ before[face.id] < 0.9999


def test_faces_and_whole_pictures_do_not_mix(index, spec, whole, tmp_path, folder, networks):
    with pytest.raises(UsageError, match=r"holds whole pictures, and mobilenet-\w+ embeds faces"):
        reindex(index, load_model(spec, settings=Settings()), Settings())
    with open_index(tmp_path / "faces.sightings", create=True) as of_faces:
        ingest(of_faces, [folder / "grace.png"], networks)
        with pytest.raises(UsageError, match=r"holds faces, and .* embeds whole pictures"):
            reindex(of_faces, whole.embedder, Settings())
        assert of_faces.model.key == FakeEmbedder().identity.key


def test_smaller_pictures_than_the_smallest_face_are_left_out(whole, tmp_path, portraits):
    runtime = choose_runtime("cpu")
    detector = WholePicture(FaceSettings(min_face_px=100), runtime)
    sizes = ((100, 200), (99, 200), (300, 50))
    found = detector.detect([np.zeros((*size, 3), np.uint8) for size in sizes])
    assert [len(each) for each in found] == [1, 0, 0]
    settings = Settings(faces=FaceSettings(min_face_px=250))
    small = replace(whole, settings=settings, detector=WholePicture(settings.faces, runtime))
    path = photo(tmp_path / "coffee.png", still(portraits, "coffee"))
    with open_index(tmp_path / "small.sightings", create=True) as index:
        assert ingest(index, [path], small).done == [str(path)]
        assert index.count() == 0
        with pytest.raises(NoFace, match="250 px or larger"):
            PictureQueries(index, settings, networks=small).photo(path)


def test_blurred_pictures_are_dropped_where_that_is_set(whole, tmp_path, portraits):
    settings = Settings(faces=FaceSettings(min_sharpness=5.0))
    flat = photo(tmp_path / "flat.png", np.full((240, 320, 3), 90, np.uint8))
    lively = photo(tmp_path / "lively.png", still(portraits, "coffee"))
    with open_index(tmp_path / "sharp.sightings", create=True) as index:
        ingest(index, [flat, lively], replace(whole, settings=settings))
        assert index.count() == 1


def test_the_order_of_the_stages_does_not_matter_where_every_frame_counts(whole, tmp_path, folder):
    spans = []
    for order in ("difference-first", "faces-first"):
        settings = Settings(keyframes=KeyframeSettings(order=order))
        with open_index(tmp_path / f"{order}.sightings", create=True) as index:
            ingest(index, [folder / "cut.mp4"], replace(whole, settings=settings))
            spans.append(spans_of(index))
    assert spans[0] == spans[1]
