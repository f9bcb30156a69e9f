"""What indexing holds in memory on a long video, made by repeating a clip's packets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.ingest.project import Project
from benchmarks.ingest.records import peak_memory_mb

if TYPE_CHECKING:
    from pathlib import Path

EVERY_S = 30.0
"""Seconds of video between two readings."""


@dataclass(frozen=True)
class Memory:
    """What the process held when it had indexed so much of a video, and at most until then."""

    indexed_s: float
    now_mb: float
    peak_mb: float


def repeat(clip: Path, minutes: float, path: Path) -> Path:
    """Write a video of at least so many minutes: a clip's packets over and over, as they are."""
    import av

    with av.open(str(clip)) as container:
        source = container.streams.video[0]
        assert source.time_base is not None
        assert source.duration is not None
        packets = [packet for packet in container.demux(source) if packet.size]
        ticks = source.duration
        times = -(-round(minutes * 60 / source.time_base) // ticks)
        with av.open(str(path), "w") as longer:
            stream = longer.add_stream_from_template(source)
            stamps = [(packet.pts or 0, packet.dts or 0) for packet in packets]
            for number in range(times):
                for packet, (pts, dts) in zip(packets, stamps, strict=True):
                    packet.time_base, packet.stream = source.time_base, stream
                    packet.pts, packet.dts = pts + number * ticks, dts + number * ticks
                    longer.mux(packet)
    return path


class _Enough(KeyboardInterrupt):
    """Ends indexing as Ctrl-C does."""


class MemoryProject(Project):
    """The project's side while its memory is watched."""

    def index_watched(self, path: Path, minutes: float) -> list[Memory]:
        """Index the first minutes of a video and return what was held meanwhile."""
        import tempfile

        from indexer import open_index
        from indexer.ingest import ingest
        from indexer.reports import Progress

        process = psutil.Process()
        readings: list[Memory] = []

        class Watch(Progress):
            def reach(self, *told: Any) -> None:
                done_s = float(told[-1])
                if done_s >= len(readings) * EVERY_S:
                    now_mb = process.memory_info().rss / 1e6
                    readings.append(Memory(done_s, now_mb, peak_memory_mb()))
                if done_s >= minutes * 60:
                    raise _Enough

        with (
            tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as folder,
            open_index(f"{folder}/faces.sightings", create=True) as index,
        ):
            try:
                report = ingest(index, [path], self._networks, progress=Watch())
            except _Enough:
                return readings
        raise RuntimeError(f"{path.name} ended before {minutes} minutes: {report.failed}")
