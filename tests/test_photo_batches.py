"""Faces of several photos are embedded together, and each photo ends as it would alone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer import open_index
from indexer.ingest import ingest
from indexer.looks import Cut, Look
from indexer.networks import Networks
from indexer.photo_batches import LONGEST_WAIT_S, PHOTOS_TOGETHER, PhotoBatches, WaitingPhoto
from indexer.pipeline import FACES_TOGETHER, LookedPhoto
from indexer.records import Detection, Media, SegmentCounts
from indexer.reports import Progress
from indexer.settings import ComputeSettings
from indexer.stage_times import StageTimes
from tests.clips import clip, documents, photo, shot, still
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.settings import Settings

PHOTOS = FACES_TOGETHER + 3


class NotingEmbedder(FakeEmbedder):
    """Notes how many faces it is given at a time; fails if Eileen's, the palest, is one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def embed(self, crops: np.ndarray) -> np.ndarray:
        self.sizes.append(len(crops))
        if any(crop[..., 2].mean() > 110 for crop in crops):
            raise ValueError("too pale")
        return super().embed(crops)


@pytest.fixture
def one_by_one(networks: Networks) -> Callable[..., Networks]:
    """Networks that work on one file at a time, with a model of their own."""

    def made(**settings: Any) -> Networks:
        alone: Settings = replace(networks.settings, compute=ComputeSettings(at_once=1), **settings)
        return Networks(networks.detector, NotingEmbedder(), alone)

    return made


@pytest.fixture
def folder(tmp_path: Path, portraits: Any) -> Path:
    """Photos of one face each, all different, and among them one without any."""
    for number in range(PHOTOS):
        picture = still(portraits, "grace", shift=2 * number)
        photo(tmp_path / "media" / f"{number:02}.png", picture)
    photo(tmp_path / "media" / "03b.png", still(portraits))
    return tmp_path / "media"


def index_of(folder: Path, networks: Networks, name: str, **options: Any) -> tuple[Any, list[Any]]:
    """Return the report of indexing a folder anew, and all that the index holds then."""
    with open_index(folder.parent / name, create=True) as index:
        report = ingest(index, [folder], networks, **options)
        return report, documents(index)


def test_faces_of_photos_go_through_the_model_together(folder, one_by_one) -> None:
    networks = one_by_one()
    report, _ = index_of(folder, networks, "together.sightings")
    assert len(report.done) == PHOTOS + 1
    assert report.faces == PHOTOS
    assert networks.embedder.sizes == [FACES_TOGETHER, PHOTOS - FACES_TOGETHER]


def test_an_index_holds_what_it_would_of_photos_one_by_one(folder, one_by_one) -> None:
    _, together = index_of(folder, one_by_one(), "together.sightings")
    with open_index(folder.parent / "alone.sightings", create=True) as index:
        for path in sorted(folder.iterdir()):
            ingest(index, [path], one_by_one())
        alone = documents(index)
    assert together == alone


def test_a_photo_that_cannot_be_embedded_fails_alone(folder, portraits, one_by_one) -> None:
    photo(folder / "05b.png", portraits["eileen"])
    report, _ = index_of(folder, one_by_one(), "bad.sightings")
    assert len(report.done) == PHOTOS + 1
    assert [text for text in report.failed if "too pale" in text] == report.failed
    assert len(report.failed) == 1


def test_no_photo_waits_for_one_that_cannot_be_decoded(folder, one_by_one) -> None:
    last = folder / f"{PHOTOS}.png"
    content = (folder / "00.png").read_bytes()
    last.write_bytes(content[:60])
    report, _ = index_of(folder, one_by_one(), "bad.sightings")
    assert (len(report.done), report.faces) == (PHOTOS + 1, PHOTOS)
    assert len(report.failed) == 1
    assert str(last) in report.failed[0]


def test_no_photo_waits_while_a_video_is_worked_on(folder, portraits, one_by_one) -> None:
    video = clip(folder / "01b.mp4", shot(portraits, "grace", 5))
    finished: list[str] = []

    class Telling(Progress):
        def finish_file(self, path: str) -> None:
            finished.append(path)

    index_of(folder, one_by_one(), "video.sightings", progress=Telling())
    assert sorted(finished[:2]) == [str(folder / "00.png"), str(folder / "01.png")]
    assert finished[2] == str(video)


def test_photos_that_wait_when_a_run_is_stopped_are_done_by_the_next(folder, one_by_one) -> None:
    class Stopping(Progress):
        def __init__(self) -> None:
            self.files = 0

        def start_file(self, path: str, duration_s: float | None) -> None:  # noqa: ARG002
            self.files += 1
            if self.files == FACES_TOGETHER:
                raise KeyboardInterrupt

    with open_index(folder.parent / "stopped.sightings", create=True) as index:
        with pytest.raises(KeyboardInterrupt):
            ingest(index, [folder], one_by_one(), progress=Stopping())
        assert not list(index.iter_faces())
        assert not index.claim_owners()
        attempts = [
            each.attempts for media in index.iter_media() for each in index.list_segments(media.id)
        ]
        assert attempts == [0] * len(attempts)
        report = ingest(index, [folder], one_by_one())
        assert (len(report.done), report.faces) == (PHOTOS + 1, PHOTOS)


class Noting:
    """Photos that are ended, by the order in which they were added, and with how many others."""

    def __init__(self, networks: Networks, files: int) -> None:
        self.ended: list[int] = []
        self.batches = PhotoBatches(lambda: networks)
        self.batches.expect(files)
        self._added = 0

    def add(self, faces: int) -> None:
        """Add a photo of so many faces, all alike."""
        crop = np.full((64, 64, 3), 7, np.uint8)
        cuts = (Cut(Detection((0.0, 0.0, 9.0, 9.0), (), 1.0), 1.0, crop, b""),) * faces
        look = Look(0, 0.0, np.inf, 0.0, 64, 64, cuts)
        media = Media("0" * 32, "photo", 1, 64, 64)
        looked = LookedPhoto(media, look, SegmentCounts(), StageTimes())
        number, self._added = self._added, self._added + 1
        self.batches.begun()
        self.batches.add(WaitingPhoto(looked, lambda _: self.ended.append(number)))


def test_photos_without_faces_wait_for_no_more_than_so_many(networks) -> None:
    noting = Noting(networks, files=100)
    for _ in range(PHOTOS_TOGETHER - 1):
        noting.add(faces=0)
    assert not noting.ended
    noting.add(faces=0)
    assert noting.ended == list(range(PHOTOS_TOGETHER))


def test_a_photo_waits_no_longer_than_so_long_whatever_comes(networks, monkeypatch) -> None:
    noting = Noting(networks, files=100)
    noting.add(faces=1)
    noting.batches.flush(anyway=False)
    assert not noting.ended
    now_s = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now_s + LONGEST_WAIT_S + 1.0)
    noting.batches.begun()  # a file that was indexed before
    noting.batches.flush(anyway=False)
    assert noting.ended == [0]
