"""Videos: frames at the times at which a player shows them, the same however they are asked for."""

from __future__ import annotations

import math
from contextlib import closing, contextmanager
from dataclasses import replace
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
from indexer.passes import Met, Pass
from indexer.settings import MediaSettings
from indexer.text import shown
from indexer.timeline import read_timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from indexer.timeline import Timeline

# Text that FFmpeg would play as pictures, lists that name other files or addresses, and stills.
_NO_VIDEOS = frozenset({"concat", "dash", "hls", "image2", "imf", "rtsp", "sdp", "tty"})
# Containers that store each packet's time, so that it is the same however one gets there.
_EXACT_SEEKING = frozenset({"matroska", "mov"})


class VideoReader:
    """A video's frames, decoded as they are asked for; use it as a context manager.

    Opening reads the file once without decoding, which gives the times of all frames, unless
    `timeline` does: that of another reader of the same bytes. threads: the decoder's, where parts
    of a picture can be decoded apart.

    width, height: pixels as displayed: turned upright, with square pixels.
    duration_s: from the container's start to the end of the last frame.
    timestamps_s: (frames,) float64, ascending; seconds from the container's start.
    created_at: the date that the container states, in UTC, if it does.
    timeline: the times of all frames, and the key frames from which decoding may begin.
    Raises MediaError when the file holds no video, or none that can be decoded.
    """

    def __init__(
        self,
        path: Path,
        max_pixels: int = MediaSettings.max_pixels,
        *,
        timeline: Timeline | None = None,
        threads: int = 1,
    ) -> None:
        self._path = path
        self._threads = threads
        self._max_pixels = max_pixels
        self._reading, self._closed = Lock(), False
        with translated_errors(path):
            self.timeline = timeline or self._read_timeline()
            self.timestamps_s = self.timeline.times_s
            self.duration_s = self.timeline.end_s
            self._met = Met(early_end=self.timeline.early_end)
            self._pass = self._begin()
            try:
                self._start()
            except BaseException:
                self.close()
                raise

    def _read_timeline(self) -> Timeline:
        stream = self._open()
        with closing(stream.container) as container:
            return read_timeline(container, stream)

    def _start(self) -> None:
        stream = self._pass.stream
        self.created_at = _created_at(stream.container.metadata)
        self._seeks = bool(_EXACT_SEEKING & set(stream.container.format.name.split(",")))
        first = self._pass.peek()
        if first is None:
            raise MediaError(
                f"{shown(self._path)} has no frame that can be decoded "
                f"({len(self.timestamps_s)} are in the file)."
            )
        picture = first[1]
        aspect = stream.sample_aspect_ratio or Fraction(1)
        square_size = (max(1, round(picture.width * aspect)), picture.height)
        self._require_size(*square_size)
        self._conversion = Conversion(self._path, square_size, display_matrix(picture))
        self.height, self.width, _ = self._conversion.shape

    @property
    def decode_errors(self) -> int:
        """Number of frames met so far that could not be decoded."""
        return len(self._met.undecodable)

    def warnings(self) -> tuple[str, ...]:
        """Return what was wrong with the file, as far as it has been read."""
        return in_words(
            Damage(len(self._met.undecodable), len(self._met.left_out), self._of_file())
        )

    def damage(self, start_s: float, end_s: float) -> Damage:
        """Return what was wrong with the frames of a range that was read, in whatever order."""
        first, end = np.searchsorted(self.timestamps_s, (start_s, end_s))
        last = len(self.timestamps_s) - 1

        def within(numbers: Iterable[int]) -> int:
            return sum(bool(first <= min(max(number, 0), last) < end) for number in numbers)

        return Damage(
            within(self._met.undecodable), within(self._met.left_out.values()), self._of_file()
        )

    def _of_file(self) -> tuple[str, ...]:
        early_end = self._met.early_end
        return (f"the file ends early: {early_end}",) if early_end else ()

    def frames(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Frame]:
        """Yield the frames with start_s <= timestamp_s < end_s in order.

        A range that lies ahead goes on from where the last one came to, so that no frame is decoded
        twice; one that lies behind, or beyond a later key frame, begins at a key frame and gives
        the same frames as one pass (damaged ones may be patched up otherwise). Only one range can
        be read at a time. Raises MediaError when the file can no longer be read, and when the
        reader is closed.
        """
        first, end = np.searchsorted(self.timestamps_s, (start_s, end_s))
        if first >= end:
            return
        with translated_errors(self._path):
            with self._open_while_read():
                self._go_to(int(first))
            while (found := self._next_before(int(end))) is not None:
                index, picture = found
                if index >= first:
                    decoded = DecodedPicture(picture, self._conversion)
                    yield Frame(index, float(self.timestamps_s[index]), decoded)

    def close(self) -> None:
        """Release the file, after the frame that a thread may be reading; twice does no harm."""
        with self._reading:
            self._closed = True
            self._pass.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Any:
        """Open the file; return the video stream that is read, with its container."""
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
            return self._choose_stream(container)
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
        stream.codec_context.thread_count = self._threads
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

    def _next_before(self, end: int) -> tuple[int, Any] | None:
        with self._open_while_read():
            return self._pass.next_before(end)

    def _go_to(self, first: int) -> None:
        """Make the next picture one at or before a frame; decode as little as can be."""
        key = self.timeline.key_before(first)
        if self._pass.leads_to(first, key):
            return
        is_ahead = self._pass.place <= first
        # Frame 0 need not be gone to: a pass begins there.
        if key and self._seeks:
            begun = self._begin()
            if begun.go_to(key, seeking=True):
                self._take(begun)
                return
            begun.close()
            if is_ahead:  # the pass at hand gets there too, decoding all between
                return
        elif key:
            if not is_ahead:
                self._take(self._begin())
            if self._pass.go_to(key, seeking=False):
                return
            # What was read on to is gone by: only once, not for each range, is all decoded anew.
            self.timeline = replace(self.timeline, keys=self.timeline.keys[:0])
        self._take(self._begin())

    def _begin(self) -> Pass:
        return Pass(self._open(), self.timeline, self._met)

    def _take(self, begun: Pass) -> None:
        self._pass.close()
        self._pass = begun


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
