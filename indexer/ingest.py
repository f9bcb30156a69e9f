"""Paths -> an index: which media need work, whose turn it is, and what came of it."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.crew import Room, Stopped, work_together
from indexer.errors import IndexFailure, MediaError
from indexer.file_job import FileJob, paths_of_suspects
from indexer.media import PHOTO_SUFFIXES, discover
from indexer.photo_batches import PhotoBatches
from indexer.reports import Progress, Report
from indexer.strategy import parse_strategy
from indexer.workers import new_owner, release_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.deferred import DeferredNetworks
    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import Media
    from indexer.work import OnTimes


def ingest(
    index: Index,
    paths: Sequence[str | Path],
    networks: Networks | DeferredNetworks,
    *,
    force: bool = False,
    progress: Progress | None = None,
    after_media: Callable[[Media, Path], int] = lambda _media, _path: 0,
    on_times: OnTimes = lambda _: None,
) -> Report:
    """Index files and folders; one bad file is reported and never ends the run.

    Media that are done under the same options are skipped, unless `force`. Several files, and
    minutes of a video, are worked on side by side, as the settings say. after_media: called at the
    end with each media that is done, new or not, and its path; returns how many labels it gave.
    on_times: told what the stages of each segment took, by several threads at the same time.
    Deferred networks are loaded before the first media is begun that needs them.
    Raises UsageError, ModelMismatch, IndexFailure, WeightsUnavailable: what would hit every file.
    """
    parse_strategy(networks.settings.keyframes.strategy)
    index.adopt_model(networks.identity)
    release_dead(index)
    run = Run(index, networks, progress or Progress(), after_media, on_times, force=force)
    found = list(discover(paths))
    run.progress.start_run(len(found))
    try:
        with index.loading():
            suspect = paths_of_suspects(index)
            numbered = list(enumerate(found))
            run.work_on([each for each in numbered if str(each[1]) in suspect])
            run.work_on([each for each in numbered if str(each[1]) not in suspect])
            # What another process worked on may be done by now, or free again.
            run.work_on([(n, Path(p)) for n, each in run.reports.items() for p in each.waiting])
            run.give_names()
    except BaseException:
        # Should this fail too, the next run finds that this process is dead.
        with suppress(IndexFailure):
            index.release_claims(run.owner, forgive=True)
        raise
    report = Report()
    for _, of_file in sorted(run.reports.items()):
        report.add(of_file)
    return report


class Run:
    """An ingest. turn: what its threads share (reports, progress, names) they use in turn.

    room: suspects, which a worker died with, are worked on first, and alone: one that takes its
    worker down would take others down with it, which would be given up as well. photos: those that
    wait for others. reports: of the files that were ended, by their number.
    """

    def __init__(
        self,
        index: Index,
        networks: Networks | DeferredNetworks,
        progress: Progress,
        after_media: Callable[[Media, Path], int],
        on_times: OnTimes,
        *,
        force: bool,
    ) -> None:
        self.index = index
        self.settings = networks.settings
        self._networks = networks
        self.progress = progress
        self.after_media = after_media
        self.on_times = on_times
        self.force = force
        self.owner = new_owner()
        self.stopped = threading.Event()
        self.turn = threading.RLock()
        self.room = Room()
        self.photos = PhotoBatches(lambda: self.networks)
        self.reports: dict[int, Report] = {}
        self.nameable: dict[int, tuple[Media, Path]] = {}
        self._taken: set[str] = set()

    @property
    def networks(self) -> Networks:
        """The networks, loaded. Raises what `load_networks` does."""
        return self._networks.loaded()

    def work_on(self, files: Sequence[tuple[int, Path | MediaError]]) -> None:
        """Index files, by number, side by side."""
        self._taken.clear()
        self.photos.expect(len(files))
        at_once = self._networks.segments_at_once
        work_together(files, self._begin, threads=at_once, stopped=self.stopped)

    def take(self, media_id: str) -> bool:
        """Take a media to work on it; false if another file with the same bytes was before."""
        with self.turn:
            is_new = media_id not in self._taken
            self._taken.add(media_id)
        return is_new

    def end(self, number: int, path: str, report: Report) -> None:
        """Take note of what came of a file."""
        with self.turn:
            if number not in self.reports:
                self.progress.finish_file(path)
            self.reports[number] = report

    def give_names(self) -> None:
        """Let all media that are done be named, in the order of the files."""
        for number, (media, path) in sorted(self.nameable.items()):
            self.reports[number].labelled += self.after_media(media, path)

    def reach(self, path: str, done_s: float) -> None:
        """Tell how far a file is. Raises Stopped if the run is to end."""
        with self.turn:
            if self.stopped.is_set():
                raise Stopped
            self.progress.reach(path, done_s)

    def _begin(self, file: tuple[int, Path | MediaError]) -> FileJob | None:
        number, path = file
        if isinstance(path, MediaError):
            self.end(number, "", Report(failed=[str(path)]))
            job = None
        else:
            # To find out what a film is may take long in itself.
            self.photos.flush(anyway=path.suffix.lower() not in PHOTO_SUFFIXES)
            job = FileJob(self, number, path)
            job = job if job.begin() else None
        self.photos.begun()
        if job is None or not job.is_photo:
            self.photos.flush(anyway=job is not None)
        return job
