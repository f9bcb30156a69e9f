"""What a video is called says nothing: it is read by what it holds."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from indexer.errors import MediaError
from indexer.media import probe
from indexer.settings import MediaSettings
from indexer.video import VideoReader
from tests.media_maker import make_video, number_of, numbered

if TYPE_CHECKING:
    from pathlib import Path

MADE: dict[str, dict[str, Any]] = {
    "a.mp4": {"codec_options": {"bf": "3", "g": "12"}},
    "a.mkv": {"codec_options": {"bf": "3", "g": "12"}},
    "a.mpg": {"codec": "mpeg2video", "codec_options": {"bf": "2", "g": "12"}},
    "a.ts": {"codec_options": {"bf": "3", "g": "12"}},
    "a.avi": {"codec": "mpeg4"},
    "a.h264": {"container_format": "h264"},
}
NAMES = ("b.jpg", "b.png", "b%03d.jpg", "b*.tif", "b.m3u8", "b.mp3", "b", "b:c?d#e.jpeg")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A film of fifty frames in each container."""
    folder = tmp_path_factory.mktemp("made")
    return [make_video(folder / name, numbered(50), **MADE[name]) for name in MADE]


def read(path: Path) -> tuple[Any, ...]:
    """Return all that a reader tells of a video: in one pass, and of a range in its middle."""
    with VideoReader(path) as reader:
        whole = [(f.index, f.timestamp_s, number_of(f.image_rgb)) for f in reader.frames()]
        part = [(f.index, f.timestamp_s, number_of(f.image_rgb)) for f in reader.frames(1.1, 1.5)]
        return whole, part, reader.duration_s, reader.warnings(), reader.timestamps_s.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_video_under_any_name_is_the_same_video(
    made: list[Path], tmp_path: Path, name: str
) -> None:
    for path in made:
        expected = read(path)
        assert [number for _, _, number in expected[0]] == list(range(50))
        renamed = tmp_path / name
        shutil.copy(path, renamed)
        assert read(renamed) == expected
        media = probe(renamed, "id", MediaSettings())
        assert (media.kind, media.duration_s) == ("video", expected[2])


def test_of_a_damaged_video_under_a_photos_name_the_same_is_told(
    made: list[Path], tmp_path: Path
) -> None:
    mp4, mkv = made[0].read_bytes(), made[1].read_bytes()
    middle = len(mp4) // 2
    damaged = tmp_path / "damaged.mp4", tmp_path / "cut.mkv"
    damaged[0].write_bytes(mp4[:middle] + bytes(middle // 4) + mp4[middle + middle // 4 :])
    damaged[1].write_bytes(mkv[: middle // 2])
    for path in damaged:
        expected = read(path)
        assert expected[3], "there is something to tell"
        assert read(path.rename(tmp_path / "b.jpg")) == expected


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.mp4"])
def test_a_list_of_files_under_any_name_is_no_video(
    made: list[Path], tmp_path: Path, name: str
) -> None:
    shutil.copy(made[0], tmp_path / "b.mp4")
    (tmp_path / name).write_text("ffconcat version 1.0\nfile 'b.mp4'\n")
    with pytest.raises(MediaError):
        VideoReader(tmp_path / name)
