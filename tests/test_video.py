from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from indexer.errors import MediaError
from indexer.video import VideoReader
from tests.media_maker import (
    corner_names,
    corners,
    make_audio,
    make_video,
    number_of,
    numbered,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from indexer.records import Frame

CLIPS = (
    "WDA_KatieHill_000.mp4 bbaf2n.mpg facenetpytorch_video.mp4 id2_vcd_swwp2s.mpg lbax4n.mpg "
    "lrwp9a.mpg obama.mp4 obama_b.mp4 obama_c.mp4 pwij3p.mpg sbia1a.mpg short_hamilton_clip.mp4 "
    "trump_b.mp4"
)
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
INDEX_FIRST = {"movflags": "faststart"}
REALTIME = {"deadline": "realtime", "cpu-used": "8"}

# What a file is made of, by name: formats that reorder frames, have no times, or no duration.
KINDS: dict[str, dict[str, Any]] = {
    "b-frames.mp4": {"codec_options": {"bf": "3", "g": "12"}},
    "one-long-gop.mp4": {"codec_options": {"g": "1000"}},
    "fragmented.mp4": {"codec_options": {"g": "10"}, "container_options": FRAGMENTED},
    "b-frames.mkv": {"codec_options": {"bf": "3", "g": "12"}},
    "open-gops.ts": {"codec_options": {"bf": "3", "g": "12", "x264-params": "open-gop=1"}},
    "no-key-frames.ts": {"codec_options": {"x264-params": "intra-refresh=1:keyint=20:bframes=0"}},
    "b-frames.mpg": {"codec": "mpeg2video", "codec_options": {"bf": "2", "g": "12"}},
    "mpeg1.mpg": {"codec": "mpeg1video"},
    "b-frames.avi": {"codec_options": {"bf": "2"}},
    "mpeg4-b-frames.avi": {"codec": "mpeg4", "codec_options": {"bf": "2"}},
    "mpeg4.avi": {"codec": "mpeg4"},
    "stills.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "bare.h264": {"container_format": "h264"},
    "bare.m4v": {"container_format": "m4v", "codec": "mpeg4"},
    "live.webm": {
        "codec": "libvpx-vp9",
        "codec_options": {**REALTIME, "g": "20"},
        "container_options": {"live": "1"},
    },
    "hevc.mp4": {"codec": "libx265", "codec_options": {"x265-params": "log-level=none:keyint=12"}},
}


def numbers(frames: Iterable[Frame]) -> list[int]:
    return [number_of(frame.image_rgb) for frame in frames]


def seen(frames: Iterable[Frame]) -> list[tuple[int, float, bytes]]:
    return [(frame.index, frame.timestamp_s, frame.image_rgb.tobytes()) for frame in frames]


def one_pass(path: Path) -> list[tuple[int, float, bytes]]:
    with VideoReader(path) as reader:
        return seen(reader.frames())


def damaged(path: Path, start: float, end: float) -> Path:
    """Overwrite a part of a file with noise."""
    data = bytearray(path.read_bytes())
    start_at, end_at = int(len(data) * start), int(len(data) * end)
    noise = np.random.default_rng(3).integers(0, 256, end_at - start_at, np.uint8)
    data[start_at:end_at] = noise.tobytes()
    path.write_bytes(bytes(data))
    return path


def wiped(path: Path, packets: Iterable[int]) -> None:
    """Overwrite packets of a file's first stream with zeros."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for place, size in (places[number] for number in packets):
        data[place : place + size] = bytes(size)
    path.write_bytes(bytes(data))


def cut(path: Path, part: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


# --- every frame, at its time -----------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_every_frame_comes_once_in_order_with_its_time(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, numbered(50), **KINDS[name])
    with VideoReader(path) as reader:
        frames = list(reader.frames())
        assert numbers(frames) == list(range(50))
        assert [frame.index for frame in frames] == list(range(50))
        assert [frame.timestamp_s for frame in frames] == pytest.approx(np.arange(50) / 25)
        assert reader.timestamps_s.tolist() == [frame.timestamp_s for frame in frames]
        assert reader.duration_s == pytest.approx(2.0)
        assert (reader.width, reader.height) == (160, 96)
        assert (reader.decode_errors, reader.warnings()) == (0, ())


@pytest.mark.parametrize("name", KINDS)
def test_ranges_one_after_the_other_give_what_one_pass_gives(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, numbered(50), **KINDS[name])
    with VideoReader(path) as reader:
        ranges = [reader.frames(start / 2, (start + 1) / 2) for start in range(5)]
        assert [frame for each in ranges for frame in seen(each)] == one_pass(path)


@pytest.mark.parametrize("name", KINDS)
def test_any_range_gives_what_one_pass_gives_there(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, numbered(50), **KINDS[name])
    everything = one_pass(path)
    ranges = [(1.3, 1.5), (0.1, 0.9), (1.9, 7.0), (0.48, 0.52), (0.0, 0.1), (3.0, 4.0), (0.5, 0.5)]
    with VideoReader(path) as reader:
        for start_s, end_s in ranges:
            expected = [frame for frame in everything if start_s <= frame[1] < end_s]
            assert seen(reader.frames(start_s, end_s)) == expected


def test_ranges_one_after_the_other_never_go_back_in_the_file(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(50), codec_options={"bf": "3"})
    with VideoReader(path) as reader:
        path.unlink()  # what is open stays readable, but cannot be opened again
        found = [
            n for start in range(4) for n in numbers(reader.frames(start / 2, start / 2 + 0.5))
        ]
        assert found == list(range(50))
        with pytest.raises(MediaError, match="No such file"):
            list(reader.frames(0.0, 0.5))


def test_a_consumer_that_stops_early_can_ask_again(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(20))
    with VideoReader(path) as reader:
        assert number_of(next(reader.frames()).image_rgb) == 0
        assert numbers(reader.frames()) == list(range(20))


def test_frames_of_a_variable_rate_clip_have_the_times_of_the_container(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.2, 1.7, 1.75, 4.0]
    path = make_video(tmp_path / "a.mp4", numbered(6), times_s=times_s)
    with VideoReader(path) as reader:
        assert [frame.timestamp_s for frame in reader.frames()] == pytest.approx(times_s)
        assert numbers(reader.frames(1.0, 2.0)) == [3, 4]


def test_times_count_from_the_start_that_a_player_shows(tmp_path: Path) -> None:
    ten_hours = (36_000 + n / 25 for n in range(10))
    path = make_video(tmp_path / "a.ts", numbered(10), times_s=ten_hours)
    with VideoReader(path) as reader:
        assert reader.timestamps_s.tolist() == pytest.approx(np.arange(10) / 25)
        assert reader.duration_s == pytest.approx(0.4)


def test_a_picture_that_begins_after_the_sound_has_a_later_time(tmp_path: Path) -> None:
    late = (0.8 + n / 25 for n in range(10))
    path = make_video(tmp_path / "a.mp4", numbered(10), times_s=late, audio_s=2.0)
    with VideoReader(path) as reader:
        assert next(reader.frames()).timestamp_s == pytest.approx(0.8, abs=0.001)


def test_reading_a_file_again_gives_the_same_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(30))
    assert one_pass(path) == one_pass(path)


# --- as displayed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rotation", "size", "upright"),
    [
        (0, (160, 96), "rgbw"),
        (90, (96, 160), "brwg"),
        (180, (160, 96), "wbgr"),
        (270, (96, 160), "gwrb"),
    ],
)
def test_a_rotated_clip_is_shown_upright(
    tmp_path: Path, rotation: int, size: tuple[int, int], upright: str
) -> None:
    path = make_video(tmp_path / "a.mp4", [corners()] * 3, rotation=rotation)
    with VideoReader(path) as reader:
        image = next(reader.frames()).image_rgb
        assert (reader.width, reader.height) == size
        assert (image.shape, corner_names(image)) == ((size[1], size[0], 3), upright)
        assert image.flags.c_contiguous


def test_a_clip_with_oblong_pixels_is_widened(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [corners()] * 3, pixel_aspect=Fraction(46, 45))
    with VideoReader(path) as reader:
        assert (reader.width, reader.height) == (164, 96)
        assert next(reader.frames()).image_rgb.shape == (96, 164, 3)


def test_a_rotated_clip_with_oblong_pixels_is_widened_before_it_is_turned(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [corners()] * 3, pixel_aspect=Fraction(2), rotation=90)
    with VideoReader(path) as reader:
        assert (reader.width, reader.height) == (96, 320)
        assert corner_names(next(reader.frames()).image_rgb) == "brwg"


@pytest.mark.parametrize(
    ("pixel_format", "names"),
    [("yuv420p10le", "rgbw"), ("bgra", "rgbw"), ("gray", "rwrw"), ("gbrp16le", "rgbw")],
)
def test_deep_grey_and_transparent_pictures_become_rgb(
    tmp_path: Path, pixel_format: str, names: str
) -> None:
    path = make_video(tmp_path / "a.mkv", [corners()] * 3, codec="ffv1", pixel_format=pixel_format)
    with VideoReader(path) as reader:
        image = next(reader.frames()).image_rgb
        assert (image.shape, image.dtype) == ((96, 160, 3), np.uint8)
        assert corner_names(image) == names


def test_odd_sizes_are_kept(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mkv", [corners(161, 97)] * 3, codec="ffv1", pixel_format="yuv444p"
    )
    with VideoReader(path) as reader:
        assert next(reader.frames()).image_rgb.shape == (97, 161, 3)


def test_white_is_white_and_colours_keep_their_values(tmp_path: Path) -> None:
    for value in [(255, 255, 255), (0, 0, 0), (200, 30, 90)]:
        path = make_video(tmp_path / "a.mp4", plain(3, value), codec_options={"crf": "1"})
        with VideoReader(path) as reader:
            image = next(reader.frames()).image_rgb
        assert np.abs(image.astype(int) - value).max() <= 3


def test_a_change_of_size_in_mid_stream_keeps_the_displayed_size(tmp_path: Path) -> None:
    small = make_video(tmp_path / "a.ts", [corners(160, 96)] * 10)
    large = make_video(
        tmp_path / "b.ts", [corners(320, 192)] * 10, times_s=(1 + n / 25 for n in range(10))
    )
    small.write_bytes(small.read_bytes() + large.read_bytes())
    with VideoReader(small) as reader:
        frames = list(reader.frames())
        assert len(frames) >= 19
        assert {frame.image_rgb.shape for frame in frames} == {(96, 160, 3)}
        assert corner_names(frames[-1].image_rgb) == "rgbw"


# --- which stream -----------------------------------------------------------------------------


def test_of_several_video_streams_the_largest_is_read(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", plain(20, (0, 0, 0), 64, 48), more_streams=[numbered(20)])
    with VideoReader(path) as reader:
        assert numbers(reader.frames()) == list(range(20))


def test_a_file_with_sound_only_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a\.mp4 has no video stream"):
        VideoReader(make_audio(tmp_path / "a.mp4", cover=corners()))


def test_a_file_that_is_no_film_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(MediaError, match=r"a\.mp4 cannot be read as a video"):
        VideoReader(tmp_path / "a.mp4")


# --- damaged files ----------------------------------------------------------------------------


def test_of_an_mp4_cut_in_half_the_frames_that_are_there_are_read(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4",
        numbered(250),
        container_options=INDEX_FIRST,
        codec_options={"bf": "0"},
    )
    with VideoReader(cut(path, 0.5)) as reader:
        found = numbers(reader.frames())[:-1]  # the last one is cut as well
        assert 60 < len(found) < 190
        assert found == list(range(len(found)))
        ends_early = (
            f"the file ends early: {len(reader.timestamps_s) / 25:.1f} s of 10.0 s are there"
        )
        assert reader.warnings()[0] == ends_early
        assert reader.duration_s < 8.0


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.mpg", "a.avi"])
def test_of_a_recording_that_breaks_off_the_frames_that_are_there_are_read(
    tmp_path: Path, name: str
) -> None:
    codec = {"a.mpg": "mpeg2video", "a.avi": "mpeg4"}.get(name, "libx264")
    path = make_video(
        tmp_path / name,
        numbered(150),
        codec=codec,
        codec_options={"g": "25", "bf": "0"},
        container_options=FRAGMENTED if name == "a.mp4" else {},
    )
    with VideoReader(cut(path, 0.6)) as reader:
        found = numbers(reader.frames())[:-1]  # the last one is cut as well
        assert 40 < len(found) < 140
        assert found == list(range(len(found)))


def test_an_mp4_without_its_index_is_an_error(tmp_path: Path) -> None:
    path = cut(make_video(tmp_path / "a.mp4", numbered(50)), 0.5)
    with pytest.raises(MediaError, match=r"a\.mp4 cannot be read as a video"):
        VideoReader(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.mpg", "a.avi", "a.flv"])
def test_noise_in_the_middle_costs_only_the_frames_around_it(tmp_path: Path, name: str) -> None:
    codec = {"a.mpg": "mpeg2video", "a.avi": "mpeg4"}.get(name, "libx264")
    path = make_video(
        tmp_path / name, numbered(250), codec=codec, codec_options={"g": "12", "bf": "0"}
    )
    with VideoReader(damaged(path, 0.5, 0.55)) as reader:
        frames = list(reader.frames())
        found = numbers(frames)
        assert found[:100] == list(range(100))
        assert found[-80:] == list(range(170, 250))
        assert len(frames) == len(reader.timestamps_s) - reader.decode_errors


def test_what_could_not_be_decoded_is_counted_once_and_reported(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(100), codec="mjpeg", pixel_format="yuvj420p")
    wiped(path, [10, 11, 40])
    with VideoReader(path) as reader:
        for start_s, end_s in [(0.0, 2.0), (2.0, 4.0), (0.0, 4.0)]:
            list(reader.frames(start_s, end_s))
        assert reader.decode_errors == 3
        assert reader.warnings() == ("3 frames could not be decoded",)
        kept = [n for n in range(100) if n not in (10, 11, 40)]
        frames = list(reader.frames())
        assert numbers(frames) == kept
        assert [frame.index for frame in frames] == kept


def test_a_film_of_which_nothing_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered(20), codec="mjpeg", pixel_format="yuvj420p")
    wiped(path, range(20))
    with pytest.raises(MediaError, match="no frame that can be decoded"):
        VideoReader(path)


def test_frames_whose_times_go_back_are_left_out_and_counted(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", numbered(30), codec_options={"bf": "0"})
    again = make_video(tmp_path / "b.ts", numbered(20, first=500), codec_options={"bf": "0"})
    path.write_bytes(path.read_bytes() + again.read_bytes())
    with VideoReader(path) as reader:
        frames = list(reader.frames())
        times_s = [frame.timestamp_s for frame in frames]
        assert times_s == sorted(set(times_s))
        assert numbers(frames)[:30] == list(range(30))
        assert seen(reader.frames(0.5, 0.9)) == [f for f in seen(frames) if 0.5 <= f[1] < 0.9]
        assert "with timestamps that go back were left out" in reader.warnings()[-1]


# --- real clips -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLIPS.split())
def test_real_clips_give_the_same_frames_in_one_second_ranges(shared_data: Path, name: str) -> None:
    path = shared_data / "data" / "videos" / name
    with VideoReader(path) as reader:
        whole = [(f.index, f.timestamp_s, hash(f.image_rgb.tobytes())) for f in reader.frames()]
        assert [index for index, _, _ in whole] == list(range(len(reader.timestamps_s)))
        parts = [
            (f.index, f.timestamp_s, hash(f.image_rgb.tobytes()))
            for start_s in range(int(reader.duration_s) + 1)
            for f in reader.frames(start_s, start_s + 1)
        ]
        assert parts == whole
        assert reader.warnings() == ()
        assert reader.timestamps_s[-1] < reader.duration_s


def test_real_clips_have_the_sizes_and_times_that_players_show(shared_data: Path) -> None:
    with VideoReader(shared_data / "data" / "videos" / "trump_b.mp4") as reader:
        assert (reader.width, reader.height) == (654, 368)
        assert reader.duration_s == pytest.approx(17.083, abs=0.001)
    with VideoReader(shared_data / "data" / "videos" / "short_hamilton_clip.mp4") as reader:
        assert reader.timestamps_s[0] == pytest.approx(0.844, abs=0.001)
        assert len(reader.timestamps_s) == 275


def test_a_title_that_is_no_unicode_does_not_matter(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a.mkv", plain(5, (9, 9, 9)), metadata={"title": "Gruesse"})
    clip.write_bytes(clip.read_bytes().replace(b"Gruesse", b"Gr\xfc\xdfe  "))
    with VideoReader(clip) as reader:
        assert len(list(reader.frames())) == 5


def test_the_limit_of_pixels_counts_the_picture_as_displayed(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", plain(5, (9, 9, 9)), pixel_aspect=Fraction(10))
    with pytest.raises(MediaError, match="1600 x 96 pixels"):
        VideoReader(clip, max_pixels=160 * 96 * 2)
