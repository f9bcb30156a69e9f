"""Ranges with gaps between, as each of several threads reads a video: exact, and read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest

from indexer.errors import MediaError
from indexer.video import VideoReader
from tests.media_maker import make_video, number_of, numbered
from tests.test_video import KINDS, numbers, one_pass, seen, wiped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OPEN_GOPS = {"bf": "3", "g": "12", "x264-params": "open-gop=1"}
REFRESHED = {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}
MORE_KINDS = {
    "open-gops.mp4": {"codec_options": OPEN_GOPS},
    "open-gops.flv": {"codec_options": OPEN_GOPS},
    "refreshed.mp4": {"codec_options": REFRESHED},
    "short-gops.mkv": {"codec_options": {"bf": "2", "g": "3"}},
    "two-gops.ts": {"codec": "mpeg2video", "codec_options": {"bf": "2", "g": "30"}},
}
ALL_KINDS = KINDS | MORE_KINDS
STILLS = {"codec": "mjpeg", "pixel_format": "yuvj420p"}
EVERY_FOURTH = [(start, start + 0.2) for start in (0.0, 0.8, 1.6)]
# Where no key frame lies between, or the container is not one that can be trusted to seek.
READ_ON = (
    "b-frames.avi mpeg4.avi stills.avi one-long-gop.mp4 open-gops.ts open-gops.flv two-gops.ts "
    "b-frames.mpg mpeg1.mpg bare.h264 bare.m4v"
)


def reordered(path: Path, order: Sequence[int]) -> Path:
    """Store a video's packets in another order, each with its own time."""
    copy = path.with_name(f"reordered-{path.name}")
    with av.open(str(path)) as source, av.open(str(copy), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        step, decoded_at = packets[1].dts - packets[0].dts, [packet.dts for packet in packets]
        late = max(place - number for place, number in enumerate(order))
        for place, number in enumerate(order):
            packets[number].dts = decoded_at[place] - late * step
            packets[number].stream = stream
            container.mux(packets[number])
    return copy


@pytest.mark.parametrize("name", ALL_KINDS)
def test_ranges_with_gaps_between_give_what_one_pass_gives_there(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, numbered(50), **ALL_KINDS[name])
    everything = one_pass(path)
    with VideoReader(path) as reader:
        for start_s, end_s in [*EVERY_FOURTH, (0.3, 0.5), (0.9, 1.1), (1.5, 1.9), (0.0, 0.2)]:
            expected = [frame for frame in everything if start_s <= frame[1] < end_s]
            assert seen(reader.frames(start_s, end_s)) == expected
        assert reader.warnings() == ()


@pytest.mark.parametrize("name", READ_ON.split())
def test_a_range_that_lies_ahead_is_read_on_to(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, numbered(50), **ALL_KINDS[name])
    with VideoReader(path) as reader:
        path.unlink()  # what is open stays readable, but cannot be opened again
        found = [numbers(reader.frames(*part)) for part in EVERY_FOURTH]
        assert found == [list(range(n, n + 5)) for n in (0, 20, 40)]
        with pytest.raises(MediaError, match="No such file"):
            list(reader.frames(0.0, 0.2))


def test_what_is_read_over_up_to_a_key_frame_is_not_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", numbered(50), **STILLS)
    wiped(path, [8, 9, 30])
    with VideoReader(path) as reader:
        path.unlink()
        for part in EVERY_FOURTH:
            assert len(list(reader.frames(*part))) == 5
        assert reader.decode_errors == 0


def test_key_frames_that_cannot_be_decoded_alone_are_tried_once(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", numbered(80), codec_options=REFRESHED)
    with VideoReader(path) as reader:
        assert numbers(reader.frames(0.8, 1.0)) == list(range(20, 25))
        path.unlink()
        assert numbers(reader.frames(1.6, 1.8)) == list(range(40, 45))
        assert numbers(reader.frames(2.4, 2.6)) == list(range(60, 65))


def test_after_a_consumer_that_stopped_early_a_range_ahead_is_read_on_to(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(50), codec_options={"g": "1000"})
    with VideoReader(path) as reader:
        path.unlink()
        assert number_of(next(reader.frames(0.2)).image_rgb) == 5
        assert numbers(reader.frames(0.8, 1.0)) == list(range(20, 25))


def test_a_range_without_frames_changes_nothing(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(50), codec_options={"g": "1000"})
    with VideoReader(path) as reader:
        path.unlink()
        for nowhere in [(5.0, 9.0), (-2.0, 0.0), (1.0, 1.0), (0.81, 0.82)]:
            assert list(reader.frames(*nowhere)) == []
        assert numbers(reader.frames(0.0, 0.2)) == list(range(5))


def test_ranges_that_meet_where_nothing_can_be_decoded_are_read_on(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(50), **STILLS)
    wiped(path, [9, 10, 11])
    ranges = [(0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8)]
    with VideoReader(path) as reader:
        path.unlink()
        found = [numbers(reader.frames(*part)) for part in ranges]
        assert found == [[*range(5)], [*range(5, 9)], [12, 13, 14], [*range(15, 20)]]
        assert [reader.damage(*part).undecodable for part in ranges] == [0, 1, 2, 0]


def test_pictures_before_a_key_frame_that_cannot_be_decoded_do_not_go_back(tmp_path: Path) -> None:
    """Stored like an open group of pictures: those shown before its key frame come after it."""
    path = make_video(tmp_path / "a.mp4", numbered(12), **STILLS)
    path = reordered(path, [0, 1, 2, 3, 6, 4, 5, 7, 8, 9, 10, 11])
    wiped(path, [4])
    with VideoReader(path) as reader:
        assert numbers(reader.frames(0.24, 0.5)) == [7, 8, 9, 10, 11]
        assert reader.warnings() == ("1 frame could not be decoded",)
        assert numbers(reader.frames(0.12, 0.24)) == [3, 4, 5]
        assert reader.damage(0.12, 0.24).left_out == 0
