"""Networks that are loaded when a media needs them: not without work, and errors come before it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer import open_index
from indexer.deferred import DeferredNetworks
from indexer.errors import WeightsUnavailable
from indexer.ingest import ingest
from tests.clips import photo
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import ModelIdentity


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(str(tmp_path / "faces.sightings"), create=True) as opened:
        yield opened


@pytest.fixture
def model(tmp_path: Path) -> ModelIdentity:
    weights = tmp_path / "weights"
    weights.write_bytes(b"weights")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    return replace(FakeEmbedder().identity, weights_path=str(weights), weights_sha256=sha256)


@pytest.fixture
def loadable(networks: Networks, model: ModelIdentity) -> Networks:
    embedder = FakeEmbedder()
    embedder.identity = model
    return replace(networks, embedder=embedder)


def test_they_are_loaded_once_and_only_if_there_is_something_to_do(
    index, tmp_path, portraits, loadable, model
) -> None:
    loads: list[int] = []

    def deferred() -> DeferredNetworks:
        loads.append(0)

        def load() -> Networks:
            loads[-1] += 1
            return loadable

        return DeferredNetworks(model, loadable.settings, load)

    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("eileen", "grace"):
        photo(folder / f"{name}.png", portraits[name])
    assert len(ingest(index, [folder], deferred()).done) == 2
    assert len(ingest(index, [folder], deferred()).skipped) == 2
    photo(folder / "again.png", portraits["grace"][:, ::-1])
    report = ingest(index, [folder], deferred())
    assert (len(report.done), len(report.skipped)) == (1, 2)
    assert loads == [1, 0, 1]
    assert index.count() == 3


def test_what_is_wrong_with_them_is_told_before_any_work(
    index, tmp_path, portraits, loadable, model
) -> None:
    def load() -> Networks:
        raise WeightsUnavailable("They cannot be read.")

    path = photo(tmp_path / "a.png", portraits["grace"])
    with pytest.raises(WeightsUnavailable, match="cannot be read"):
        ingest(index, [path], DeferredNetworks(model, loadable.settings, load))
    assert list(index.iter_media()) == []


@pytest.mark.parametrize("fate", ["are not there any more", "have changed"])
def test_weights_that_are_gone_or_others_are_told_without_loading(
    tmp_path, loadable, model, fate: str
) -> None:
    if fate == "have changed":
        (tmp_path / "weights").write_bytes(b"others")
    else:
        (tmp_path / "weights").unlink()
    with pytest.raises(WeightsUnavailable, match=fate):
        DeferredNetworks(model, loadable.settings, lambda: loadable)
