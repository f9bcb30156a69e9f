"""Clips -> an index -> what searches find in it, all by the product's own code."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.boxes import centre_distance
from indexer.errors import EnvironmentFailure, NoFace
from indexer.query import mean_vector
from indexer.records import Filters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.evaluation.video.sets import VideoSet
    from indexer.evaluation.video.truth import Span
    from indexer.networks import Networks
    from indexer.query import PictureQueries, Query
    from indexer.records import Verdict
    from indexer.settings import Settings


@dataclass(frozen=True)
class Indexed:
    """Clips in an index. media_ids: of the clips, in their order. took_s: of all runs it needed."""

    media_ids: tuple[str, ...]
    frames: int
    looked_at: int
    faces: int
    documents: int
    took_s: float


@dataclass(frozen=True)
class Asked:
    """A query that was made, or could not be (None: no face was seen). kind: of its file."""

    person: str
    kind: str
    query: Query | None


@dataclass(frozen=True)
class Found:
    """What a query gives on one clip. score: None if it gives nothing there."""

    score: float | None
    spans: Mapping[Verdict, tuple[Span, ...]]


def index_path(videos: VideoSet, model: str, settings: Settings, folder: Path) -> Path:
    """Return where the index of these clips, model and settings lies, or is to lie."""
    whole = f"{videos.digest} {model} {settings.options_for('video')}"
    return folder / f"{hashlib.sha256(whole.encode()).hexdigest()[:12]}.sightings"


def index_clips(index: Index, videos: VideoSet, networks: Networks, beside: Path) -> Indexed:
    """Index the clips, as far as they are not done yet.

    beside: a file that keeps how long it took, over several runs. Raises EnvironmentFailure if a
    clip could not be indexed, besides what `ingest` raises.
    """
    from indexer.ingest import ingest
    from indexer.media import content_id
    from indexer.placing import place_text

    begun_s = time.perf_counter()
    report = ingest(index, [clip.path for clip in videos.clips], networks)
    if report.failed or report.waiting:
        raise EnvironmentFailure(f"Not all clips were indexed: {report.failed + report.waiting}")
    took_s = json.loads(beside.read_text())["took_s"] if beside.exists() else 0.0
    if report.done:
        took_s += time.perf_counter() - begun_s
        place_text(beside, json.dumps({"took_s": took_s}))
    media_ids = tuple(content_id(clip.path) for clip in videos.clips)
    counts = [job.counts for media_id in media_ids for job in index.list_segments(media_id)]
    return Indexed(
        media_ids,
        frames=sum(each.frames for each in counts),
        looked_at=sum(each.key_frames for each in counts),
        faces=sum(each.faces for each in counts),
        documents=index.count(Filters(media_ids=media_ids)),
        took_s=took_s,
    )


def ask(videos: VideoSet, pictures: PictureQueries) -> list[Asked]:
    """Return all queries: of each person first the photos, then the clip.

    Of a photo the face nearest its centre is taken: in LFW that is who it is named after.
    """
    return [
        Asked(each.person, kind, _query(pictures, path, kind))
        for each in videos.queries
        for kind, path in [*(("photo", path) for path in each.photos), ("video", each.clip)]
    ]


def _query(pictures: PictureQueries, path: Path, kind: str) -> Query | None:
    from indexer.query import photo_queries

    try:
        if kind == "video":
            return pictures.video(path)
        faces = pictures.faces(path)
    except NoFace:
        return None
    away = [centre_distance(f.box_xyxy, f.frame_width, f.frame_height) for f in faces]
    return photo_queries([(path.name, faces)], [int(np.argmin(away)) + 1])[0]


def search_clips(index: Index, query: Query, media_ids: Sequence[str]) -> list[Found]:
    """Return what the product's search finds on each clip, in their order."""
    from indexer.searching import find

    results = find(
        index,
        query,
        filters=Filters(media_ids=tuple(media_ids)),
        top=len(media_ids),
        include_different=True,
    )
    by_id = {result.media.id: result for result in results}
    found = []
    for media_id in media_ids:
        result = by_id.get(media_id)
        spans: dict[Verdict, list[Span]] = {}
        for seen in result.appearances if result else ():
            if seen.verdict is not None:
                spans.setdefault(seen.verdict, []).append((seen.start_s, seen.end_s))
        score = result.score if result else None
        found.append(Found(score, {verdict: tuple(each) for verdict, each in spans.items()}))
    return found


def mean_of_clips(index: Index, query: Query, media_ids: Sequence[str]) -> list[Found]:
    """Return the scores of study 001's way: one vector a video, the mean of its faces' vectors.

    The score is the highest cosine of that mean, brought to length 1, to any of the query's
    vectors. There are no spans: the mean knows nothing of time.
    """
    found = []
    for media_id in media_ids:
        faces = list(index.iter_faces(Filters(media_ids=(media_id,)), embeddings=True))
        if faces:
            mean = mean_vector(np.array([face.vector for face in faces]))
            found.append(Found(float((query.vectors @ mean[0]).max()), {}))
        else:
            found.append(Found(None, {}))
    return found
