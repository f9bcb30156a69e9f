"""The decoding processes of the service: a few that are kept, each used for one file at a time."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from api.decoding.process import DecodingEnded, DecodingProcess
from api.turns import Turns, Waiting
from indexer.damage import Damage
from indexer.errors import MediaError
from indexer.files import status_of
from indexer.records import Frame, Media
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.records import Box, Kind
    from indexer.settings_api import ApiSettings

_KINDS: tuple[Kind, ...] = ("photo", "video")
_ANSWERS_EACH = 1000
"""After so many, a process is replaced: what decoders leak goes with it."""


@dataclass(frozen=True)
class Picture:
    """A frame as JPEG, its size in pixels, and when it is shown."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    timestamp_s: float


class Decoders:
    """Decodes files within bounds on memory, pixels and time; threads may share it.

    count: of files at once, by default as the settings say. waiting: counts who waits for one.
    Messages call a file by the name given for it, not by where it lies for now.
    """

    def __init__(
        self, settings: ApiSettings, *, count: int = 0, waiting: Waiting | None = None
    ) -> None:
        self._settings = settings
        self._turns = Turns(
            count or settings.decoders,
            waiting or Waiting(settings),
            queue_s=settings.queue_s,
            refusal="All processes that decode are busy; try again shortly.",
        )
        self._idle: list[DecodingProcess] = []
        self._lock = threading.Lock()
        self._closed = False

    def warm_up(self) -> None:
        """Start a process, so that the first file need not wait for it."""
        self._give_back(self._take())

    def close(self) -> None:
        """End the processes that wait; those at work end with their file."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    def look(self, path: Path, *, name: str, max_pixels: int) -> tuple[Media, np.ndarray]:
        """Return what a file is, without its id, and when its frames are shown.

        The times: (frames,) float64 in seconds. Raises MediaError, Problem if all processes stay
        busy.
        """
        with self._process(path, name) as process:
            process.ask("look", path=str(path), max_pixels=max_pixels)
            header, times = process.answer(self._limit_s(path))
            with process.understood():
                return _media(header["media"]), _times_s(times)

    @contextmanager
    def opened(
        self, path: Path, *, name: str, max_pixels: int
    ) -> Iterator[tuple[Media, DecodedSource]]:
        """Open a photo or video for reading. Raises MediaError, Problem as above."""
        with self._process(path, name) as process:
            process.ask("open", path=str(path), max_pixels=max_pixels)
            header, times = process.answer(self._limit_s(path))
            with process.understood():
                media, times_s = _media(header["media"]), _times_s(times)
            source = DecodedSource(process, times_s, self._settings.decode_s)
            yield media, source
            if source.reading:
                process.kill()

    def picture(
        self,
        path: Path,
        timestamp_s: float,
        *,
        name: str,
        max_pixels: int,
        max_side_px: int,
        box_xyxy: Box | None = None,
    ) -> Picture:
        """Return the frame shown at a time (a photo itself). Raises MediaError, Problem."""
        with self._process(path, name) as process:
            process.ask(
                "picture",
                path=str(path),
                max_pixels=max_pixels,
                timestamp_s=timestamp_s,
                max_side_px=max_side_px,
                box_xyxy=box_xyxy,
            )
            header, jpeg = process.answer(self._limit_s(path))
            with process.understood():
                width, height = int(header["width"]), int(header["height"])
                return Picture(jpeg, width, height, float(header["timestamp_s"]))

    def _limit_s(self, path: Path) -> float:
        """Return how long opening a file may take: a video is read through for that."""
        return self._settings.decode_s * (1 + (status_of(path).st_size >> 30))

    @contextmanager
    def _process(self, path: Path, name: str) -> Iterator[DecodingProcess]:
        with self._turns.taken():
            process = self._take()
            try:
                yield process
            except BaseException as error:
                # An answer may still be under way; a file that is no photo leaves nothing behind.
                if type(error) is not MediaError:
                    process.kill()
                if isinstance(error, DecodingEnded):
                    raise MediaError(f"{shown(name)}: {error}") from error
                if isinstance(error, MediaError):
                    text = str(error).replace(shown(path), shown(name))
                    raise type(error)(text) from error
                raise
            finally:
                self._give_back(process)

    def _take(self) -> DecodingProcess:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
        return DecodingProcess(self._settings.decode_memory_mb)

    def _give_back(self, process: DecodingProcess) -> None:
        with self._lock:
            keep = not self._closed and process.alive and process.answered < _ANSWERS_EACH
            if keep:
                self._idle.append(process)
        if not keep:
            process.kill()


class DecodedSource:
    """A photo's or video's frames, decoded by another process; see `indexer.sources.Source`."""

    def __init__(self, process: DecodingProcess, timestamps_s: np.ndarray, limit_s: float) -> None:
        self.timestamps_s = timestamps_s
        self.decode_errors = 0
        self.reading = False
        self._process = process
        self._limit_s = limit_s
        self._warnings: tuple[str, ...] = ()
        self._damage = Damage()

    def frames(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Frame]:
        """Yield the frames of a time range, in order; it must be read to its end."""
        until_s = None if math.isinf(end_s) else end_s
        self.reading = True
        self._process.ask("frames", start_s=start_s, end_s=until_s)
        while True:
            header, pixels = self._process.answer(self._limit_s)
            with self._process.understood():
                self.decode_errors = int(header["decode_errors"])
                frame = None if header.get("end") else _frame(header, pixels)
                if frame is None:
                    self._warnings = tuple(map(str, header["warnings"]))
                    damage = header["damage"]
                    self._damage = Damage(**(damage | {"file": tuple(map(str, damage["file"]))}))
            if frame is None:
                self.reading = False
                return
            yield frame

    def warnings(self) -> tuple[str, ...]:
        """Return what went wrong in decoding, as far as it has been read."""
        return self._warnings

    def damage(self, start_s: float, end_s: float) -> Damage:  # noqa: ARG002, the last range it is
        """Return what was wrong with the range of frames that was read last."""
        return self._damage


def _media(header: dict[str, Any]) -> Media:
    recorded_at, duration_s = header["recorded_at"], header["duration_s"]
    return Media(
        id="",
        kind=_KINDS[_KINDS.index(header["kind"])],
        size_bytes=int(header["size_bytes"]),
        width=int(header["width"]),
        height=int(header["height"]),
        duration_s=None if duration_s is None else _finite(duration_s),
        recorded_at=None if recorded_at is None else datetime.fromisoformat(recorded_at),
    )


def _frame(header: dict[str, Any], pixels: bytes) -> Frame:
    height, width, _ = header["shape"]
    image = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    return Frame(int(header["index"]), _finite(header["timestamp_s"]), image)


def _times_s(packed: bytes) -> np.ndarray:
    times_s = np.frombuffer(packed, "<f8")
    if not np.isfinite(times_s).all():
        raise ValueError("times that are none")
    return times_s


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("a time that is none")
    return float(number)
