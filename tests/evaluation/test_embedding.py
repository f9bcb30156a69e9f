"""Photos become features through an index, which keeps what was embedded before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer.evaluation.embedding import KeptTimes, embedded
from indexer.evaluation.photo_folder import list_photos, select
from indexer.evaluation.progress import Watcher
from indexer.settings import FaceSettings
from tests.evaluation.watching import Seen

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from indexer.networks import Networks


@pytest.fixture
def folder(portraits: dict[str, np.ndarray], tmp_path: Path) -> Path:
    """Two people with a photo each, a cup of coffee, and a photo that cannot be read."""
    for name, image in portraits.items():
        (tmp_path / "people" / name).mkdir(parents=True)
        Image.fromarray(image).save(tmp_path / "people" / name / "1.png")
    (tmp_path / "people" / "grace" / "2.png").write_text("no picture")
    return tmp_path / "people"


def test_photos_without_a_face_and_unreadable_ones_are_missing(
    folder: Path, networks: Networks, tmp_path: Path
) -> None:
    watcher = Seen()
    photos = select(folder, list_photos(folder))
    features, took_s = embedded(photos, networks, tmp_path / "indexes", watcher)
    assert features.names == ("eileen/1.png", "grace/1.png")
    assert features.persons == ("eileen", "grace")
    assert features.missing == ("coffee/1.png", "grace/2.png")
    assert features.vectors.shape == (2, networks.embedder.identity.dimensions)
    assert features.model == networks.embedder.identity.key
    assert features.stage_s.keys() >= {"detect", "embed", "store"}
    assert took_s > 0
    (warning,) = watcher.warnings
    assert "grace/2.png" in warning


def test_what_is_embedded_is_not_embedded_again(
    folder: Path, networks: Networks, tmp_path: Path
) -> None:
    work = tmp_path / "indexes"
    (folder / "grace" / "2.png").unlink()
    first, _ = embedded(select(folder, ["grace/1.png"]), networks, work, Watcher())
    assert first.names == ("grace/1.png",)
    both, _ = embedded(select(folder, list_photos(folder)), networks, work, Watcher())
    again, _ = embedded(select(folder, ["eileen/1.png"]), networks, work, Watcher())
    assert both.names == ("eileen/1.png", "grace/1.png")
    assert again.names == ("eileen/1.png",)
    assert (again.vectors == both.vectors[:1]).all()
    assert (first.vectors == both.vectors[1:]).all()
    (times,) = work.glob("*.times.json")
    assert json.loads(times.read_text())["photos"] == 3


def test_other_settings_have_an_index_of_their_own(
    folder: Path, networks: Networks, tmp_path: Path
) -> None:
    work, photos = tmp_path / "indexes", select(folder, ["grace/1.png"])
    embedded(photos, networks, work, Watcher())
    choosy = replace(networks.settings, faces=FaceSettings(min_sharpness=1e9))
    other, _ = embedded(photos, replace(networks, settings=choosy), work, Watcher())
    assert other.names == ()
    assert len(list(work.glob("*.sightings"))) == 2


def test_times_go_on_from_the_file_and_are_told_for_any_number_of_photos(tmp_path: Path) -> None:
    times = KeptTimes(tmp_path / "t.json")
    times.add({"detect": 2.0})
    times.save()
    more = KeptTimes(tmp_path / "t.json")
    more.add({"detect": 4.0, "embed": 1.0})
    assert more.stage_s(10) == {"detect": 30.0, "embed": 5.0}
    assert more.took_s(4) == pytest.approx(2 * more.took_s(2))


@pytest.mark.parametrize("text", ["", "[]", '{"photos": "many"}'])
def test_a_file_of_times_that_cannot_be_read_begins_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    times = KeptTimes(tmp_path / "t.json")
    assert (times.stage_s(5), times.took_s(5)) == ({}, 0.0)
