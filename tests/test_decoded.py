"""A decoder's picture becomes RGB when asked, and its points are that picture's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from indexer.differences import COARSE, DENSE
from indexer.display import displayed, undisplayed
from indexer.errors import MediaError
from indexer.frames import rgb_points
from indexer.planes import PlanePoints
from indexer.video import VideoReader
from tests.media_maker import make_video, numbered
from tests.test_decisions import STORED, drifting

if TYPE_CHECKING:
    from pathlib import Path


def as_ffmpeg_has_it(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("name", ["h264.mp4", "yuv420p10le.mkv", "nv12.mkv", "bt709.mkv"])
def test_frames_asked_late_and_in_any_order_are_those_asked_at_once(
    tmp_path: Path, name: str
) -> None:
    path = make_video(tmp_path / name, drifting(8), **STORED[name])
    expected = as_ffmpeg_has_it(path)
    with VideoReader(path) as reader:
        at_once = [frame.image_rgb for frame in reader.frames()]
        late = list(reader.frames())
    for frame in reversed(late):
        assert np.array_equal(frame.image_rgb, expected[frame.index])
        assert np.array_equal(at_once[frame.index], expected[frame.index])


def test_a_frame_is_converted_once(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(3))
    with VideoReader(path) as reader:
        frame = next(reader.frames())
        assert frame.image_rgb is frame.image_rgb
        assert frame.image_rgb.flags.c_contiguous


def smooth() -> np.ndarray:
    """A picture of slowly changing colours, in which neighbouring chroma is alike."""
    y, x = np.mgrid[0:256, 0:416]
    return np.stack([x * 0.5, y * 0.8, (x + y) * 0.3 + 20], axis=2).astype(np.uint8)


@pytest.mark.parametrize("name", STORED)
def test_points_from_planes_are_pixels_of_the_rgb_picture(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, [smooth()] * 2, **STORED[name])
    with VideoReader(path) as reader:
        frame = next(reader.frames())
        points = frame.points(COARSE).astype(int)
        cells = np.array([(0, 0), (8, 15), (3, 7)])
        some = frame.points(DENSE, cells).astype(int)
        assert frame.shape == frame.image_rgb.shape
        off = points - rgb_points(frame.image_rgb, COARSE)
        assert np.abs(off).max() <= 6
        assert np.abs(off).mean() <= 2.5
        assert np.abs(some - rgb_points(frame.image_rgb, DENSE, cells)).max() <= 6
        assert np.array_equal(frame.points(COARSE), rgb_points(frame.image_rgb, COARSE))


@pytest.mark.parametrize("colorspace", ["bt709", "fcc", "bt470bg", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("color_range", ["tv", "pc"])
def test_points_have_the_matrix_and_range_that_the_picture_states(
    tmp_path: Path, colorspace: str, color_range: str
) -> None:
    options: dict[str, Any] = {"colorspace": colorspace, "color_range": color_range}
    path = make_video(tmp_path / "a.mkv", [smooth()] * 2, codec="ffv1", codec_options=options)
    with VideoReader(path) as reader:
        frame = next(reader.frames())
        points = frame.points(COARSE).astype(int)
        assert np.abs(points - rgb_points(frame.image_rgb, COARSE)).max() <= 6


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("right", [1, -1])
@pytest.mark.parametrize("down", [1, -1])
def test_pixels_are_found_in_the_picture_that_is_turned_and_mirrored(
    right: int, down: int, turned: bool
) -> None:
    turn = np.array([[0, right], [down, 0]]) if turned else np.diag([right, down])
    assert_found(turn)


@pytest.mark.parametrize("turn", [[[0, 1], [0, 1]], [[0, 0], [0, 0]], [[1, 2], [1, 2]]])
def test_pixels_are_found_whatever_matrix_a_broken_file_states(turn: list[list[int]]) -> None:
    assert_found(np.array(turn))


def assert_found(turn: np.ndarray) -> None:
    picture = np.arange(5 * 7).reshape(5, 7, 1)
    points = np.random.default_rng(0).permutation(picture.size).reshape(7, 5)
    rows, columns = undisplayed(points, 7, 5, turn)
    shown = displayed(picture, turn)
    assert np.array_equal(picture[rows, columns, 0], shown.reshape(-1)[points])


def test_points_are_those_of_each_picture_where_formats_change() -> None:
    """As within a stream that is put together from others."""
    upright = np.eye(3)
    rng = np.random.default_rng(1)
    seen = PlanePoints(256, 416, COARSE, upright)
    for name in ("yuv420p", "nv12", "yuv444p10le", "gray", "yuv420p", "p010le", "yuv444p"):
        rgb = rng.integers(0, 256, (256, 416, 3), dtype=np.uint8)
        picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=name)
        alone = PlanePoints(256, 416, COARSE, upright).rgb(picture)
        points = seen.rgb(picture)
        if name == "gray":
            assert points is alone is None
        else:
            assert points is not None
            assert alone is not None
            assert np.array_equal(points, alone)


def test_a_picture_that_cannot_be_made_rgb_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    options = {"colorspace": "ycgco-re"}
    path = make_video(tmp_path / "a.mkv", [smooth()] * 2, codec="ffv1", codec_options=options)
    with VideoReader(path) as reader, pytest.raises(MediaError, match=r"a\.mkv cannot be read"):
        assert next(reader.frames()).image_rgb.size
