"""One pass over a video: its pictures in order, from the start or from a key frame on."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.timeline import Timeline

# Where a pass is that cannot be gone on with.
_NOWHERE = sys.maxsize


@dataclass
class Met:
    """What was wrong with the pictures and packets that were met, in all passes over a file.

    undecodable: numbers of frames in the timeline. left_out: the same, by the time stamp of each
    picture that has no place there. early_end: what tells that the file was cut short.
    """

    undecodable: set[int] = field(default_factory=set)
    left_out: dict[int, int] = field(default_factory=dict)
    early_end: str | None = None


class Pass:
    """The pictures of an open file, each with its number in the timeline, ascending.

    place: the lowest number that may still come; all below are gone by.
    """

    def __init__(self, stream: Any, timeline: Timeline, met: Met) -> None:
        self.stream = stream
        self.place = 0
        self._timeline = timeline
        self._met = met
        self._last_key = 0
        self._packets = self._demux()
        self._pictures = self._decode(self._packets, 0)
        self._held: tuple[int, Any] | None = None

    def close(self) -> None:
        """Release the file."""
        self._held = None
        self.stream.container.close()

    def peek(self) -> tuple[int, Any] | None:
        """Return the next picture, which stays the next, or None at the end."""
        if self._held is None:
            place, self.place = self.place, _NOWHERE  # should this be interrupted
            self._held = next(self._pictures, None)
            self.place = place
        return self._held

    def next_before(self, end: int) -> tuple[int, Any] | None:
        """Return the next picture, or None if it is number `end` or a later one."""
        found = self.peek()
        if found is None or found[0] >= end:
            return None
        self._held, self.place = None, found[0] + 1
        return found

    def leads_to(self, first: int, key: int | None) -> bool:
        """Whether decoding goes on to a frame: no key frame, the last before it, is nearer."""
        return self.place <= first and (key is None or key <= max(self.place, self._last_key))

    def go_to(self, key: int, *, seeking: bool) -> bool:
        """Make a key frame the next picture: by seeking, or by reading on without decoding.

        Returns False, and notes nothing, if it is not found, or cannot be decoded by itself, so
        that pictures would differ from one pass over all. This pass leads nowhere then.
        """
        import av

        undecodable, left_out = set(self._met.undecodable), dict(self._met.left_out)
        key_pts = int(self._timeline.pts[key])
        self._held, self._pictures, self.place = None, iter(()), _NOWHERE
        try:
            if seeking:
                self.stream.container.seek(key_pts, stream=self.stream)
            packet = self._packet_at(key_pts)
        except av.FFmpegError:
            packet = None
        if packet is not None:
            self.stream.codec_context.flush_buffers()
            self._pictures = self._decode(chain([packet], self._packets), key)
            found = self.peek()
            if found is not None and found[0] == key:
                self.place = key
                return True
        self._met.undecodable, self._met.left_out = undecodable, left_out
        return False

    def _packet_at(self, key_pts: int) -> Any:
        for packet in self._packets:
            if packet.pts == key_pts:
                return packet
            if packet.dts is not None and packet.dts > key_pts:
                break
        return None

    def _demux(self) -> Iterator[Any]:
        import av

        try:
            for packet in self.stream.container.demux(self.stream):
                if packet.is_keyframe:
                    self._last_key = max(self._last_key, self._timeline.index(packet.pts))
                yield packet
        except av.FFmpegError as error:
            self._met.early_end = self._met.early_end or error.strerror or str(error)

    def _decode(self, packets: Iterable[Any], first: int) -> Iterator[tuple[int, Any]]:
        """Yield each picture with its number in the timeline, ascending, `first` the lowest.

        What belongs before `first` is met on the way, and not noted: another pass decodes it.
        """
        import av

        timeline, last, count = self._timeline, first - 1, 0
        for packet in packets:
            if not packet.size and packet.dts is not None:
                continue
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                index = count if timeline.counted else timeline.index(packet.pts)
                if not 0 <= index < first:
                    self._met.undecodable.add(index)
                count += 1
                continue
            for picture in pictures:
                index = count if timeline.counted else timeline.index(picture.pts)
                count += 1
                if 0 <= index < first:
                    continue
                if not last < index < len(timeline.times_s):
                    place = index if index >= 0 else last
                    self._met.left_out[count if picture.pts is None else picture.pts] = place
                    continue
                # Packets of VP8 and of interlaced video need not show a picture each.
                if not picture.interlaced_frame and self.stream.codec_context.name != "vp8":
                    self._met.undecodable.update(range(last + 1, index))
                last = index
                yield index, picture
