"""Whatever lies in a folder: each bad file is named and said, and the run goes on."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import open_index
from indexer.engines.embedded.index import open_embedded
from indexer.errors import IndexLocked
from indexer.ingest import ingest
from indexer.reports import Progress
from indexer.settings_compute import ComputeSettings
from indexer.text import shown
from tests.clips import BROWN, GREEN, HEIGHT, WIDTH, clip, faces_of, photo, shot, still
from tests.media_maker import make_audio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from indexer.engines.base import Index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        yield index


@pytest.fixture
def good(tmp_path, portraits) -> Path:
    """A good photo that comes after all others in its folder."""
    return photo(tmp_path / "media" / "zz good.png", still(portraits, "grace"))


def png(path: Path, width: int, height: int) -> Path:
    """Write a PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def cut(path: Path, part: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    return path


def noisy_shot() -> list[np.ndarray]:
    noise = np.random.default_rng(1).integers(0, 256, (12, HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    return [each.repeat(8, axis=0).repeat(8, axis=1) for each in noise]


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.jpg": (lambda path: path.touch(), "is empty"),
    "empty.mp4": (lambda path: path.touch(), "is empty"),
    "text.jpg": (lambda path: path.write_text("no photo\n" * 99), "neither a photo nor a video"),
    "text.mp4": (lambda path: path.write_text("no video\n" * 99), "neither a photo nor a video"),
    "no pixels.png": (lambda path: png(path, 0, 10), "damaged or empty PNG"),
    "bomb.png": (lambda path: png(path, 30_000, 30_000), "has 30000 x 30000 pixels, more than"),
    "sound.mp4": (make_audio, "has no video stream"),
    "cut.mp4": (lambda path: cut(clip(path, noisy_shot()), 0.5), "neither a photo nor a video"),
    "a 'quoted' \"name\".jpg": (lambda path: path.touch(), "is empty"),
    "two\nlines\x1b[31m.jpg": (lambda path: path.touch(), "is empty"),
    "Renée 蕾妮 🙂.jpg": (lambda path: path.touch(), "is empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_and_the_run_goes_on(index, good, networks, name: str) -> None:
    make, said = BAD[name]
    path = good.with_name(name)
    make(path)
    report = ingest(index, [good.parent], networks)
    (text,) = report.failed
    assert text.startswith(shown(path))
    assert said in text
    assert "\n" not in text
    assert report.done == [str(good)]
    assert [media.paths for media in index.iter_media()] == [(str(good),)]
    assert [file.path for file in index.iter_files()] == [str(good)]
    again = ingest(index, [good.parent], networks)
    assert (again.skipped, again.failed) == ([str(good)], [text])


@pytest.mark.parametrize(
    "name", ["a 'quoted' \"name\".png", "two\nlines.png", "Renée 蕾妮 🙂.png", "100% *?[x].png"]
)
def test_odd_names_of_good_files_are_kept_as_they_are(index, good, networks, name: str) -> None:
    path = good.rename(good.with_name(name))
    assert ingest(index, [path], networks).done == [str(path)]
    (media,) = index.iter_media()
    assert media.paths == (str(path),)
    assert ingest(index, [path.parent], networks).skipped == [str(path)]


def test_a_name_that_is_no_text_is_refused_in_text(index, good, networks) -> None:
    raw = os.fsencode(good.parent) + b"/caf\xe9.png"
    good_bytes = good.read_bytes()
    with open(raw, "wb") as stream:  # noqa: PTH123  # Path takes no bytes
        stream.write(good_bytes)
    report = ingest(index, [good.parent], networks)
    (text,) = report.failed
    assert text == f"The name of {good.parent}/caf\\udce9.png is not valid UTF-8: rename it."
    assert report.done == [str(good)]


def test_of_a_truncated_jpeg_the_rows_that_are_there_are_used_with_a_warning(
    index, good, portraits, networks
) -> None:
    path = cut(photo(good.with_name("cut.jpg"), still(portraits, "eileen")), 0.9)
    report = ingest(index, [good.parent], networks)
    assert report.done == [str(path), str(good)]
    (text,) = report.warnings
    assert text.startswith(f"{path}: the photo is damaged or cut short")
    (media,) = (each for each in index.iter_media() if each.path == str(path))
    assert media.warnings == (text,)
    assert len(faces_of(index, media.id)) == 1


def test_of_a_truncated_video_the_frames_that_are_there_are_used_with_a_warning(
    index, good, portraits, networks
) -> None:
    fast = {"container_options": {"movflags": "faststart"}}
    path = clip(good.with_name("a.mp4"), shot(portraits, "grace", 8), noisy_shot(), **fast)
    cut(path, 0.6)
    report = ingest(index, [good.parent], networks)
    assert report.done == [str(path), str(good)]
    (text,) = report.warnings
    assert text.startswith(f"{path}: ")
    media_id = index.find_file(str(path)).media_id
    assert {face.appearance_start_s for face in faces_of(index, media_id)} == {0.0}


def test_a_strip_of_20_000_pixels_is_looked_at(index, good, portraits, networks) -> None:
    strip = np.full((20_000, 60, 3), GREEN, np.uint8)
    tall = photo(good.with_name("tall.png"), strip)
    wide = np.full((HEIGHT, 20_000, 3), BROWN, np.uint8)
    wide[:, -WIDTH:] = still(portraits, "grace")
    broad = photo(good.with_name("wide.png"), wide)
    report = ingest(index, [tall, broad], networks)
    assert report.done == [str(tall), str(broad)]
    (face,) = faces_of(index)
    assert (face.frame_width, face.frame_height) == (20_000, HEIGHT)
    assert face.box_xyxy[0] > 20_000 - WIDTH


def test_a_photo_of_few_pixels_has_no_face(index, good, networks) -> None:
    path = photo(good.with_name("dot.png"), np.zeros((1, 1, 3), np.uint8))
    assert ingest(index, [path], networks).done == [str(path)]
    assert index.count() == 0


def test_folders_and_files_out_of_reach_are_told(without_root, portraits, networks) -> None:
    folder = without_root / "media"
    locked, secret = folder / "locked", folder / "secret.png"
    photo(locked / "a.png", still(portraits, "eileen"))
    photo(secret, still(portraits, "eileen"))
    good = photo(folder / "zz good.png", still(portraits, "grace"))
    locked.chmod(0)
    secret.chmod(0)
    try:
        with open_index(without_root / "faces.sightings", create=True) as index:
            report = ingest(index, [folder], networks)
            assert report.failed == [
                f"{locked} cannot be read: Permission denied.",
                f"{secret} cannot be read: Permission denied.",
            ]
            assert report.done == [str(good)]
    finally:
        locked.chmod(0o700)


def test_loops_of_links_end(index, good, networks) -> None:
    (good.parent / "loop").symlink_to(good.parent)
    (good.parent / "self.png").symlink_to("self.png")
    report = ingest(index, [good.parent], networks)
    assert report.done == [str(good)]
    (text,) = report.failed
    assert text.startswith(f"{good.parent / 'self.png'} cannot be read: Too many levels")


def test_what_is_named_and_is_not_there_is_told(index, good, networks) -> None:
    absent = good.with_name("absent.png")
    report = ingest(index, [absent, good], networks)
    assert report.failed == [f"{absent} cannot be read: No such file or directory."]
    assert report.done == [str(good)]


@pytest.mark.parametrize("moment", ["before its turn", "when it is begun"])
def test_a_file_that_vanishes_during_the_run_is_told(
    index, good, portraits, networks, moment: str
) -> None:
    first = photo(good.with_name("a.png"), still(portraits, "eileen"))
    second = photo(good.with_name("b.png"), still(portraits, "eileen", shift=4))

    class Unlinking(Progress):
        def start_file(self, path: str, duration_s: float | None) -> None:  # noqa: ARG002
            if path == str(first if moment == "before its turn" else second):
                second.unlink()

    one_by_one = replace(networks.settings, compute=ComputeSettings(at_once=1))
    networks = replace(networks, settings=one_by_one)
    report = ingest(index, [good.parent], networks, progress=Unlinking())
    assert report.failed == [f"{second} cannot be read: No such file or directory."]
    assert report.done == [str(first), str(good)]
    assert [media.path for media in index.iter_media()] == [str(first), str(good)]


def test_a_locked_index_is_told_and_nothing_is_lost(tmp_path, index, good, networks) -> None:
    import sqlite3

    ingest(index, [good], networks)
    before = list(index.iter_media()), faces_of(index)
    location = tmp_path / "faces.sightings"
    other = sqlite3.connect(location, isolation_level=None)
    with open_embedded(str(location), busy_timeout_s=0.1) as impatient:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexLocked, match="Try again when it has finished, or stop it"):
            ingest(impatient, [good], networks, force=True)
        other.execute("ROLLBACK")
        other.close()
        assert (list(impatient.iter_media()), faces_of(impatient)) == before
        assert ingest(impatient, [good], networks, force=True).done == [str(good)]


def test_a_lock_in_the_middle_of_a_run_leaves_what_the_next_run_ends(
    tmp_path, index, good, networks
) -> None:
    import sqlite3

    location = tmp_path / "faces.sightings"
    other = sqlite3.connect(location, isolation_level=None, check_same_thread=False)

    class Locking(Progress):
        def reach(self, path: str, done_s: float) -> None:  # noqa: ARG002
            other.execute("BEGIN IMMEDIATE")

    with open_embedded(str(location), busy_timeout_s=0.1) as impatient:
        with pytest.raises(IndexLocked):
            ingest(impatient, [good], networks, progress=Locking())
        other.execute("ROLLBACK")
        other.close()
        (media,) = impatient.iter_media()
        assert (media.state, impatient.count()) == ("working", 0)
    # As the next run does once this process has ended.
    index.release_claims(index.claim_owners()[0])
    assert ingest(index, [good], networks).done == [str(good)]
