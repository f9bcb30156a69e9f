"""The naive side's answers to the project's own frames, with which its results are compared.

Boxes and vectors are compared on the same RGB frames, so that no decoder's rounding is taken for a
difference; vectors on the same boxes, as the thousandth of a pixel may move a crop by a whole one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ingest import project
from benchmarks.ingest.ceiling import gemm_gflops
from benchmarks.ingest.equality import Difference, compare_boxes, compare_vectors
from benchmarks.ingest.naive import KeepRule, Naive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.ingest.records import Run, Seen, Tolerances

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Checked:
    """What came of the comparison.

    ties: decisions of the filter that the two decoders' rounding turned, each right for its own
    frames. mtcnn_gflop, facenet_gflop: what the networks compute for these frames and faces.
    """

    difference: Difference
    ties: int
    mtcnn_gflop: float
    facenet_gflop: float


class Reference(Naive):
    """The naive side, which also looks at what the project saw."""

    def check_video(self, path: Path, naive: Run, found: Run, tolerances: Tolerances) -> Checked:
        """Compare a video's kept frames, their boxes and vectors."""
        from indexer.video import VideoReader

        wanted = {each.number: each for each in found.seen}
        with VideoReader(path) as reader:
            pictures = (
                (f"{path.name}, frame {frame.index}", frame.image_rgb, wanted[frame.index])
                for frame in reader.frames()
                if frame.index in wanted
            )
            checked = self._checked(pictures, tolerances)
        if naive.numbers == found.numbers:
            return checked
        texts = tuple(self._wrong_decisions(path, set(found.numbers), tolerances.delta_e))
        ties = 0 if texts else len(set(naive.numbers) ^ set(found.numbers))
        difference = checked.difference + Difference(texts=texts)
        return Checked(difference, ties, checked.mtcnn_gflop, checked.facenet_gflop)

    def check_photos(self, paths: Sequence[Path], found: Run, tolerances: Tolerances) -> Checked:
        """Compare the boxes and vectors of photos."""
        pictures = (
            (paths[seen.number].name, project.photo(paths[seen.number]), seen)
            for seen in found.seen
        )
        return self._checked(pictures, tolerances)

    def gemm_gflops(self) -> float:
        """Return what this machine computes per second in products of float32 matrices, in 1e9."""
        return gemm_gflops()

    def _checked(
        self, pictures: Iterable[tuple[str, Array, Seen]], tolerances: Tolerances
    ) -> Checked:
        from torch.utils.flop_counter import FlopCounterMode

        difference, detecting, embedding = Difference(), 0, 0
        for where, rgb, seen in pictures:
            with FlopCounterMode(display=False) as counter:
                boxes = self.detect(rgb)
            detecting += counter.get_total_flops()
            difference += compare_boxes(where, boxes, seen.boxes, tolerances.box_px)
            with FlopCounterMode(display=False) as counter:
                vectors = [self.embed(rgb, box) for box in seen.boxes]
            embedding += counter.get_total_flops()
            expected = np.array(vectors).reshape(seen.vectors.shape)
            difference += compare_vectors(where, expected, seen.vectors, tolerances.vector)
        return Checked(difference, 0, detecting / 1e9, embedding / 1e9)

    def _wrong_decisions(self, path: Path, kept: set[int], tolerance: float) -> Iterable[str]:
        """Yield which decisions the naive rule would take otherwise, each after the same ones."""
        from skimage.color import rgb2lab

        from indexer.video import VideoReader

        rule = KeepRule()
        with VideoReader(path) as reader:
            for frame in reader.frames():
                lab = rgb2lab(frame.image_rgb)
                keep = frame.index in kept
                if rule.differs(lab, frame.timestamp_s) != keep and not rule.is_near(tolerance):
                    yield (
                        f"{path.name}, frame {frame.index} is {'kept' if keep else 'dropped'}, "
                        f"but differs by {rule.mean:.3f}, in a cell by {rule.cell:.3f}."
                    )
                if keep:
                    rule.follow(lab, frame.timestamp_s)
