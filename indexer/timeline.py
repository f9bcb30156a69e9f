"""When a video's frames are shown, and where decoding may begin: read off its packets."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

# Containers whose header states the duration, so that a file cut short can be told.
_STATED_DURATION = frozenset({"mov", "matroska", "avi"})
_DEFAULT_RATE = Fraction(25)
# A packet dated more than a day after the one before is damaged, not late.
_JUMP_S = 86_400.0
_MISSING = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Timeline:
    """The frames of a video stream in the order in which they are shown.

    pts: (frames,) int64, ascending, in the stream's time base; empty where packets carry no
    presentation times, so that only the count of decoded frames tells which frame is which.
    times_s: (frames,) float64, ascending, from the container's start.
    keys: (keys,) int64, ascending; numbers of the frames from which decoding may begin.
    end_s: when the last frame's time is over. early_end: what tells that the file was cut short.
    """

    times_s: np.ndarray
    end_s: float
    pts: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    keys: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    early_end: str | None = None

    @property
    def counted(self) -> bool:
        """Whether frames are told apart by counting, for want of times."""
        return not len(self.pts)

    def index(self, pts: int | None) -> int:
        """Return the number of the frame shown at pts, or -1 if there is none."""
        if pts is None:
            return -1
        index = int(np.searchsorted(self.pts, pts))
        return index if pts in self.pts[index : index + 1] else -1

    def key_before(self, index: int) -> int | None:
        """Return the number of the last key frame at or before a frame, if there is one."""
        place = int(np.searchsorted(self.keys, index, side="right"))
        return int(self.keys[place - 1]) if place else None


@dataclass(frozen=True)
class _Packets:
    """One row for each packet of the video stream, in file order; _MISSING where unknown."""

    pts: np.ndarray
    dts: np.ndarray
    durations: np.ndarray
    is_key: np.ndarray


def read_timeline(container: Any, stream: Any) -> Timeline:
    """Return the timeline of an open file's video stream by reading the whole file once.

    Nothing is decoded. A file that breaks off gives what there is; it has no frames if the
    stream has no packets.
    """
    import av

    seconds = {each.index: float(each.time_base or 0) for each in container.streams}
    columns = array("q"), array("q"), array("q"), array("q")
    file_end_s, early_end = 0.0, None
    try:
        for packet in container.demux():
            stamp = packet.dts if packet.pts is None else packet.pts
            length = packet.duration or 0
            if packet.size and stamp is not None:
                file_end_s = max(file_end_s, (stamp + length) * seconds[packet.stream_index])
            if packet.stream_index == stream.index and packet.size and not packet.is_discard:
                row = packet.pts, packet.dts, length, packet.is_keyframe
                for column, value in zip(columns, row, strict=True):
                    column.append(_MISSING if value is None else value)
    except av.FFmpegError as error:
        early_end = error.strerror or str(error)
    packets = _Packets(*(np.array(column, np.int64) for column in columns))
    early_end = early_end or _missing_end(container, file_end_s)
    if not len(packets.pts):
        return Timeline(np.empty(0), 0.0, early_end=early_end)
    # A capture may begin with a few packets without times; where many have none, none are used.
    scarce = np.count_nonzero(packets.pts == _MISSING) * 100 > len(packets.pts)
    # AVI stores no presentation times: FFmpeg guesses them, wrongly where frames are reordered.
    guessed = container.format.name == "avi" and bool((packets.pts != packets.dts).any())
    if scarce or guessed:
        return _counted(packets, stream, early_end)
    return _stamped(packets, stream, container.start_time, early_end)


def _missing_end(container: Any, file_end_s: float) -> str | None:
    """Say how much is missing of what the header states; streams may differ by a second."""
    if not container.duration or not _STATED_DURATION & set(container.format.name.split(",")):
        return None
    stated_s = container.duration / 1e6
    there_s = file_end_s - (container.start_time or 0) / 1e6
    if stated_s - there_s <= max(1.0, 0.01 * stated_s):
        return None
    return f"{max(there_s, 0.0):.1f} s of {stated_s:.1f} s are there"


def _counted(packets: _Packets, stream: Any, early_end: str | None) -> Timeline:
    """Frames in constant steps, or one for each decoding time where all packets have one."""
    step_s = float(1 / (stream.average_rate or stream.guessed_rate or _DEFAULT_RATE))
    times_s = np.arange(len(packets.dts)) * step_s
    if (packets.dts != _MISSING).all():
        stamps = np.sort(packets.dts)
        times_s = (stamps - stamps[0]) * float(stream.time_base)
        step_s = _usual_step(times_s) or step_s
    return Timeline(
        np.round(times_s, 6), round(float(times_s[-1]) + step_s, 6), early_end=early_end
    )


def _stamped(
    packets: _Packets, stream: Any, container_start: int | None, early_end: str | None
) -> Timeline:
    second = float(stream.time_base)
    pts, rows = np.unique(packets.pts, return_index=True)
    jumps = np.flatnonzero(np.diff(pts.astype(np.float64)) * second > _JUMP_S) + 1
    run = max(np.split(np.arange(len(pts)), jumps), key=len)
    orderly = len(run) == len(packets.pts) and bool((np.diff(_known(packets.dts)) >= 0).all())
    pts, rows = pts[run], rows[run]
    start_s = pts[0] * second
    if container_start is not None and abs(start_s - container_start / 1e6) <= _JUMP_S:
        start_s = container_start / 1e6
    # To the microsecond, in which containers state their start.
    times_s = np.maximum(np.round(pts * second - start_s, 6), 0.0)
    last_s = packets.durations[rows[-1]] * second
    if last_s <= 0:
        last_s = _usual_step(times_s)
    # Where times repeat or go back, the same time stands for several places in the file.
    keys = np.flatnonzero(packets.is_key[rows]) if orderly else np.empty(0, np.int64)
    return Timeline(times_s, round(float(times_s[-1] + last_s), 6), pts, keys, early_end)


def _usual_step(times_s: np.ndarray) -> float:
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0


def _known(stamps: np.ndarray) -> np.ndarray:
    known: np.ndarray = stamps[stamps != _MISSING]
    return known
