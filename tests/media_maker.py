"""Renders the photos and clips that tests look at."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

# MPEG-TS's own, and fine enough for any frame rate.
_TIME_BASE = Fraction(1, 90_000)
_FIXED_RATE_CODECS = ("mpeg1video", "mpeg2video", "mpeg4", "mjpeg")
_BITS = 10


def make_video(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    fps: float = 25,
    times_s: Iterable[float] | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    pixel_aspect: Fraction | None = None,
    rotation: int = 0,
    container_format: str | None = None,
    codec_options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    more_streams: Sequence[Iterable[np.ndarray]] = (),
    audio_s: float = 0.0,
) -> Path:
    """Write frames, (h, w, 3) uint8 RGB, as a video file and return its path.

    times_s: when each frame is shown; otherwise they follow at `fps`. rotation: degrees clockwise
    by which a player turns the picture (mp4 and mov only). more_streams: frames of further video
    streams. audio_s: seconds of silence in a stream of its own.
    """
    with av.open(
        str(path), "w", format=container_format, options=dict(container_options or {})
    ) as container:
        container.metadata.update(metadata or {})
        tracks = []
        for track in (frames, *more_streams):
            pictures = iter(track)
            first = next(pictures)
            stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
            stream.height, stream.width = first.shape[:2]
            stream.pix_fmt = pixel_format
            stream.options = dict(codec_options or {})
            fixed_rate = codec in _FIXED_RATE_CODECS
            stream.codec_context.time_base = 1 / stream.average_rate if fixed_rate else _TIME_BASE
            if pixel_aspect:
                stream.codec_context.sample_aspect_ratio = pixel_aspect
            tracks.append((stream, first, pictures))
        silence = container.add_stream("aac", rate=44_100) if audio_s else None
        for stream, first, pictures in tracks:
            starts_s = iter(times_s) if times_s is not None else (n / fps for n in count())
            _encode_pictures(container, stream, _chained(first, pictures), starts_s)
        if silence:
            _encode_silence(container, silence, audio_s)
    if rotation:
        _rotate(path, rotation)
    return path


def make_audio(path: Path, seconds: float = 1.0, *, cover: np.ndarray | None = None) -> Path:
    """Write silence as an mp3 or mp4 file, with a cover (h, w, 3) uint8 RGB if one is given."""
    with av.open(str(path), "w") as container:
        codec = "libmp3lame" if path.suffix == ".mp3" else "aac"
        sound = container.add_stream(codec, rate=44_100, layout="mono")
        if cover is not None:
            art = container.add_stream("mjpeg", rate=1)
            art.height, art.width = cover.shape[:2]
            art.pix_fmt, art.codec_context.time_base = "yuvj420p", Fraction(1)
            art.disposition = av.stream.Disposition.attached_pic.value
            _encode_pictures(container, art, [cover], [0.0])
        _encode_silence(container, sound, seconds)
    return path


def numbered(total: int, width: int = 160, height: int = 96, *, first: int = 0) -> list[np.ndarray]:
    """Return grey pictures that carry their number as ten bars, which `number_of` reads back.

    Their upper half holds the bars, their lower half something that moves.
    """
    pictures = []
    columns = np.arange(width) * _BITS // width
    for number in range(first, first + total):
        bits = (number >> columns) & 1
        picture = np.empty((height, width, 3), np.uint8)
        picture[: height // 2] = (32 + 192 * bits)[:, None]
        ramp = (np.arange(width) * 5 + np.arange(height // 2)[:, None] * 3 + number * 7) % 256
        picture[height // 2 :] = ramp[..., None]
        pictures.append(picture)
    return pictures


def number_of(picture: np.ndarray) -> int:
    """Return the number that a picture of `numbered` carries."""
    height, width = picture.shape[:2]
    strip = picture[height // 8 : height * 3 // 8].astype(float).mean(axis=(0, 2))
    centres = (np.arange(_BITS) * 2 + 1) * width // (2 * _BITS)
    return int(sum(1 << bit for bit, x in enumerate(centres) if strip[x] > 128))


def plain(
    total: int, colour: tuple[int, int, int], width: int = 160, height: int = 96
) -> list[np.ndarray]:
    """Return pictures of one colour."""
    return [np.full((height, width, 3), colour, np.uint8) for _ in range(total)]


def corners(width: int = 160, height: int = 96) -> np.ndarray:
    """Return a grey picture with corners red, green, blue and white: as one reads, row by row."""
    picture = np.full((height, width, 3), 128, np.uint8)
    h, w = height // 4, width // 4
    picture[:h, :w] = (255, 0, 0)
    picture[:h, -w:] = (0, 255, 0)
    picture[-h:, :w] = (0, 0, 255)
    picture[-h:, -w:] = (255, 255, 255)
    return picture


def corner_names(picture: np.ndarray) -> str:
    """Return the first letters of the colours in a picture's corners, as one reads: "rgbw"."""
    names = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), "w": (255, 255, 255)}
    height, width = picture.shape[:2]
    found = ""
    for y in (height // 16, height - 1 - height // 16):
        for x in (width // 16, width - 1 - width // 16):
            apart = {
                name: np.abs(picture[y, x].astype(int) - colour).sum()
                for name, colour in names.items()
            }
            found += min(apart, key=apart.__getitem__)
    return found


def _chained(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest


def _encode_pictures(
    container: Any, stream: Any, pictures: Iterable[np.ndarray], starts_s: Iterable[float]
) -> None:
    for picture, start_s in zip(pictures, starts_s, strict=False):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.time_base = stream.codec_context.time_base
        frame.pts = round(start_s / frame.time_base)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _encode_silence(container: Any, stream: Any, seconds: float) -> None:
    for start in range(0, round(seconds * 44_100), 1024):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = 44_100, start, Fraction(1, 44_100)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _rotate(path: Path, degrees: int) -> None:
    """Write a quarter turn into the display matrix of an mp4's first track header."""
    quarter = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    a, b, c, d = (value << 16 for value in quarter)
    data = bytearray(path.read_bytes())
    # Type, then 40 bytes of a version 0 header before the matrix.
    place = data.index(b"tkhd") + 44
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
