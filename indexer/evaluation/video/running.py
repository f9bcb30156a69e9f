"""One run: clips are indexed and searched under some settings, and what came of it is measured."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from indexer.errors import UsageError
from indexer.evaluation.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from indexer.engines.base import Index
    from indexer.evaluation.video.finding import Asked, Indexed
    from indexer.evaluation.video.scoring import Answer
    from indexer.evaluation.video.sets import VideoSet
    from indexer.networks import Networks
    from indexer.settings import Settings

    Array = np.ndarray[Any, Any]

EVERY_FRAME: Mapping[str, Any] = {"keyframes.strategy": "all"}
"""The settings of the run that others are held against."""


@dataclass(frozen=True)
class VideoRun:
    """What is to be run.

    model: spec of an embedding model. settings: values by dotted name. ranking: `search` is the
    product's; `mean` is study 001's, one vector a video, which gives no moments.
    """

    name: str
    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    ranking: Literal["search", "mean"] = "search"


def run_video(
    run: VideoRun,
    videos: VideoSet,
    folder: Path,
    *,
    settings: Settings | None = None,
    networks: Networks | None = None,
    every_frame: Outcome | None = None,
) -> Outcome:
    """Index the clips, search them for everybody, and measure what is found.

    folder: keeps the indexes; one of the same clips, model and settings is used again. settings:
    what those of the run are put on top of, by default the defaults. networks: loaded already; they
    must look for faces as the run does. every_frame: the outcome of a run of EVERY_FRAME with the
    same model and otherwise the same settings; without it, nothing is told about the share of it.
    Raises UsageError, WeightsUnavailable, MissingExtra, IndexFailure, EnvironmentFailure.
    """
    from indexer import open_index
    from indexer.evaluation.video.finding import ask, index_clips, index_path
    from indexer.placing import make_folder
    from indexer.query import PictureQueries

    begun_s = time.perf_counter()
    chosen = assigned(settings, run.settings)
    loaded = _networks(run, chosen, networks)
    make_folder(folder)
    path = index_path(videos, loaded.embedder.identity.key, chosen, folder)
    with open_index(path, create=True) as index:
        indexed = index_clips(index, videos, loaded, path.with_suffix(".json"))
        indexed_s = time.perf_counter()
        asked = ask(videos, PictureQueries(index, chosen, networks=loaded))
        asked_s = time.perf_counter()
        metrics, arrays = _measured(run, videos, index, indexed, asked, chosen)
    done_s = time.perf_counter()
    metrics |= _compared(metrics, arrays, every_frame) if every_frame else {}
    metrics["stage_s"] = {
        "index": indexed.took_s,
        "queries": asked_s - indexed_s,
        "search": done_s - asked_s,
    }
    metrics["took_s"] = indexed.took_s + done_s - indexed_s
    metrics["this_run_s"] = done_s - begun_s
    return Outcome(
        name=run.name,
        kind="video",
        state="done",
        configuration={
            "model": run.model,
            "settings": dict(run.settings),
            "ranking": run.ranking,
            "keyframes": asdict(chosen.keyframes),
        },
        metrics=metrics,
        arrays=arrays,
        made_with={**videos.made_with, "model": loaded.embedder.identity.key},
    )


def assigned(settings: Settings | None, assignments: Mapping[str, Any]) -> Settings:
    """Return settings, by default the defaults, with values put in by dotted name.

    Raises UsageError for names that are not known and values that do not fit.
    """
    from indexer.settings import Settings, load

    whole = dict(_flat(settings or Settings()))
    return load({**whole, **assignments}, environment={})


def _flat(settings: Any, section: str = "") -> Iterator[tuple[str, Any]]:
    for entry in fields(settings):
        value = getattr(settings, entry.name)
        if is_dataclass(value):
            yield from _flat(value, f"{section}{entry.name}.")
        else:
            yield f"{section}{entry.name}", value


def _networks(run: VideoRun, settings: Settings, networks: Networks | None) -> Networks:
    from indexer.networks import load_networks

    if networks is None:
        return load_networks(None, settings, spec=run.model)
    if networks.settings.faces != settings.faces:
        raise UsageError(
            f"The run {run.name} looks for faces by other settings than the networks that are "
            "loaded. Leave out the networks, and it loads its own."
        )
    return replace(networks, settings=settings)


def _measured(
    run: VideoRun,
    videos: VideoSet,
    index: Index,
    indexed: Indexed,
    asked: Sequence[Asked],
    settings: Settings,
) -> tuple[dict[str, Any], dict[str, Array]]:
    from indexer.evaluation.video.finding import mean_of_clips, search_clips
    from indexer.evaluation.video.following import followed
    from indexer.evaluation.video.scoring import Answer, seconds_followed
    from indexer.records import Filters

    search = search_clips if run.ranking == "search" else mean_of_clips
    answers = {
        kind: [
            Answer(
                each.person,
                search(index, each.query, indexed.media_ids) if each.query else None,
            )
            for each in asked
            if each.kind == kind
        ]
        for kind in ("photo", "video")
    }
    gap_s = settings.appearances.max_gap_s if run.ranking == "search" else None
    by_photo, arrays = _found(answers["photo"], videos, gap_s)
    by_video, _ = _found(answers["video"], videos, gap_s)
    spans = [
        followed(index.iter_faces(Filters(media_ids=(media_id,))), clip.people)
        for media_id, clip in zip(indexed.media_ids, videos.clips, strict=True)
    ]
    metrics: dict[str, Any] = {
        "videos": len(videos.clips),
        "frames": indexed.frames,
        "looked_at": indexed.looked_at,
        "faces": indexed.faces,
        "documents": indexed.documents,
        **by_photo,
        "by_video_query": by_video,
    }
    return metrics, {**arrays, "followed": seconds_followed(spans, videos.clips)}


def _found(
    answers: Sequence[Answer], videos: VideoSet, gap_s: float | None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the measures of searches; gap_s: see `span_error`, None if they know no moments."""
    from indexer.evaluation.video.scoring import (
        LEVELS,
        mean_average_precision,
        moments_found,
        span_error,
    )

    metrics: dict[str, Any] = {
        "queries": len(answers),
        "queries_without_face": sum(answer.found is None for answer in answers),
        "map": mean_average_precision(answers, videos.clips),
    }
    arrays: dict[str, Array] = {}
    if gap_s is not None:
        for suffix, verdicts in LEVELS.items():
            total, rows = moments_found(answers, videos.clips, verdicts)
            metrics[f"moment_recall{suffix}"] = total.recall
            metrics[f"moment_precision{suffix}"] = total.precision
            arrays[f"found{suffix or '_same'}"] = rows
        shown = LEVELS["_possible"]  # all that a search gives
        metrics["span_error_s"] = span_error(answers, videos.clips, shown, gap_s)
    return metrics, arrays


def _compared(
    metrics: Mapping[str, Any], arrays: Mapping[str, Array], every_frame: Outcome
) -> dict[str, Any]:
    """Return what part a run finds of what looking at every frame finds, and with how much work."""
    from indexer.evaluation.video.measures import share_of

    compared = {
        name: share_of(arrays[key], every_frame.arrays[key])
        for name, key in (
            ("found_of_every_frame", "found_same"),
            ("found_of_every_frame_possible", "found_possible"),
            ("followed_of_every_frame", "followed"),
        )
        if key in arrays
    }
    for name, key in (
        ("detections_of_every_frame", "looked_at"),
        ("faces_of_every_frame", "faces"),
    ):
        reference = every_frame.metrics[key]
        compared[name] = metrics[key] / reference if reference else None
    return compared
