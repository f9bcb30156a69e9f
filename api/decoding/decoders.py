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
from api.problems import Problem
from indexer.damage import Damage
from indexer.errors import MediaError
from indexer.records import Frame, Media
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.records import Box
    from indexer.settings_api import ApiSettings

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

    Messages call a file by the name given for it, not by where it lies for now.
    """

    def __init__(self, settings: ApiSettings, *, count: int = 0) -> None:
        self._settings = settings
        self._free = threading.Semaphore(count or settings.decoders)
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

    def probe(self, path: Path, *, name: str, max_pixels: int) -> Media:
        """Return what a file is. Raises MediaError, Problem if all processes stay busy."""
        with self._process(path, name) as process:
            process.ask("probe", path=str(path), max_pixels=max_pixels)
            return _media(process.answer(self._settings.decode_s)[0]["media"])

    @contextmanager
    def opened(
        self, path: Path, *, name: str, max_pixels: int
    ) -> Iterator[tuple[Media, DecodedSource]]:
        """Open a photo or video for reading. Raises MediaError, Problem as above."""
        with self._process(path, name) as process:
            process.ask("open", path=str(path), max_pixels=max_pixels)
            header, times = process.answer(self._settings.decode_s)
            source = DecodedSource(process, np.frombuffer(times, "<f8"), self._settings.decode_s)
            yield _media(header["media"]), source
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
            header, jpeg = process.answer(self._settings.decode_s)
            return Picture(jpeg=jpeg, **header)

    @contextmanager
    def _process(self, path: Path, name: str) -> Iterator[DecodingProcess]:
        if not self._free.acquire(timeout=self._settings.queue_s):
            raise Problem("overloaded", "All processes that decode are busy.", retry_after_s=2)
        try:
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
        finally:
            self._free.release()

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
            self.decode_errors = header["decode_errors"]
            if header.get("end"):
                self._warnings = tuple(header["warnings"])
                damage = header["damage"]
                self._damage = Damage(**(damage | {"file": tuple(damage["file"])}))
                self.reading = False
                return
            image = np.frombuffer(pixels, np.uint8).reshape(header["shape"])
            yield Frame(header["index"], header["timestamp_s"], image)

    def warnings(self) -> tuple[str, ...]:
        """Return what went wrong in decoding, as far as it has been read."""
        return self._warnings

    def damage(self, start_s: float, end_s: float) -> Damage:  # noqa: ARG002, the last range it is
        """Return what was wrong with the range of frames that was read last."""
        return self._damage


def _media(header: dict[str, Any]) -> Media:
    recorded_at = header["recorded_at"] and datetime.fromisoformat(header["recorded_at"])
    names = ("id", "kind", "size_bytes", "width", "height", "duration_s")
    return Media(**{name: header[name] for name in names}, recorded_at=recorded_at)
