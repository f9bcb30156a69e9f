"""Made-up outcomes of an evaluation, seeded, with figures that follow from made-up vectors.

People are points on a sphere and photos lie around them: the wider, the worse the model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from indexer.evaluation.records import FARS, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from indexer.evaluation.records import Array

FAR_KEYS = ("1e-2", "1e-3", "1e-4", "1e-5")
MADE_WITH = {
    "versions": {"sightings": "0.1.0", "numpy": "2.2.0"},
    "seed": 7,
    "machine": {"cpu": "made up", "cores": 2},
}
BAD_NAME = "<script>alert('x')</script> & $\\frac$ 漢字 \udc80"
PHOTOS_OF_PEOPLE = (24, 12, 9, 8, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1)


def photo_outcome(
    name: str = "facenet, margin 32",
    *,
    spread: float = 0.6,
    seed: int = 1,
    dimensions: int = 32,
    people: Sequence[str] | None = None,
    **configuration: Any,
) -> Outcome:
    """Return a done run on photos; spread: how far photos lie from their person."""
    people = people or [f"Person_{chr(65 + place)}" for place in range(len(PHOTOS_OF_PEOPLE))]
    persons = [p for p, photos in zip(people, PHOTOS_OF_PEOPLE, strict=True) for _ in range(photos)]
    names = [
        f"{p}/{p.replace('/', '')}_{n + 1:04d}.jpg"
        for p, photos in zip(people, PHOTOS_OF_PEOPLE, strict=True)
        for n in range(photos)
    ]
    vectors = _vectors(persons, spread, seed, dimensions)
    metrics, arrays = _measured(np.array(persons), vectors, np.random.default_rng(seed))
    arrays |= {"names": np.array(names), "persons": np.array(persons)}
    metrics |= {"detection_rate": 0.998, "dimensions": dimensions}
    metrics["stage_s"] = {"detect": 61.25, "embed": 4.5 * dimensions, "search": 0.25}
    made_with = MADE_WITH | {"weights": {"sha256": f"{seed:064x}"}}
    return Outcome(name, "photos", "done", None, {"model": "facenet", **configuration},
                   metrics, arrays, made_with)  # fmt: skip


def video_outcome(name: str, found: float, detections: float, **metrics: Any) -> Outcome:
    """Return a done run on videos."""
    known = {
        "videos": 12, "frames": 6000, "looked_at": round(6000 * detections), "faces": 4200,
        "documents": 310, "map": 0.91, "moment_recall": found - 0.02, "moment_precision": 0.995,
        "moment_recall_possible": found - 0.01, "moment_precision_possible": 0.97,
        "found_of_every_frame": found, "detections_of_every_frame": detections,
        "span_error_s": {"median": 0.12, "p90": 0.8}, "took_s": 400 * detections,
    }  # fmt: skip
    return Outcome(name, "video", "done", metrics=known | metrics, made_with=MADE_WITH)


def matrix() -> list[Outcome]:
    """Return what a whole matrix may give: done, skipped and failed runs, photos and video."""
    facenet = photo_outcome(crop="margin 32", fused=True)
    store = {"insert_s": 4.2, "search_ms": 2.75, "recall20": 0.9875}
    faster = {"insert_s": 1.5, "search_ms": 0.5, "recall20": 1.0}
    return [
        facenet,
        photo_outcome("mobilefacenet", spread=0.55, seed=2, dimensions=16),
        photo_outcome("resnet50, whole photo", spread=2.2, seed=3, dimensions=64),
        replace(facenet, name="facenet in Milvus", configuration={"store": "milvus"},
                metrics={**facenet.metrics, "store": store}),
        replace(facenet, name="facenet in one file", configuration={"store": "embedded"},
                metrics={**facenet.metrics, "store": faster}),
        Outcome("vgg16", "photos", "skipped", "its weights are out of reach", {"model": "vgg16"}),
        Outcome("dlib", "photos", "failed", "the package is broken: <b>no</b>", {"model": "dlib"}),
        Outcome("bare", "photos", "done", metrics={"accuracy": 0.75}),
        video_outcome("every frame", 1.0, 1.0),
        video_outcome("key frames, ΔE 8", 0.9925, 0.0825, documents=295),
        video_outcome("1 frame a second", 0.95, 0.04),
        video_outcome("5 random frames", 0.41, 0.01),
        Outcome("key frames, ΔE 99", "video", "skipped", "no clips could be rendered"),
    ]  # fmt: skip


def make_photos(folder: Path, outcome: Outcome) -> dict[str, tuple[int, int, int]]:
    """Write a photo of one colour of its own for each name; return the colours."""
    colours = {}
    for place, name in enumerate(str(each) for each in outcome.arrays["names"]):
        colours[name] = (place * 53 % 256, place * 97 % 256, 255 - place * 2 % 256)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (250, 250), colours[name]).save(path, quality=95)
    return colours


def _vectors(persons: Sequence[str], spread: float, seed: int, dimensions: int) -> Array:
    random = np.random.default_rng(seed)
    middles = {person: random.normal(size=dimensions) for person in dict.fromkeys(persons)}
    around = random.normal(scale=spread, size=(len(persons), dimensions))
    vectors = np.array([middles[person] for person in persons]) + around
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _measured(
    persons: Array, vectors: Array, random: np.random.Generator
) -> tuple[dict[str, Any], dict[str, Array]]:
    cosines = vectors @ vectors.T
    right = persons[:, None] == persons[None]
    upper = np.triu_indices(len(persons), 1)
    scores, same = cosines[upper], right[upper]
    thresholds = np.sort(np.unique(scores))[::-1]
    far = np.array([np.mean(scores[~same] >= t) for t in thresholds])
    tar = np.array([np.mean(scores[same] >= t) for t in thresholds])
    at_far = {key: int(np.searchsorted(far, f, side="right")) - 1
              for key, f in zip(FAR_KEYS, FARS, strict=True)}  # fmt: skip
    order = np.argsort(-(cosines - 9 * np.eye(len(persons))), axis=1)[:, :-1]
    hits = np.take_along_axis(right, order, axis=1)
    existing = hits.sum(axis=1)
    ranks = np.arange(1, hits.shape[1] + 1)
    precision = np.full(len(persons), np.nan)
    some = existing > 0
    precision[some] = (hits * (hits.cumsum(axis=1) / ranks)).sum(axis=1)[some] / existing[some]
    top = hits[:, :20].sum(axis=1)
    folds = np.clip(1 - np.mean(tar < 0.5) / 9 - random.random(5) / 80, 0, 1)
    edges = np.linspace(-1, 1, 81)
    accepted = {key: float(tar[place]) if place >= 0 else 0.0 for key, place in at_far.items()}
    metrics: dict[str, Any] = {
        "photos": len(persons), "people": len(set(persons)), "pairs": 3000, "pairs_left_out": 3,
        "accuracy": float(folds.mean()), "accuracy_std": float(folds.std()),
        "accuracy_all": float(folds.mean()) - 0.001,
        "auc": float(np.sum(np.diff(far, prepend=0) * tar)),
        "eer": float(far[np.argmin(np.abs(far - (1 - tar)))]), "tar_at_far": accepted,
        "euclidean": {"accuracy": float(folds.mean()), "accuracy_std": 0.004, "auc": 0.99},
        "all_pairs": {
            "same": int(same.sum()), "different": int((~same).sum()), "tar_at_far": accepted,
            "threshold_at_far": {k: float(thresholds[max(p, 0)]) for k, p in at_far.items()},
        },
        "queries": int(some.sum()), "top20": float(np.mean(top[some] / 20)),
        "top20_of_existing": float(np.mean(top[some] / np.minimum(existing[some], 20))),
        "map": float(np.nanmean(precision)),
        "recall_at": {str(k): float(np.mean(hits[some, :k].any(axis=1))) for k in (1, 5, 20)},
        "knn_leave_one_out": float(hits[some, 0].mean()), "knn_stratified": 0.97,
        "by_photos": _by_photos(existing + 1, precision, top),
    }  # fmt: skip
    rows = np.flatnonzero(existing >= 7)
    arrays = {
        "roc_far": far, "roc_tar": tar, "roc_threshold": thresholds, "fold_accuracies": folds,
        "score_edges": edges, "score_same": np.histogram(scores[same], edges)[0],
        "score_different": np.histogram(scores[~same], edges)[0],
        "neighbours": order[:, :20],
        "neighbour_scores": np.take_along_axis(cosines, order[:, :20], axis=1),
        "average_precision": precision, "map_rows": rows, "map_vectors": vectors[rows],
    }  # fmt: skip
    return metrics, arrays


def _by_photos(photos: Array, precision: Array, top: Array) -> list[Mapping[str, Any]]:
    groups = {"2-3": (2, 3), "4-9": (4, 9), "10 or more": (10, 10**6)}
    found = []
    for name, (low, high) in groups.items():
        chosen = (photos >= low) & (photos <= high)
        share = top[chosen] / np.minimum(photos[chosen] - 1, 20)
        found.append({
            "photos": name, "people": int(np.sum(1 / photos[chosen]).round()),
            "queries": int(chosen.sum()), "map": float(precision[chosen].mean()),
            "top20_of_existing": float(share.mean()),
        })  # fmt: skip
    return found
