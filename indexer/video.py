"""Videos: frames at the times at which a player shows them, the same however they are asked for."""

from __future__ import annotations

import math
from contextlib import contextmanager
from datetime import datetime, timezone
from fractions import Fraction
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.damage import Damage, in_words
from indexer.decoded import Conversion, DecodedPicture
from indexer.display import display_matrix
from indexer.errors import MediaError
from indexer.ffmpeg import translated_errors
from indexer.files import opened
from indexer.frames import Frame
from indexer.settings import MediaSettings
from indexer.text import shown
from indexer.timeline import read_timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Text that FFmpeg would play as pictures, lists that name other files or addresses, and stills.
_NO_VIDEOS = frozenset({"concat", "dash", "hls", "image2", "imf", "rtsp", "sdp", "tty"})
# Containers that store each packet's time, so that it is the same however one gets there.
_EXACT_SEEKING = frozenset({"matroska", "mov"})


class VideoReader:
    """A video's frames, decoded as they are asked for; use it as a context manager.

    Opening reads the file once without decoding, which gives the times of all frames.

    width, height: pixels as displayed: turned upright, with square pixels.
    duration_s: from the container's start to the end of the last frame.
    timestamps_s: (frames,) float64, ascending; seconds from the container's start.
    created_at: the date that the container states, in UTC, if it does.
    Raises MediaError when the file holds no video, or none that can be decoded.
    """

    def __init__(self, path: Path, max_pixels: int = MediaSettings.max_pixels) -> None:
        self._path = path
        self._max_pixels = max_pixels
        self._reading, self._closed = Lock(), False
        self._held: tuple[int, Any] | None = None
        self._pictures: Iterator[tuple[int, Any]] = iter(())
        self._reached_s = 0.0
        self._undecodable: set[int] = set()
        self._left_out: dict[int, int] = {}
        with translated_errors(path):
            self._container, self._stream = self._open()
            try:
                self._start()
            except BaseException:
                self.close()
                raise

    def _start(self) -> None:
        self.created_at = _created_at(self._container.metadata)
        self._timeline = read_timeline(self._container, self._stream)
        self._early_end = self._timeline.early_end
        self.timestamps_s = self._timeline.times_s
        self.duration_s = self._timeline.end_s
        self._rewind()
        self._held = next(self._pictures, None)
        if self._held is None:
            raise MediaError(
                f"{shown(self._path)} has no frame that can be decoded "
                f"({len(self.timestamps_s)} are in the file)."
            )
        picture = self._held[1]
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        square_size = (max(1, round(picture.width * aspect)), picture.height)
        self._require_size(*square_size)
        self._conversion = Conversion(self._path, square_size, display_matrix(picture))
        self.height, self.width, _ = self._conversion.shape

    @property
    def decode_errors(self) -> int:
        """Number of frames met so far that could not be decoded."""
        return len(self._undecodable)

    def warnings(self) -> tuple[str, ...]:
        """Return what was wrong with the file, as far as it has been read."""
        return in_words(Damage(len(self._undecodable), len(self._left_out), self._of_file()))

    def damage(self, start_s: float, end_s: float) -> Damage:
        """Return what was wrong with the frames of a range that was read, in whatever order."""
        first, end = np.searchsorted(self.timestamps_s, (start_s, end_s))
        last = len(self.timestamps_s) - 1

        def within(numbers: Iterable[int]) -> int:
            return sum(bool(first <= min(max(number, 0), last) < end) for number in numbers)

        return Damage(within(self._undecodable), within(self._left_out.values()), self._of_file())

    def _of_file(self) -> tuple[str, ...]:
        return (f"the file ends early: {self._early_end}",) if self._early_end else ()

    def frames(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Frame]:
        """Yield the frames with start_s <= timestamp_s < end_s in order.

        A range that begins where the last one ended goes on decoding, so that no frame is decoded
        twice; any other begins at a key frame and gives the same frames as one pass (damaged ones
        may be patched up otherwise). Only one range can be read at a time. Raises MediaError when
        the file can no longer be read, and when the reader is closed.
        """
        with translated_errors(self._path):
            if start_s != self._reached_s:
                with self._open_while_read():
                    self._go_to(start_s)
            self._reached_s = math.nan
            while (found := self._next()) is not None:
                index, picture = found
                if self.timestamps_s[index] >= end_s:
                    self._held = found
                    break
                if self.timestamps_s[index] >= start_s:
                    decoded = DecodedPicture(picture, self._conversion)
                    yield Frame(index, float(self.timestamps_s[index]), decoded)
            self._reached_s = end_s

    def close(self) -> None:
        """Release the file, after the frame that a thread may be reading; twice does no harm."""
        with self._reading:
            self._closed = True
            self._held = None
            self._container.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> tuple[Any, Any]:
        import av

        with opened(self._path) as file:
            # By number, of which FFmpeg keeps a copy: a name would choose the demuxer, and one
            # that ends as a photo's does would make the file a picture.
            container = av.open(
                "fd:",
                container_options={"protocol_whitelist": "fd", "fd": str(file.fileno())},
                metadata_errors="replace",
            )
        try:
            return container, self._choose_stream(container)
        except BaseException:
            container.close()
            raise

    def _require_size(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            raise MediaError(
                f"{shown(self._path)} has {width} x {height} pixels, more than the "
                f"{self._max_pixels:,} that the setting media.max_pixels allows."
            )

    def _choose_stream(self, container: Any) -> Any:
        from av.stream import Disposition

        names = set(container.format.name.split(","))
        streams = [
            s for s in container.streams.video if not s.disposition & Disposition.attached_pic
        ]
        if names & _NO_VIDEOS or any(name.endswith("_pipe") for name in names):
            raise MediaError(f"{shown(self._path)} is neither a photo nor a video.")
        if not streams:
            raise MediaError(f"{shown(self._path)} has no video stream.")
        known = [s for s in streams if s.codec_context is not None]
        if not known:
            raise MediaError(f"FFmpeg cannot decode the video stream of {shown(self._path)}.")
        stream = max(
            known, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height)
        )
        self._require_size(stream.width, stream.height)
        # Frame threads lose good frames near bad ones, and hide which ones are bad.
        stream.thread_type = "SLICE"
        return stream

    @contextmanager
    def _open_while_read(self) -> Iterator[None]:
        """Keep the file open meanwhile: FFmpeg crashes when it is closed under it.

        Raises MediaError if it is closed.
        """
        with self._reading:
            if self._closed:
                raise MediaError(f"{shown(self._path)} was closed before it was read to its end.")
            yield

    def _next(self) -> tuple[int, Any] | None:
        with self._open_while_read():
            held, self._held = self._held, None
            return held if held is not None else next(self._pictures, None)

    def _go_to(self, start_s: float) -> None:
        """Make the next picture one at or before the first that is shown from start_s on."""
        self._held, self._pictures = None, iter(())
        first = int(np.searchsorted(self.timestamps_s, start_s))
        if first == len(self.timestamps_s):
            return
        key = self._timeline.key_before(first)
        known_errors = set(self._undecodable)
        if key is not None:
            self._pictures = self._decode(self._packets_from(int(self._timeline.pts[key])), key)
            self._held = next(self._pictures, None)
        # From a key frame that cannot be decoded by itself, pictures would differ from one pass.
        if self._held is None or self._held[0] != key:
            self._undecodable = known_errors
            self._rewind()

    def _rewind(self) -> None:
        self._reopen()
        self._held, self._pictures = None, self._decode(self._packets(), 0)

    def _reopen(self) -> None:
        self._container.close()
        self._container, self._stream = self._open()

    def _packets(self) -> Iterator[Any]:
        import av

        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError as error:
            self._early_end = self._early_end or error.strerror or str(error)

    def _packets_from(self, key_pts: int) -> Iterator[Any]:
        """Yield packets from a key frame on, reading up to it where seeking cannot find it."""
        import av

        for seeking in (True, False):
            self._reopen()
            if seeking:
                if not _EXACT_SEEKING & set(self._container.format.name.split(",")):
                    continue
                try:
                    self._container.seek(key_pts, stream=self._stream)
                except av.FFmpegError:
                    continue
            packets = self._packets()
            for packet in packets:
                if packet.pts == key_pts:
                    yield packet
                    yield from packets
                    return
                if packet.dts is not None and packet.dts > key_pts:
                    break

    def _decode(self, packets: Iterator[Any], first: int) -> Iterator[tuple[int, Any]]:
        """Yield each picture with its number in the timeline, ascending, `first` the lowest."""
        import av

        timeline, last, count = self._timeline, first - 1, 0
        for packet in packets:
            if not packet.size and packet.dts is not None:
                continue
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                self._undecodable.add(count if timeline.counted else timeline.index(packet.pts))
                count += 1
                continue
            for picture in pictures:
                index = count if timeline.counted else timeline.index(picture.pts)
                count += 1
                if not last < index < len(self.timestamps_s):
                    # Seeking may meet pictures that belong before the place it went to.
                    place = index if index >= 0 else last
                    self._left_out[count if picture.pts is None else picture.pts] = place
                    continue
                # Packets of VP8 and of interlaced video need not show a picture each.
                if not picture.interlaced_frame and self._stream.codec_context.name != "vp8":
                    self._undecodable.update(range(last + 1, index))
                last = index
                yield index, picture


def _created_at(metadata: dict[str, str]) -> datetime | None:
    """Return when a video was recorded; Apple's own entry survives editing and has the zone."""
    names = ("com.apple.quicktime.creationdate", "creation_time", "date")
    dates = (_date(metadata.get(name, "")) for name in names)
    return next((date for date in dates if date), None)


def _date(text: str) -> datetime | None:
    try:
        date = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
