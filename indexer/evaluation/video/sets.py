"""Sets of rendered clips in a folder: made once, used again, and known by their digest."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.evaluation.photo_folder import list_photos
from indexer.evaluation.video.recipes import MIXED, VERSION, Recipe, plans_of
from indexer.evaluation.video.rendering import ENCODING, encode
from indexer.evaluation.video.truth import PersonTruth, spans_of, times_of, truth_of
from indexer.placing import make_folder, place_text, placed
from indexer.runtime import processors
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from indexer.evaluation.video.plan import ClipPlan
    from indexer.evaluation.video.recipes import Plans

    Array = np.ndarray[Any, Any]

__all__ = ["MIXED", "Clip", "PersonQueries", "Recipe", "VideoSet", "render_set"]


@dataclass(frozen=True)
class Clip:
    """A rendered clip and its truth. times_s: of its frames, (frames,) float64."""

    name: str
    path: Path
    times_s: Array = field(repr=False, compare=False)
    people: tuple[PersonTruth, ...]


@dataclass(frozen=True)
class PersonQueries:
    """What a person is searched for with: photos, each by itself, and a clip; seen in no clip."""

    person: str
    photos: tuple[Path, ...]
    clip: Path


@dataclass(frozen=True)
class VideoSet:
    """A set of clips.

    digest: of the recipe, what it came to and the photos used: the same digest is the same set, as
    to what is seen when and where. made_with: the digest, and that of all pictures before they were
    encoded: where that is equal, too, the pictures are the same to the last bit (libraries may
    round otherwise on other machines, and encoders differ).
    """

    folder: Path
    digest: str
    clips: tuple[Clip, ...]
    queries: tuple[PersonQueries, ...]
    made_with: Mapping[str, Any] = field(default_factory=dict)


def render_set(photos: Path, folder: Path, *, recipe: Recipe = MIXED) -> VideoSet:
    """Return a set of clips, rendered into a folder of its own in `folder` unless it is there.

    photos: a folder in LFW's layout. Beside each clip lies its truth as JSON: who is seen from
    when to when, and the box of each face on each frame. A run that was stopped goes on where it
    was. Raises UsageError if there are too few people with enough photos, MediaError for one that
    cannot be decoded.
    """
    plans = plans_of(recipe, list_photos(photos), photos)
    digest = _digest(recipe, plans, photos)
    place = folder / f"{recipe.name}-{digest}"
    make_folder(place)
    made = [(plan, truth_of(plan, recipe.min_face_px)) for plan in plans.clips + plans.query_clips]
    with ThreadPoolExecutor(processors()) as threads:
        pictures = list(threads.map(lambda each: _rendered(each[0], each[1], photos, place), made))
    clips = tuple(
        Clip(plan.name, place / f"{plan.name}.mp4", times_of(plan), people)
        for plan, people in made[: len(plans.clips)]
    )
    queries = tuple(
        PersonQueries(
            role.person,
            tuple(photos / name for name in role.queries),
            place / f"query-{role.person}.mp4",
        )
        for role in plans.roles
    )
    made_with = {"videos": digest, "pictures": _of_all(pictures), "seed": recipe.seed}
    return VideoSet(place, digest, clips, queries, made_with)


def _digest(recipe: Recipe, plans: Plans, photos: Path) -> str:
    """Return what tells sets apart: 12 hex digits."""
    contents = {
        name: hashlib.sha256((photos / name).read_bytes()).hexdigest() for name in plans.photos
    }
    whole = [VERSION, asdict(recipe), asdict(plans), ENCODING, contents]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:12]


def _of_all(digests: Sequence[str]) -> str:
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:12]


def _rendered(plan: ClipPlan, people: tuple[PersonTruth, ...], photos: Path, folder: Path) -> str:
    """Render a clip unless it is there; return the digest of its pictures."""
    path, beside = folder / f"{plan.name}.mp4", folder / f"{plan.name}.json"
    if path.exists() and beside.exists():
        return str(_truth_file(beside)["pictures_sha256"])
    with placed(path) as file:
        digest = encode(plan, photos, file)
        # First, as the clip says that both are there.
        place_text(beside, json.dumps(_in_json(plan, people, digest)))
    return digest


def _truth_file(path: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(path.read_text())
        return read
    except ValueError as error:
        raise UsageError(
            f"{shown(path)} is broken ({error}). Delete it, and its clip is rendered again."
        ) from error


def _in_json(plan: ClipPlan, people: tuple[PersonTruth, ...], digest: str) -> dict[str, Any]:
    """Return a clip's truth: spans in seconds, boxes by the number of the frame in whole pixels."""
    times_s = times_of(plan)
    return {
        "name": plan.name,
        "frames": plan.frames,
        "pictures_sha256": digest,
        "shots": [[shot.kind, shot.frames] for shot in plan.shots],
        "people": {
            each.person: {
                "visible_s": spans_of(each.visible, times_s),
                "boxes": {
                    int(i): np.round(each.boxes[i]).astype(int).tolist()
                    for i in np.flatnonzero(each.present)
                },
            }
            for each in people
        },
    }
