"""Numbers of outcomes, looked up where they may be missing, and put into words for tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.evaluation.records import Outcome

MISSING = "–"
"""What tables say where a run did not measure something."""

_OVER_PAIRS = frozenset({"accuracy", "accuracy_all", "auc", "eer", "tar_at_far", "euclidean"})


@dataclass(frozen=True)
class Measure:
    """A kind of measurement: what it is called, where it lies in metrics, how it is written.

    better: "high" or "low", where a run can be best at it. hint: what it is, in a few words.
    deviation: where its deviation lies. total: it is the time of all stages instead.
    """

    title: str
    path: tuple[str, ...]
    write: Callable[[float], str]
    better: str = ""
    hint: str = ""
    deviation: tuple[str, ...] = ()
    total: bool = False

    def of(self, outcome: Outcome) -> float | None:
        """Return the figure of an outcome; None if the run did not measure it."""
        return total_s(outcome.metrics) if self.total else number(outcome.metrics, *self.path)

    def comparable(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the outcomes that one can be the best of: those over the most pairs, or photos.

        Fewer of them are another task: who has at most ten photos a person lacks hard pairs. Of
        runs over clips, those over the same ones as the first.
        """
        over = "pairs" if self.path[0] in _OVER_PAIRS else "photos"
        known = [each for each in outcomes if self.of(each) is not None]
        clips = [each.made_with.get("videos") for each in known]
        known = [each for each, of in zip(known, clips, strict=True) if of == clips[0]]
        sizes = [number(each.metrics, over) or 0.0 for each in known]
        return [each for each, size in zip(known, sizes, strict=True) if size == max(sizes)]

    def text(self, outcome: Outcome) -> str:
        """Return it as tables show it."""
        value = self.of(outcome)
        if value is None:
            return MISSING
        spread = number(outcome.metrics, *self.deviation) if self.deviation else None
        if spread is None:
            return self.write(value)
        return f"{100 * value:.2f} ± {100 * spread:.2f} %"


def number(metrics: Mapping[str, Any], *path: str) -> float | None:
    """Return the finite number that lies there; None if there is none."""
    found: Any = metrics
    for step in path:
        if not isinstance(found, Mapping) or step not in found:
            return None
        found = found[step]
    if isinstance(found, (str, bytes, bool, Mapping)) or found is None:
        return None
    try:
        value = float(found)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def total_s(metrics: Mapping[str, Any]) -> float | None:
    """Return the seconds of all stages of a run; None if none was timed."""
    took = number(metrics, "took_s")
    if took is not None:
        return took
    stages = metrics.get("stage_s")
    if not isinstance(stages, Mapping):
        return None
    known = [value for stage in stages if (value := number(stages, stage)) is not None]
    return sum(known) if known else None


def percent(value: float) -> str:
    """Write a share: 0.9953 as 99.53 %."""
    return f"{100 * value:.2f} %"


def decimal(value: float) -> str:
    """Write a share, a cosine or an area with four decimals."""
    return f"{value:.4f}"


def cosine(value: float) -> str:
    """Write a similarity with four decimals, as thresholds have, and a real minus sign."""
    return f"{value:.4f}".replace("-", "−")


def count(value: float) -> str:
    """Write a whole number, with commas between thousands."""
    return f"{round(value):,}"


def rate(value: float) -> str:
    """Write a share with two figures, small ones with a power of ten: 0, 4.5e-5, 1.2e-3, 0.25."""
    if value == 0 or value >= 0.01:
        return f"{value:.2g}"
    figure, _, power = f"{value:.1e}".partition("e")
    return f"{figure}e{int(power)}"


def expected(value: float) -> str:
    """Write an expected number: 0.01, 0.1, 1, 10, 1,000."""
    return count(value) if value >= 1 else f"{value:.2g}"


def seconds(value: float) -> str:
    """Write a time: 80 ms, 4.2 s, 3 min 05 s, 1 h 02 min."""
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def milliseconds(value: float) -> str:
    """Write a time given in milliseconds."""
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


