"""Faces of a video are linked by a reduced model as they are by the model under it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import open_index
from indexer.embeddings.reduced import Reduced
from indexer.ingest import ingest
from indexer.link_cosines import UNCALIBRATED, carried_over, link_cosine
from indexer.records import Thresholds
from indexer.reduction import fit, fit_index, load, save
from indexer.reindex import reindex
from indexer.settings import KeyframeSettings, Settings
from tests.clips import BROWN, GREY, clip, shot, spans_of
from tests.engines.builders import MODEL
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.networks import Networks

FAKE = FakeEmbedder()


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def cosines(vectors: np.ndarray) -> np.ndarray:
    return (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]


@pytest.mark.parametrize("whiten", [False, True])
def test_as_many_pairs_are_linked_as_before_and_mostly_the_same(whiten: bool) -> None:
    """Forty people whose vectors share much, as those of ImageNet's networks do."""
    chance = np.random.default_rng(0)
    widths = np.geomspace(1, 0.2, 32)
    people = np.repeat(chance.normal(size=(40, 32)) * widths, 5, axis=0)
    vectors = unit(people + chance.normal(scale=0.3, size=(200, 32)) * widths + 0.5)
    others = unit(fit(vectors, 16, whiten=whiten).apply(vectors))
    cosine = carried_over(0.85, vectors, others)
    before, after = cosines(vectors) >= 0.85, cosines(others) >= cosine
    assert after.sum() == before.sum() > 300
    assert (before & after).sum() > 0.9 * before.sum()
    assert abs(cosine - 0.85) > 0.05


@pytest.mark.parametrize(("cosine", "bounds"), [(0.99, (0.5, 1.0)), (-0.99, (-1.0, -0.4))])
def test_where_no_pair_is_linked_or_every_one_it_lies_beyond_them(
    cosine: float, bounds: tuple[float, float]
) -> None:
    vectors = unit(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    low, high = bounds
    assert low < carried_over(cosine, vectors, vectors) < high


@pytest.fixture
def video(tmp_path: Path, portraits: dict[str, np.ndarray]) -> Path:
    """Eileen, Grace, and Eileen again, each before her own wall."""
    path = tmp_path / "cut.mp4"
    shots = [shot(portraits, "eileen", 6), shot(portraits, "grace", 6, GREY)]
    clip(path, *shots, shot(portraits, "eileen", 6, BROWN))
    return path


@pytest.fixture
def every_frame(networks: Networks) -> Networks:
    """Networks that look at every frame: a reduction to be fitted wants more than a few faces."""
    keyframes = KeyframeSettings(strategy="all")
    return replace(networks, settings=replace(networks.settings, keyframes=keyframes))


@pytest.fixture
def index(tmp_path: Path, video: Path, every_frame: Networks) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        ingest(index, [video], every_frame)
        yield index


@pytest.mark.parametrize("whiten", [False, True])
def test_a_reduced_model_finds_the_appearances_of_the_one_under_it(
    index: Index, video: Path, tmp_path: Path, every_frame: Networks, whiten: bool
) -> None:
    reduction, base = fit_index(index, 2, whiten=whiten)
    save(tmp_path / "r.npz", reduction, base)
    reduced = Reduced(tmp_path / "r.npz", *load(tmp_path / "r.npz"), FAKE)
    assert reduced.identity.link_cosine == link_cosine(reduced.identity) == reduction.link_cosine
    with open_index(tmp_path / "fresh.sightings", create=True) as fresh:
        ingest(fresh, [video], replace(every_frame, embedder=reduced))
        assert spans_of(fresh) == spans_of(index)
        assert fresh.model == reduced.identity
    reindex(index, reduced, Settings())
    assert index.model is not None
    assert index.model.link_cosine == reduction.link_cosine


def test_thresholds_that_the_index_was_given_go_before(index: Index, tmp_path: Path) -> None:
    reduction, base = fit_index(index, 2)
    save(tmp_path / "r.npz", reduction, base)
    identity = Reduced(tmp_path / "r.npz", *load(tmp_path / "r.npz"), FAKE).identity
    calibrated = replace(identity, calibrated=Thresholds(0.6, 0.7, "named faces"))
    assert link_cosine(calibrated) == 0.6


def test_a_file_of_an_older_version_is_read_and_links_as_before(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 8))
    save(tmp_path / "r.npz", fit(vectors, 4), MODEL)
    reduction, _ = load(tmp_path / "r.npz")
    assert reduction.link_cosine is None
    assert link_cosine(replace(MODEL, name="pca", thresholds=None)) == UNCALIBRATED
