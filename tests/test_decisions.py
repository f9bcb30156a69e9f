"""Key frames told by points are those that all pixels of all frames tell."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer.colour import full_difference
from indexer.decisions import Checks
from indexer.keyframes import key_frames
from indexer.settings import KeyframeSettings
from indexer.video import VideoReader
from tests.media_maker import make_video
from tests.pictures import frames, plain
from tests.test_video import CLIPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from indexer.frames import Frame

SETTINGS = KeyframeSettings(max_gap_s=100.0)

PIXEL_FORMATS = "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p10le yuv420p12le gray bgra"
LOSSLESS = {"codec": "ffv1"}
# How a clip is stored: pixel format, matrix, range, shape of its pixels, turning.
STORED: dict[str, dict[str, Any]] = {
    **{
        f"{pixel_format}.mkv": {**LOSSLESS, "pixel_format": pixel_format}
        for pixel_format in PIXEL_FORMATS.split()
    },
    "nv12.mkv": {"codec": "rawvideo", "pixel_format": "nv12"},
    "full-range.mkv": {**LOSSLESS, "codec_options": {"color_range": "pc"}},
    "bt709.mkv": {**LOSSLESS, "codec_options": {"colorspace": "bt709", "color_range": "tv"}},
    "bt709-full-10.mkv": {
        **LOSSLESS,
        "pixel_format": "yuv420p10le",
        "codec_options": {"colorspace": "bt709", "color_range": "pc"},
    },
    "bt2020.mkv": {
        **LOSSLESS,
        "pixel_format": "yuv420p10le",
        "codec_options": {"colorspace": "bt2020nc", "color_range": "tv"},
    },
    "jpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "h264.mp4": {},
    "rotated.mp4": {"rotation": 90},
    "upside-down.mp4": {"rotation": 180},
    "oblong.mp4": {"pixel_aspect": Fraction(46, 45)},
    "rotated-oblong.mp4": {"pixel_aspect": Fraction(4, 3), "rotation": 270},
    "interlaced.mp4": {"codec_options": {"x264-params": "tff=1"}},
}


def drifting(count: int = 24, width: int = 416, height: int = 256) -> Iterator[np.ndarray]:
    """A grainy scene that slowly brightens while a patch comes and goes: much near thresholds."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(30, 200, (height // 16, width // 16, 3)).astype(float)
    scene = coarse.repeat(16, axis=0).repeat(16, axis=1)
    for i in range(count):
        picture = scene + rng.normal(0, 5, scene.shape) + i * 1.8
        picture[60:100, 100:150] += 60 * np.sin(i / 3)
        picture[:, 300:302] = 255 * (i % 2)
        yield np.clip(picture, 0, 255).astype(np.uint8)


def told_by_all_pixels(clip: Iterable[Frame], settings: KeyframeSettings) -> dict[int, float]:
    """Return the numbers of the frames kept, and their mean differences."""
    kept: dict[int, float] = {}
    reference, mean, kept_s = None, np.inf, 0.0
    for frame in clip:
        if reference is not None:
            mean, cells = full_difference(reference, frame.image_rgb)
            if (
                mean < settings.min_delta_e
                and cells.max() < settings.min_cell_delta_e
                and frame.timestamp_s - kept_s < settings.max_gap_s - 1e-6
            ):
                continue
        kept[frame.index] = mean
        reference, kept_s = frame.image_rgb, frame.timestamp_s
    return kept


def assert_told_alike(path: Path, settings: KeyframeSettings) -> Checks:
    checks = Checks()
    with VideoReader(path) as reader:
        expected = told_by_all_pixels(reader.frames(), settings)
        found = {
            key.frame.index: key.delta_e
            for key in key_frames(reader.frames(), settings, checks=checks)
        }
    assert list(found) == list(expected)
    assert list(found.values()) == pytest.approx(list(expected.values()), rel=0.02, abs=0.01)
    return checks


@pytest.mark.parametrize("name", STORED)
def test_decisions_and_differences_are_those_of_all_pixels(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, drifting(), **STORED[name])
    checks = assert_told_alike(path, SETTINGS)
    assert checks.frames == 23
    assert checks.rechecked < 23


@pytest.mark.parametrize("thresholds", [(2.0, 8.0), (5.0, 1000.0), (1000.0, 15.0), (12.0, 24.0)])
def test_they_are_with_other_thresholds(tmp_path: Path, thresholds: tuple[float, float]) -> None:
    path = make_video(tmp_path / "a.mp4", drifting())
    mean, cell = thresholds
    assert_told_alike(path, replace(SETTINGS, min_delta_e=mean, min_cell_delta_e=cell))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "yuv444p"])
def test_they_are_for_a_flat_picture_that_fades(tmp_path: Path, pixel_format: str) -> None:
    """One colour's rounding is then that of the whole picture."""
    fade = [plain((40 + i, 150 - i, 20 + i // 2), 416, 256) for i in range(100)]
    path = make_video(tmp_path / "a.mkv", fade, codec="ffv1", pixel_format=pixel_format)
    checks = assert_told_alike(path, SETTINGS)
    assert checks.rechecked > 0


@pytest.mark.parametrize("period", [2, 6, 15, 16])
def test_they_are_for_stripes_that_a_grid_of_points_would_fall_into_step_with(
    tmp_path: Path, period: int
) -> None:
    x = np.arange(416)
    stripes = [
        np.broadcast_to((100 + (x % period < period / 2) * i)[None, :, None], (256, 416, 3))
        for i in range(60)
    ]
    path = make_video(tmp_path / "a.mkv", [s.astype(np.uint8) for s in stripes], codec="ffv1")
    assert_told_alike(path, SETTINGS)


def test_a_still_scene_needs_no_picture_as_rgb(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    scene = next(drifting())
    noisy = [np.clip(scene + rng.normal(0, 2, scene.shape), 0, 255) for _ in range(20)]
    path = make_video(tmp_path / "a.mp4", [picture.astype(np.uint8) for picture in noisy])
    with VideoReader(path) as reader:
        checks = Checks()
        assert len(list(key_frames(reader.frames(), SETTINGS, checks=checks))) == 1
    assert checks == Checks(frames=19)


def test_arrays_and_decoded_pictures_are_told_alike(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", drifting())
    with VideoReader(path) as reader:
        lazy = [key.frame.index for key in key_frames(reader.frames(), SETTINGS)]
        arrays = frames(frame.image_rgb for frame in reader.frames())
    assert [key.frame.index for key in key_frames(arrays, SETTINGS)] == lazy


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS.split())
def test_decisions_on_real_clips_are_those_of_all_pixels(shared_data: Path, name: str) -> None:
    settings = KeyframeSettings()
    with VideoReader(shared_data / "data" / "videos" / name) as reader:
        expected = told_by_all_pixels(islice(reader.frames(), 120), settings)
        found = key_frames(islice(reader.frames(), 120), settings)
        assert [key.frame.index for key in found] == list(expected)
