"""Runs over rendered clips of the folder's people; see `evaluation.video`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from indexer.evaluation.code import LIBRARIES, STORE_LIBRARIES
from indexer.evaluation.machine import describe
from indexer.evaluation.matrix import specs_of
from indexer.evaluation.model_choice import chosen_spec, deciding
from indexer.evaluation.outcomes import key_of
from indexer.evaluation.photo_runs import said
from indexer.evaluation.plans import Plan, without_blanks

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.evaluation.loading import Loader
    from indexer.evaluation.matrix import VideoRun
    from indexer.evaluation.progress import Watcher
    from indexer.evaluation.records import Outcome
    from indexer.evaluation.video.recipes import Recipe
    from indexer.evaluation.video.sets import VideoSet
    from indexer.evaluation.work_folder import WorkFolder
    from indexer.settings import Settings


class VideoRuns:
    """Plans runs over videos and does them.

    photos: the folder whose people the clips show. recipe: of the clips; runs may have others of
    another seed.
    """

    def __init__(
        self,
        photos: Path,
        recipe: Recipe,
        loader: Loader,
        watcher: Watcher,
        *,
        work: WorkFolder,
        models: Path | None,
    ) -> None:
        self._photos = photos
        self._recipe = recipe
        self._loader = loader
        self._watcher = watcher
        self._work = work
        self._models = models
        self._videos: dict[int, VideoSet] = {}
        self._references: dict[tuple[str, str, str], Outcome] = {}

    def plan(self, run: VideoRun, settings: Settings) -> Plan:
        """Plan a run under its settings. Raises WeightsUnavailable, UsageError."""
        spec = chosen_spec(specs_of(run), self._models)
        videos = self._rendered(run)
        compared = (videos.digest, spec, _others(settings))
        reference = self._references.get(compared)
        decided_by = {
            "kind": "video",
            "ranking": run.ranking,
            "model": deciding(spec, settings),
            "options": settings.options_for("video"),
            "videos": videos.digest,
            "reference": None if reference is None else key_of(reference.metrics),
        }
        told = without_blanks(
            {
                "about": run.about,
                "model": said(spec),
                "settings": run.settings,
                "ranking": None if run.ranking == "search" else run.ranking,
                "seed": run.seed,
            }
        )

        def note(outcome: Outcome) -> None:
            if is_reference(run, settings):
                self._references[compared] = outcome

        def carry_out() -> Outcome:
            outcome = self._outcome(run, spec, settings, reference)
            return replace(outcome, configuration=told)

        return Plan(decided_by, told, carry_out, note)

    def _outcome(
        self, run: VideoRun, spec: str, settings: Settings, reference: Outcome | None
    ) -> Outcome:
        from indexer.evaluation.video import running

        self._watcher.step("loading the model")
        networks = self._loader.load(spec, settings)
        self._watcher.step("indexing and searching")

        def held_against(reference: Outcome | None) -> Outcome:
            return running.run_video(
                running.VideoRun(run.name, spec, run.settings, run.ranking),
                self._rendered(run),
                self._work.indexes("video", settings),
                settings=settings,
                networks=networks,
                every_frame=reference,
            )

        outcome = held_against(reference)
        if is_reference(run, settings):
            # What others are held against is told in the same figures; its index is there now.
            outcome = held_against(outcome)
        identity = networks.embedder.identity
        made_with = {
            **describe("sightings", *LIBRARIES, *STORE_LIBRARIES),
            **outcome.made_with,
            "model": identity.key,
            "weights_sha256": identity.weights_sha256,
            "licence": identity.licence,
        }
        return replace(outcome, made_with=made_with)

    def _rendered(self, run: VideoRun) -> VideoSet:
        """Return the clips of a run; those of each seed are rendered once."""
        seed = self._recipe.seed if run.seed is None else run.seed
        if seed not in self._videos:
            from indexer.evaluation.video.sets import render_set

            self._watcher.step("rendering clips")
            recipe = replace(self._recipe, seed=seed)
            self._videos[seed] = render_set(
                self._photos, self._work.folder / "videos", recipe=recipe
            )
        return self._videos[seed]


def is_reference(run: VideoRun, settings: Settings) -> bool:
    """Whether a run looks at every frame."""
    return settings.keyframes.strategy == "all" and run.ranking == "search"


def _others(settings: Settings) -> str:
    """Return what is the same in all runs that are compared: all but the choice of frames."""
    parts = asdict(settings)
    return key_of({name: parts[name] for name in ("faces", "appearances")})
