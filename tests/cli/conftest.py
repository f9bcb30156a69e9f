from __future__ import annotations

import io
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer.engines import open_index
from indexer.records import SegmentSpan
from tests.cli.running import sightings
from tests.engines.builders import (
    MODEL,
    NOON,
    add_video,
    at_cosine,
    axis,
    finish,
    link,
    make_face,
    make_label,
    photo,
    put_path,
    start,
    video,
)
from tests.media_maker import make_video

if TYPE_CHECKING:
    import numpy as np

    from indexer.engines.base import Index
    from indexer.records import Face
    from tests.cli.running import Run

ODD_NAME = 'it\'s "odd" [bold]\nÜ漢.jpg'


@dataclass(frozen=True)
class Library:
    """An index of made-up media in a made-up folder, and the ids of some of their faces.

    `anna` is the query that all cosines are to; she and Ben are named, all others are not.
    """

    index: Path
    folder: Path
    anna: str
    ben: str
    odd: str
    in_clip: tuple[str, ...]


@dataclass(frozen=True)
class RealLibrary:
    """Two portraits, a photo of both people and a clip, and their index, made by the command."""

    index: Path
    folder: Path
    run: Run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's empty home, without variables of Sightings."""
    for name in os.environ:
        if name.startswith("SIGHTINGS_") and not name.startswith("SIGHTINGS_TEST_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    for name in ("data", "config", "cache"):
        (folder / name).mkdir(parents=True)
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(folder / name))
    return folder


@pytest.fixture(scope="session")
def made_library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("library")
    with open_index(str(folder / "faces.sightings"), create=True) as index:
        return _fill(index, folder)


@pytest.fixture
def library(made_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A copy of the library, to do with as a test likes; commands find it by SIGHTINGS_INDEX."""
    index = tmp_path / "faces.sightings"
    shutil.copy(made_library.index, index)
    monkeypatch.setenv("SIGHTINGS_INDEX", str(index))
    return replace(made_library, index=index)


@pytest.fixture(scope="session")
def real_library(
    portraits: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> RealLibrary:
    folder = tmp_path_factory.mktemp("real")
    media = folder / "media"
    for person in ("eileen", "grace"):
        (media / person).mkdir(parents=True)
        Image.fromarray(portraits[person]).save(media / person / "0001.png")
    both = Image.new("RGB", (556, 300))
    both.paste(Image.fromarray(portraits["grace"]), (0, 0))
    both.paste(Image.fromarray(portraits["eileen"]), (256, 0))
    both.save(media / "both.png")
    shots = [portraits["coffee"]] * 10 + [portraits["eileen"]] * 10
    make_video(media / "clip.mp4", shots, fps=10)
    index = folder / "faces.sightings"
    run = sightings("index", media, "--index", index, "--model", "dlib", "--names-from-folders")
    return RealLibrary(index, media, run)


def _fill(index: Index, folder: Path) -> Library:
    anna = _photo(index, folder / "anna.jpg", axis(0), recorded_at=NOON)
    odd = _photo(index, folder / ODD_NAME, at_cosine(0.9, 2), face_px=30.0)
    _photo(index, folder / "sub" / "maybe.jpg", at_cosine(0.6, 4), probability=0.7)
    ben = _photo(index, folder / "ben.jpg", at_cosine(0.1, 6))
    runs = [
        (2.0, 6.0, [at_cosine(0.85, 5), at_cosine(0.6, 5)]),
        (15.0, 19.0, [at_cosine(0.75, 6)]),
        (30.0, 40.0, [axis(7)]),
    ]
    in_clip = add_video(index, "clip", *runs)
    put_path(index, video("clip"), str(folder / "clip.mp4"))
    _video_in_progress(index, folder / "running.mp4", at_cosine(0.72, 3))
    index.label([make_label(anna, "Anna"), make_label(ben, "Ben")])
    return Library(
        Path(index.stats()["location"]),
        folder,
        anna.id,
        ben.id,
        odd.id,
        tuple(face.id for run in in_clip for face in run),
    )


def _photo(index: Index, path: Path, vector: np.ndarray, recorded_at=None, **changes) -> Face:
    media = photo(path.name, recorded_at=recorded_at)
    face = make_face(media, vector, thumbnail=_jpeg(), **changes)
    finish(index, start(index, media), [face])
    link(index, media)
    put_path(index, media, str(path))
    return face


def _video_in_progress(index: Index, path: Path, vector: np.ndarray) -> None:
    media = replace(video(path.name), duration_s=120.0)
    spans = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0))
    face = make_face(media, vector, at_s=1.0, thumbnail=_jpeg(), model=MODEL.key)
    finish(index, start(index, media, spans), [face])
    put_path(index, media, str(path))


def _jpeg() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (112, 112), (90, 120, 200)).save(stream, "JPEG")
    return stream.getvalue()
