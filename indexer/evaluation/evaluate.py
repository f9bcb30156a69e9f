"""A matrix -> outcomes: each run is done, skipped or failed, and what is done is kept."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from indexer.errors import MissingExtra, OutOfReach, SightingsError, WeightsUnavailable
from indexer.evaluation.loading import Loader
from indexer.evaluation.material import read_material
from indexer.evaluation.matrix import PhotoRun, specs_of
from indexer.evaluation.outcomes import KeptOutcomes, key_of
from indexer.evaluation.photo_runs import PhotoRuns, said
from indexer.evaluation.plans import without_blanks
from indexer.evaluation.progress import Watcher
from indexer.evaluation.records import Outcome
from indexer.evaluation.video.recipes import MIXED
from indexer.evaluation.video_runs import VideoRuns, is_reference
from indexer.evaluation.work_folder import KINDS, WorkFolder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from indexer.evaluation.matrix import Matrix, VideoRun
    from indexer.evaluation.records import OutcomeState
    from indexer.evaluation.video.recipes import Recipe
    from indexer.settings import Settings

LOG = logging.getLogger(__name__)
CANNOT_BE_HAD = (WeightsUnavailable, MissingExtra, OutOfReach)
"""What makes a run skipped: it needs what is not here. Any other error makes it failed."""


@dataclass(frozen=True)
class Request:
    """What is evaluated, and where.

    photos: a folder in LFW's layout. work: where indexes, clips and outcomes are kept, so that
    the next evaluation goes on from there. pairs: in LFW's format. attributes: a CSV. models: the
    folder that `{models}` stands for. elasticsearch: address of the cluster for its stores.
    flags: settings by dotted name; those of a run go over them. recipe: of the clips for runs on
    videos, which may say another seed.
    """

    photos: Path
    work: Path
    pairs: Path | None = None
    attributes: Path | None = None
    models: Path | None = None
    elasticsearch: str = ""
    flags: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = MIXED


def evaluate(
    matrix: Matrix,
    request: Request,
    watcher: Watcher | None = None,
    *,
    stop_at_errors: bool = False,
) -> list[Outcome]:
    """Do the runs of a matrix and return their outcomes, in its order.

    A run that was done before, under conditions that all are the same, is taken from the work
    folder. stop_at_errors: let the errors of runs end the evaluation, instead of becoming
    outcomes. Raises UsageError for photos, pairs or attributes that cannot be used, and
    EnvironmentFailure if the work folder cannot be written.
    """
    return Evaluation(matrix, request, watcher or Watcher()).run(stop_at_errors=stop_at_errors)


class Evaluation:
    """An evaluation that runs."""

    def __init__(self, matrix: Matrix, request: Request, watcher: Watcher) -> None:
        self._matrix = matrix
        self._request = request
        self._watcher = watcher
        self._work = WorkFolder(request.work)
        self._kept = {kind: KeptOutcomes(self._work.outcomes(kind)) for kind in KINDS}
        material = read_material(request.photos, request.pairs, request.attributes)
        loader = Loader(watcher)
        self._photos = PhotoRuns(
            material,
            loader,
            watcher,
            work=self._work,
            models=request.models,
            elasticsearch=request.elasticsearch,
            seed=matrix.seed,
        )
        self._videos = VideoRuns(
            request.photos,
            request.recipe,
            loader,
            watcher,
            work=self._work,
            models=request.models,
        )

    def run(self, *, stop_at_errors: bool) -> list[Outcome]:
        """Do all runs; those on videos that others are compared with come before these."""
        runs = self._matrix.runs
        outcomes: dict[str, Outcome] = {}
        if unused := self._work.unused():
            self._watcher.warn(unused)
        for number, run in enumerate(sorted(runs, key=self._turn), 1):
            self._watcher.begin(run.name, number, len(runs))
            try:
                outcome, kept = self._outcome(run)
            except SightingsError as error:
                if stop_at_errors:
                    raise
                state: OutcomeState = "skipped" if isinstance(error, CANNOT_BE_HAD) else "failed"
                # What follows the first line says what to do on this machine.
                outcome, kept = _not_done(run, state, str(error).partition("\n")[0]), False
            except Exception as error:  # what libraries raise has no common base
                if stop_at_errors:
                    raise
                LOG.debug("%s failed.", run.name, exc_info=True)
                reason = f"Unexpected {type(error).__name__}: {error}"
                outcome, kept = _not_done(run, "failed", reason), False
            outcomes[run.name] = outcome
            self._watcher.end(outcome, kept=kept)
        return [outcomes[run.name] for run in runs]

    def _turn(self, run: PhotoRun | VideoRun) -> int:
        """Return when a run's turn is: photos, then every frame of videos, then other videos."""
        if isinstance(run, PhotoRun):
            return 0
        return 1 if is_reference(run, self._settings(run)) else 2

    def _outcome(self, run: PhotoRun | VideoRun) -> tuple[Outcome, bool]:
        """Return what comes of a run, and whether it was kept from before."""
        settings = self._settings(run)
        if isinstance(run, PhotoRun):
            plan, stored = self._photos.plan(run, settings), self._kept["photos"]
        else:
            plan, stored = self._videos.plan(run, settings), self._kept["video"]
        key = key_of(plan.deciding)
        kept = stored.find(key)
        if kept is not None:
            outcome = replace(kept, name=run.name, configuration=plan.configuration)
        else:
            outcome = plan.carry_out()
            stored.keep(key, outcome)
        plan.note(outcome)
        return outcome, kept is not None

    def _settings(self, run: PhotoRun | VideoRun) -> Settings:
        from indexer.settings import load

        return load({**self._request.flags, **run.settings})


def _not_done(run: PhotoRun | VideoRun, state: OutcomeState, reason: str) -> Outcome:
    model = " or ".join(map(said, specs_of(run)))
    return Outcome(
        name=run.name,
        kind="photos" if isinstance(run, PhotoRun) else "video",
        state=state,
        reason=reason,
        configuration=without_blanks({"about": run.about, "model": model}),
    )
