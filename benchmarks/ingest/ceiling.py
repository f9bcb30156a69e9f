"""What no program can be faster than here: decoding alone, and the networks' arithmetic alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ingest.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from indexer.decisions import Checks
    from indexer.records import Frame

GEMM_SIDE = 2048
REPETITIONS = 3


def gemm_gflops() -> float:
    """Return the best of three libraries' products of two float32 matrices, in 1e9 a second.

    OpenVINO's was twice as fast as torch's and numpy's on an AMD EPYC, and as fast as FaceNet.
    """
    import torch

    matrix = np.random.default_rng(0).random((GEMM_SIDE, GEMM_SIDE), np.float32)
    tensor, product = torch.from_numpy(matrix), _openvino_product()
    ways: tuple[Callable[[], Any], ...] = (
        lambda: tensor @ tensor,
        lambda: matrix @ matrix,
        lambda: product([matrix, matrix]),
    )
    took_s = min(_seconds(way) for way in ways for _ in range(2 * REPETITIONS))
    return 2 * GEMM_SIDE**3 / took_s / 1e9


def _openvino_product() -> Any:
    from indexer.openvino_net import core

    compiler = core()
    from openvino import Model, opset13

    factors = [opset13.parameter([GEMM_SIDE, GEMM_SIDE], np.float32) for _ in range(2)]
    product = opset13.matmul(*factors, transpose_a=False, transpose_b=False)
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    return compiler.compile_model(Model([product], factors), "CPU", options)


@dataclass(frozen=True)
class Dropping:
    """What the filter costs.

    cost: of reading frames and dropping them over decoding them, as a part, without what is done
    with frames that are kept or rechecked. rechecked: share of the compared frames for which the
    first points were not enough.
    """

    cost: float
    rechecked: float


class MeasuredProject(Project):
    """The project's side, which is also measured against decoding."""

    def decode(self, path: Path, threads: int) -> tuple[int, float]:
        """Decode a video and nothing else; return the frames and the seconds.

        threads: FFmpeg's, 0 for one on each core.
        """
        begun_s = time.perf_counter()
        frames, _ = _decode(path, threads)
        return frames, time.perf_counter() - begun_s

    def dropping(self, path: Path) -> Dropping:
        """Return what reading a video and dropping its frames costs over decoding it.

        Medians of interleaved pairs, in processor time, without opening the file, which reads its
        packets' times: that is done once for a whole video.
        """
        parts, rechecked = [], 0.0
        for _ in range(REPETITIONS):
            _, alone_s = _decode(path, 1)
            filtered_s, rechecked = self._filter_cpu_s(path)
            parts.append((filtered_s - alone_s) / alone_s)
        return Dropping(float(np.median(parts)), rechecked)

    def _filter_cpu_s(self, path: Path) -> tuple[float, float]:
        """Return the processor time of reading a video and dropping frames, and rechecks' part."""
        from indexer.decisions import Checks
        from indexer.keyframes import key_frames
        from indexer.video import VideoReader

        checks = Checks()
        with VideoReader(path) as reader:
            begun_s = time.process_time()
            handled = _Handled(reader.frames(), checks)
            chosen = key_frames(handled, self.settings.keyframes, checks=checks)
            left_out = {each.frame.index for each in chosen} | handled.rechecked
            took_s = time.process_time() - begun_s
        took_s -= sum(handled.cpu_s[number] for number in left_out)
        return took_s, checks.rechecked / max(checks.frames, 1)


class _Handled:
    """Frames that pass, with the processor time until the next one is asked for.

    rechecked: numbers of those that were looked at twice.
    """

    def __init__(self, frames: Iterable[Frame], checks: Checks) -> None:
        self._frames = frames
        self._checks = checks
        self.cpu_s: dict[int, float] = {}
        self.rechecked: set[int] = set()

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            begun_s, before = time.process_time(), self._checks.rechecked
            yield frame
            self.cpu_s[frame.index] = time.process_time() - begun_s
            if self._checks.rechecked > before:
                self.rechecked.add(frame.index)


def _decode(path: Path, threads: int) -> tuple[int, float]:
    """Decode a video; return the frames, and the processor time from when it was open."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        begun_s = time.process_time()
        return sum(1 for _ in container.decode(stream)), time.process_time() - begun_s


def _seconds(work: Callable[[], Any]) -> float:
    begun_s = time.perf_counter()
    work()
    return time.perf_counter() - begun_s
