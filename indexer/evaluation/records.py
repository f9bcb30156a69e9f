"""The frozen records of an evaluation: what is measured, on what, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    Array = np.ndarray[Any, Any]

Metric = Literal["cosine", "euclidean"]
OutcomeKind = Literal["photos", "video"]
OutcomeState = Literal["done", "skipped", "failed"]

FARS = (1e-2, 1e-3, 1e-4, 1e-5)
"""The false-accept rates at which shares of accepted pairs and thresholds are told; measures by
rate have the keys "1e-2" to "1e-5" in outcomes."""


@dataclass(frozen=True)
class Features:
    """One vector for each photo of a folder in LFW's layout.

    names: of the photos, `Name/Name_0001.jpg` below the folder, sorted. persons: the folder of
    each. vectors: (n, dimensions) float32; row i belongs to names[i]; of length 1, unless a
    reduction of dimensions made them. missing: photos without a face, or unreadable. model: key of
    what made them. stage_s: seconds that each stage took, as far as known.
    """

    names: tuple[str, ...]
    persons: tuple[str, ...]
    vectors: Array = field(repr=False)
    missing: tuple[str, ...] = ()
    model: str = ""
    stage_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """A pair of photos, by their names in `Features`; fold: counted from 0."""

    first: str
    second: str
    same: bool
    fold: int


@dataclass(frozen=True)
class Outcome:
    """What came of one run of a matrix; a report is made from these alone.

    reason: why a run was skipped or failed. configuration: what was run, in words and numbers that
    JSON takes. metrics: numbers, or mappings and lists of them. arrays: what plots and contact
    sheets need. made_with: versions, seeds, hashes of inputs, the machine.

    Metrics of photos: photos, people, detection_rate (None for whole pictures), dimensions;
    accuracy, accuracy_std, accuracy_all (pairs without a face count as wrong), auc, eer,
    tar_at_far, pairs, pairs_left_out, all by cosine, and `euclidean` with accuracy, accuracy_std,
    auc, eer, tar_at_far; wrong_pairs, a list of first, second, same, fold, cosine and the fold's
    threshold, the worst first; all_pairs with same, different (counts), threshold_at_far,
    tar_at_far; top20 (of 20), top20_of_existing, map, recall_at ("1", "5", "20"), queries, copies
    (photos that are one of an earlier one); by_photos, a list of photos (as "2-3"), people,
    queries, top20_of_existing, map; knn_leave_one_out, knn_stratified; store with insert_s,
    search_ms, recall20 (against exact); by_group, a list of attribute, group,
    people, photos, same, different and pairs (counts), accuracy, tar, far, false_accepts (at the
    threshold possible), where attributes were given; stage_s.
    Arrays of photos: names, persons; roc_far, roc_tar, roc_threshold, and where vectors are not all
    of length 1 roc_euclidean_far and so on; fold_accuracies; score_edges, score_same,
    score_different (counts over all pairs); neighbours (n, 20) int rows of names, neighbour_scores
    (n, 20), average_precision (n,), nan for people with one photo; map_rows (m,) rows and
    map_vectors (m, dimensions) of the most photographed people.

    Metrics of video: videos, frames, looked_at (frames detected on), faces (detected), documents;
    queries (photos, each by itself), queries_without_face; map (person in video), moment_recall,
    moment_precision (seconds right at `same person`), and both at `possible` with the suffix
    _possible; span_error_s with median, p90, spans, missed; by_video_query with the same from
    queries to span_error_s, for clips as queries; stage_s with index, queries, search; took_s.
    Held against a run that looks at every frame: found_of_every_frame (share of the (person,
    second) pairs that one finds), the same with _possible, followed_of_every_frame (whatever the
    person is taken for), detections_of_every_frame (frames looked at), faces_of_every_frame.
    Arrays of video: found_same, found_possible (n, 3) int rows of query, clip, second; followed
    (n, 3) of person, clip, second.
    """

    name: str
    kind: OutcomeKind
    state: OutcomeState
    reason: str | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict, repr=False)
    made_with: Mapping[str, Any] = field(default_factory=dict)
