"""Runs over rendered clips of the folder's people; see `evaluation.video`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from indexer.evaluation.machine import describe
from indexer.evaluation.matrix import specs_of
from indexer.evaluation.model_choice import chosen_spec, deciding
from indexer.evaluation.outcomes import code_digest, key_of
from indexer.evaluation.photo_runs import said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from indexer.evaluation.loading import Loader
    from indexer.evaluation.matrix import VideoRun
    from indexer.evaluation.progress import Watcher
    from indexer.evaluation.records import Outcome
    from indexer.evaluation.video.sets import VideoSet
    from indexer.settings import Settings

STRATEGY = "keyframes.strategy"


@dataclass(frozen=True)
class VideoPlan:
    """A run with all that decides what comes of it.

    reference: the outcome of the run that looked at every frame with the same model, if one did.
    """

    run: VideoRun
    spec: str
    settings: Settings
    videos: VideoSet
    reference: Outcome | None
    deciding: Mapping[str, Any]


class VideoRuns:
    """Plans runs over videos and does them. photos: the folder whose people the clips show."""

    def __init__(
        self,
        photos: Path,
        loader: Loader,
        watcher: Watcher,
        *,
        work: Path,
        models: Path | None,
    ) -> None:
        self._photos = photos
        self._loader = loader
        self._watcher = watcher
        self._work = work
        self._models = models
        self._videos: VideoSet | None = None
        self._references: dict[tuple[str, str], Outcome] = {}

    def plan(self, run: VideoRun, settings: Settings) -> VideoPlan:
        """Plan a run under its settings. Raises WeightsUnavailable, UsageError."""
        spec = chosen_spec(specs_of(run), self._models)
        videos = self._rendered()
        reference = self._references.get((spec, _others(settings)))
        decided_by = {
            "kind": "video",
            "ranking": run.ranking,
            "model": deciding(spec, settings),
            "options": settings.options_for("video"),
            "videos": videos.digest,
            "reference": None if reference is None else key_of(reference.metrics),
            "code": code_digest("video"),
        }
        return VideoPlan(run, spec, settings, videos, reference, decided_by)

    def carry_out(self, plan: VideoPlan) -> Outcome:
        """Do a run. Raises any SightingsError."""
        from indexer.evaluation.video import running

        self._watcher.step("loading the model")
        networks = self._loader.load(plan.spec, plan.settings)
        self._watcher.step("indexing and searching")
        outcome = running.run_video(
            running.VideoRun(plan.run.name, plan.spec, plan.run.settings, plan.run.ranking),
            plan.videos,
            self._work / "video-indexes",
            settings=plan.settings,
            networks=networks,
            every_frame=plan.reference,
        )
        identity = networks.embedder.identity
        made_with = {
            **describe("sightings", "numpy", "openvino", "av", "opencv-python-headless"),
            **outcome.made_with,
            "model": identity.key,
            "weights_sha256": identity.weights_sha256,
            "licence": identity.licence,
        }
        metrics = dict(outcome.metrics)
        if is_reference(plan.run, plan.settings):
            # What others are compared with is all of itself.
            metrics |= {"found_of_every_frame": 1.0, "detections_of_every_frame": 1.0}
        return replace(
            outcome, configuration=configuration(plan), metrics=metrics, made_with=made_with
        )

    def remember(self, plan: VideoPlan, outcome: Outcome) -> None:
        """Take note of a run that looked at every frame: others are compared with it."""
        if is_reference(plan.run, plan.settings):
            self._references[plan.spec, _others(plan.settings)] = outcome

    def _rendered(self) -> VideoSet:
        if self._videos is None:
            from indexer.evaluation.video.sets import render_set

            self._watcher.step("rendering clips")
            self._videos = render_set(self._photos, self._work / "videos")
        return self._videos


def is_reference(run: VideoRun, settings: Settings) -> bool:
    """Whether a run looks at every frame."""
    return settings.keyframes.strategy == "all" and run.ranking == "search"


def _others(settings: Settings) -> str:
    """Return what is the same in all runs that are compared: all but the choice of frames."""
    parts = asdict(settings)
    return key_of({name: parts[name] for name in ("faces", "appearances")})


def configuration(plan: VideoPlan) -> dict[str, Any]:
    """Return what was run, in words and numbers, without paths of this machine."""
    run = plan.run
    told = {"about": run.about, "model": said(plan.spec), "settings": run.settings}
    told |= {"ranking": run.ranking}
    return {name: value for name, value in told.items() if value not in ("", {})}
