"""PCA fitted on an index's vectors, and the model that reduces another's vectors by it."""

from __future__ import annotations

import resource
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import open_index
from indexer.embeddings import load_identity, load_model
from indexer.embeddings.reduced import Reduced
from indexer.errors import (
    EnvironmentFailure,
    ModelMismatch,
    UsageError,
    WeightsUnavailable,
)
from indexer.ingest import ingest
from indexer.query import PictureQueries
from indexer.records import Thresholds
from indexer.reduction import fit, fit_batches, fit_index, load, save
from indexer.reindex import reindex
from indexer.searching import find
from indexer.settings import Settings
from tests.clips import GREY, clip, faces_of, photo, shot, still
from tests.engines.builders import MODEL
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index

FAKE = FakeEmbedder()


def clouds(count: int = 300, dimensions: int = 24, seed: int = 1) -> np.ndarray:
    """Vectors of length 1 that vary differently along oblique axes."""
    chance = np.random.default_rng(seed)
    oblique = chance.standard_normal((dimensions, dimensions)) * np.geomspace(3, 0.1, dimensions)
    rows = chance.standard_normal((count, dimensions)) @ oblique.T + chance.random(dimensions)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def by_svd(vectors: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return coordinates, deviations and the share of variance by the definition of PCA."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    left, singular, axes = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), abs(axes).argmax(axis=1)])
    coordinates = (left * singular * signs)[:, :dimensions]
    kept = (singular[:dimensions] ** 2).sum() / (singular**2).sum()
    return coordinates, singular[:dimensions] / (len(vectors) - 1) ** 0.5, kept


# --- fitting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "dimensions"), [(300, 5), (300, 24), (20, 12), (8, 8)])
def test_coordinates_are_those_along_the_widest_axes(count, dimensions):
    vectors = clouds(count)
    reduction = fit(vectors, dimensions)
    coordinates, _, kept = by_svd(vectors, dimensions)
    reduced = reduction.apply(vectors)
    assert reduced.dtype == np.float32
    np.testing.assert_allclose(reduced, coordinates, atol=1e-5)
    assert reduction.kept == pytest.approx(kept, abs=1e-6)
    assert (reduction.vectors, reduction.whitened) == (count, False)


def test_whitened_coordinates_vary_equally():
    vectors = clouds()
    reduced = fit(vectors, 10, whiten=True).apply(vectors)
    coordinates, deviations, _ = by_svd(vectors, 10)
    np.testing.assert_allclose(reduced, coordinates / deviations, atol=1e-3)
    np.testing.assert_allclose(np.cov(reduced.T), np.eye(10), atol=1e-3)


def test_vectors_may_come_in_batches_and_far_from_zero():
    vectors = clouds() + 50
    whole = fit(vectors, 6)
    parts = fit_batches([vectors[:1], vectors[1:200], vectors[200:]], 6)
    np.testing.assert_allclose(parts.components, whole.components, atol=1e-5)
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-5)
    np.testing.assert_allclose(whole.apply(vectors), by_svd(vectors, 6)[0], atol=1e-3)


def test_the_same_vectors_give_the_same_signs_in_any_order():
    vectors = clouds()
    shuffled = np.random.default_rng(2).permutation(vectors)
    components = fit(vectors, 8).components
    np.testing.assert_allclose(fit(shuffled, 8).components, components, atol=1e-5)
    largest = abs(components).argmax(axis=1)
    assert (components[np.arange(8), largest] > 0).all()


@pytest.mark.parametrize("dimensions", [0, -1, 25, 900])
def test_more_dimensions_than_the_model_has_are_refused(dimensions):
    with pytest.raises(
        UsageError, match=f"300 vectors of 24 .* at most 24 dimensions, not to {dimensions}"
    ):
        fit(clouds(), dimensions)


def test_more_dimensions_than_vectors_are_refused():
    with pytest.raises(UsageError, match=r"10 vectors of 24 .* at most 10 dimensions, not to 11"):
        fit(clouds(10), 11)