ACCURACY = Measure(
    "Accuracy", ("accuracy",), percent, "high",
    "share of pairs judged rightly, threshold chosen on the other folds; ± deviation of the folds",
    ("accuracy_std",),
)  # fmt: skip
AUC = Measure("AUC", ("auc",), decimal, "high", "area under the ROC curve")
EER = Measure("EER", ("eer",), percent, "low", "error rate where both kinds of error are equal")
TAR_1E3 = Measure(
    "TAR at FAR 1e-3", ("tar_at_far", "1e-3"), percent, "high",
    "share of same pairs accepted where one in 1000 different pairs is",
)  # fmt: skip
TAR_1E4 = Measure("TAR at FAR 1e-4", ("tar_at_far", "1e-4"), percent, "high")
TAR_ALL = tuple(
    Measure(
        f"TAR at {far}, all pairs", ("all_pairs", "tar_at_far", far), percent, "high",
        f"share of same pairs accepted where one in {among} different pairs is, over all pairs of "
        "photos: those of the protocol are too few for low rates",
    )
    for far, among in (("1e-3", "1,000"), ("1e-4", "10,000"), ("1e-5", "100,000"))
)  # fmt: skip
TOP20 = Measure(
    "Top 20 of existing", ("top20_of_existing",), percent, "high",
    "share of right photos among the 20 nearest, of as many as exist",
)  # fmt: skip
MAP = Measure("mAP", ("map",), decimal, "high", "mean average precision over all queries")
NEAREST = Measure(
    "1-NN", ("knn_leave_one_out",), percent, "high",
    "share of photos whose nearest other photo shows the same person",
)  # fmt: skip
DETECTION = Measure(
    "Detected", ("detection_rate",), percent, "high", "share of photos in which a face was found"
)
DIMENSIONS = Measure("Dimensions", ("dimensions",), count, "low", "numbers in a vector")
TIME = Measure("Time", ("took_s",), seconds, "low", "all stages together", total=True)
SUMMARY = (
    ACCURACY, AUC, EER, *TAR_ALL, TOP20, MAP, NEAREST, DETECTION, DIMENSIONS, TIME,
)  # fmt: skip
VERIFICATION = (
    ACCURACY,
    Measure("With faceless pairs", ("accuracy_all",), percent, "high",
           "accuracy where pairs without a face count as wrong"),
    AUC,
    EER,
    Measure("TAR at FAR 1e-2", ("tar_at_far", "1e-2"), percent, "high"),
    TAR_1E3,
    TAR_1E4,
    Measure("Pairs", ("pairs",), count),
    Measure("Left out", ("pairs_left_out",), count, hint="pairs with a photo that has no vector"),
    Measure("Euclidean", ("euclidean", "accuracy"), percent, "high",
           "accuracy by Euclidean distance, which ranks vectors of one length as cosine does",
           ("euclidean", "accuracy_std")),
    Measure("Euclidean AUC", ("euclidean", "auc"), decimal, "high"),
    Measure("Euclidean EER", ("euclidean", "eer"), percent, "low"),
    Measure("Euclidean TAR at FAR 1e-2", ("euclidean", "tar_at_far", "1e-2"), percent, "high"),
    Measure("Euclidean TAR at FAR 1e-3", ("euclidean", "tar_at_far", "1e-3"), percent, "high"),
)  # fmt: skip
RETRIEVAL = (
    TOP20,
    Measure("Top 20 of 20", ("top20",), percent, "high",
           "share of right photos among 20; few people have 21 photos, so 100 % cannot be had"),
    MAP,
    Measure("Recall at 1", ("recall_at", "1"), percent, "high"),
    Measure("Recall at 5", ("recall_at", "5"), percent, "high"),
    Measure("Recall at 20", ("recall_at", "20"), percent, "high"),
    NEAREST,
    Measure("k-NN, split", ("knn_stratified",), percent, "high",
           "k-NN classification on a stratified split"),
    Measure("Queries", ("queries",), count),
    Measure("Copies", ("copies",), count,
           hint="photos that are byte for byte an earlier one; a query never counts its own"),
    Measure("Photos", ("photos",), count),
    Measure("People", ("people",), count),
)  # fmt: skip
STORES = (
    Measure("Recall at 20", ("store", "recall20"), percent, "high", "against exact search"),
    Measure("Insert", ("store", "insert_s"), seconds, "low", "all vectors"),
    Measure("Search", ("store", "search_ms"), milliseconds, "low", "one query"),
    DIMENSIONS,
    Measure("Vectors", ("photos",), count),
)  # fmt: skip
VIDEO = (
    Measure("Found", ("found_of_every_frame",), percent, "high",
           "share of the (person, second) pairs that looking at every frame finds"),
    Measure("Detections", ("detections_of_every_frame",), percent, "low",
           "share of the detections that looking at every frame costs"),
    Measure("Recall", ("moment_recall",), percent, "high", "seconds found, at same person"),
    Measure("Precision", ("moment_precision",), percent, "high", "seconds right, at same person"),
    Measure("Recall, possible", ("moment_recall_possible",), percent, "high"),
    Measure("Precision, possible", ("moment_precision_possible",), percent, "high"),
    Measure("mAP", ("map",), decimal, "high", "person in video"),
    Measure("Span error", ("span_error_s", "median"), seconds, "low", "median"),
    Measure("Span error p90", ("span_error_s", "p90"), seconds, "low"),
    Measure("Documents", ("documents",), count, "low"),
    Measure("mAP, by clip", ("by_video_query", "map"), decimal, "high",
           "person in video, searched for with a clip of them"),
    Measure("Recall, by clip", ("by_video_query", "moment_recall"), percent, "high",
           "seconds found at same person, searched for with a clip"),
    Measure("Precision, by clip", ("by_video_query", "moment_precision"), percent, "high"),
    Measure("Looked at", ("looked_at",), count, "low", "frames on which faces were looked for"),
    Measure("Frames", ("frames",), count),
    Measure("Faces", ("faces",), count),
    TIME,
    Measure("Videos", ("videos",), count),
)  # fmt: skip