def test_vectors_that_do_not_vary_are_refused():
    with pytest.raises(UsageError, match="vectors are alike"):
        fit(np.ones((5, 3), np.float32), 2)
    with pytest.raises(UsageError, match="there are 1"):
        fit(np.ones((1, 3), np.float32), 1)
    with pytest.raises(UsageError, match=r"vary in 19 dimensions; .* leave out --whiten"):
        fit(clouds(20), 20, whiten=True)


# --- its file -----------------------------------------------------------------------------------


def test_a_file_holds_the_reduction_and_the_model_it_belongs_to(tmp_path):
    reduction = fit(clouds(), 4, whiten=True)
    save(tmp_path / "r.npz", reduction, MODEL)
    again, base = load(tmp_path / "r.npz")
    assert base == MODEL
    assert (again.whitened, again.kept, again.vectors) == (True, reduction.kept, 300)
    np.testing.assert_array_equal(again.apply(clouds()), reduction.apply(clouds()))


def test_thresholds_of_an_index_stay_with_it(tmp_path):
    own = Thresholds(0.3, 0.6, "what the model comes with")
    calibrated = replace(MODEL, thresholds=own, calibrated=Thresholds(0.4, 0.7, "of an index"))
    save(tmp_path / "r.npz", fit(clouds(), 4), calibrated)
    assert load(tmp_path / "r.npz")[1] == replace(MODEL, thresholds=own)


def test_a_file_that_cannot_be_written_whole_is_not_there(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    reduction = fit(clouds(), 4)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(EnvironmentFailure, match="cannot be written"):
            save(tmp_path / "r.npz", reduction, MODEL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "r.npz").exists()


def test_a_file_that_is_there_is_never_replaced(tmp_path):
    (tmp_path / "r.npz").write_text("dear")
    with pytest.raises(UsageError, match="is there already, and an index may need it"):
        save(tmp_path / "r.npz", fit(clouds(), 4), MODEL)
    assert (tmp_path / "r.npz").read_text() == "dear"
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        save(tmp_path / "no folder" / "r.npz", fit(clouds(), 4), MODEL)


def test_a_disk_that_takes_no_more_leaves_nothing_in_the_way(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    passed_over = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(EnvironmentFailure, match="cannot be written"):
            save(tmp_path / "r.npz", fit(clouds(), 4), MODEL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, passed_over)
    save(tmp_path / "r.npz", fit(clouds(), 4), MODEL)


def test_thresholds_that_an_index_was_given_make_no_other_model(tmp_path):
    calibrated = replace(MODEL, calibrated=Thresholds(0.7, 0.8, "named faces of this index"))
    for name, model in (("own", MODEL), ("given", calibrated)):
        save(tmp_path / f"{name}.npz", fit(clouds(), 4), model)
    assert load(tmp_path / "given.npz")[1] == MODEL
    assert (tmp_path / "given.npz").read_bytes() == (tmp_path / "own.npz").read_bytes()


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no")
    (tmp_path / "empty.npz").touch()
    np.savez(tmp_path / "other.npz", mean=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("text.npz", "empty.npz", "other.npz", "array.npy"):
        with pytest.raises(WeightsUnavailable, match=f"{name} is not what sightings pca writes"):
            load_model(f"pca:{tmp_path / name}", settings=Settings())
    with pytest.raises(WeightsUnavailable, match=r"no file .*gone\.npz: sightings pca makes one"):
        load_model(f"pca:{tmp_path}/gone.npz", settings=Settings())


# --- the model ----------------------------------------------------------------------------------


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
        yield index


@pytest.fixture
def reduced(index, tmp_path) -> Reduced:
    reduction, base = fit_index(index, 3)
    save(tmp_path / "r.npz", reduction, base)
    return Reduced(tmp_path / "r.npz", *load(tmp_path / "r.npz"), FAKE)


def test_vectors_are_the_base_models_reduced_and_of_length_one(reduced, tmp_path):
    crops = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8)
    expected = load(tmp_path / "r.npz")[0].apply(FAKE.embed(crops))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(reduced.embed(crops), expected, atol=1e-6)
    assert reduced.identity.dimensions == 3
    assert reduced.identity.verdict(0.99) is None
    assert reduced.identity.key != replace(reduced.identity, weights_sha256="0" * 64).key


def test_re_embedding_needs_no_media_and_gives_what_indexing_anew_gives(
    index, reduced, folder, tmp_path, networks
):
    expected = {face.id: reduced.reduced(face.vector[None])[0] for face in faces_of(index)}
    folder.rename(tmp_path / "away")
    report = reindex(index, reduced, Settings())
    assert (report.activated, report.media, report.failed) == (True, 2, [])
    assert report.faces == len(expected) > 3
    for face in faces_of(index):
        np.testing.assert_allclose(face.vector, expected[face.id], atol=1e-6)
    (tmp_path / "away").rename(folder)
    with open_index(tmp_path / "fresh.sightings", create=True) as fresh:
        ingest(fresh, [folder / "both.png"], replace(networks, embedder=reduced))
        for face in faces_of(fresh):
            np.testing.assert_allclose(face.vector, expected[face.id], atol=1e-5)


def test_a_reduced_index_is_searched_and_filled_as_before(index, reduced, folder, networks):
    reindex(index, reduced, Settings())
    loaded = replace(networks, embedder=reduced)
    eileen = PictureQueries(index, Settings(), networks=loaded).photo(folder / "both.png", 1)[0]
    assert eileen.vectors.shape == (1, 3)
    assert find(index, eileen)[0].media.path == str(folder / "both.png")
    assert ingest(index, [folder], loaded).failed == []
    with pytest.raises(ModelMismatch, match="sightings reindex"):
        ingest(index, [folder], networks)


def test_an_index_of_another_model_is_reduced_by_way_of_its_media(index, reduced):
    reindex(index, FakeEmbedder("2"), Settings())
    report = reindex(index, reduced, Settings())
    assert (report.activated, report.media) == (True, 2)
    for face in faces_of(index):
        assert face.model == reduced.identity.key


@pytest.mark.usefixtures("reduced")
def test_another_base_model_is_refused(tmp_path):
    with pytest.raises(ModelMismatch, match=r"r\.npz reduces vectors of fake-\w+ .*given is fake-"):
        Reduced(tmp_path / "r.npz", *load(tmp_path / "r.npz"), FakeEmbedder("2"))


def test_an_index_without_enough_faces_is_refused(index, tmp_path):
    faces = index.count()
    with pytest.raises(UsageError, match=rf"{faces} vectors of 192 .* not to {faces + 1}"):
        fit_index(index, faces + 1)
    with (
        open_index(tmp_path / "empty.sightings", create=True) as empty,
        pytest.raises(EnvironmentFailure, match="index is empty"),
    ):
        fit_index(empty, 2)


def test_the_whole_chain_is_loaded_again_or_says_what_is_gone(shared_data, tmp_path):
    weights = tmp_path / "net.pt"
    weights.write_bytes((shared_data / "models/mobilenet_v2-imagenet-features.pt").read_bytes())
    base = load_model(f"mobilenet:{weights}?crop=whole", settings=Settings())
    save(tmp_path / "r.npz", fit(clouds(50, 1280), 20), base.identity)
    model = load_model(f"pca:{tmp_path}/r.npz", settings=Settings())
    assert model.whole_pictures
    again = load_identity(model.identity, Settings())
    assert again.identity == model.identity
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    np.testing.assert_allclose(again.embed(crops), model.reduced(base.embed(crops)), atol=1e-5)
    weights.rename(tmp_path / "moved.pt")
    with pytest.raises(WeightsUnavailable, match=r"net\.pt any more.*r\.npz\?base=MODEL"):
        load_identity(model.identity, Settings())
    told = f"pca:{tmp_path}/r.npz?base=mobilenet:{tmp_path}/moved.pt?crop=whole"
    assert load_model(told, settings=Settings()).identity == model.identity
    with pytest.raises(ModelMismatch, match="reduces vectors of"):
        load_model(told.replace("crop=whole", "crop=region"), settings=Settings())
