"""Paths -> an index: which media need work, whose turn it is, and what came of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import ClaimLost, IndexFailure, MediaError, NotFound, SightingsError
from indexer.identify import identify, looking
from indexer.labels import unmatched
from indexer.media import discover
from indexer.records import Filters
from indexer.sources import open_source, spans_of
from indexer.strategy import parse_strategy
from indexer.text import shown
from indexer.work import claim_next, finish_media, work_on_segment
from indexer.workers import new_owner, release_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import Label, Media, MediaFile


class Progress:
    """Told what an ingest is doing; this one tells nobody."""

    def start_run(self, files: int) -> None:
        """Take note that so many files were found."""

    def start_file(self, path: str, duration_s: float | None) -> None:
        """Take note that a file is being worked on; photos have no duration."""

    def reach(self, timestamp_s: float) -> None:
        """Take note that the file being worked on is done up to this time."""

    def finish_file(self) -> None:
        """Take note that the file is done, skipped or failed."""


@dataclass
class Report:
    """What an ingest did: paths by outcome, and in words what went wrong; each text names its path.

    waiting: media of which another process still works on a part. faces: those stored of the media
    that are done, `labelled`: names given to faces.
    """

    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lost_labels: list[Label] = field(default_factory=list)
    faces: int = 0
    labelled: int = 0


def ingest(
    index: Index,
    paths: Sequence[str | Path],
    networks: Networks,
    *,
    force: bool = False,
    progress: Progress | None = None,
    after_media: Callable[[Media, Path], int] = lambda _media, _path: 0,
) -> Report:
    """Index files and folders; one bad file is reported and never ends the run.

    Media that are done under the same options are skipped, unless `force`. after_media: called
    with each media that is done, new or not, and its path; returns how many labels it gave.
    Raises UsageError, ModelMismatch, IndexFailure: what would hit every file.
    """
    parse_strategy(networks.settings.keyframes.strategy)
    index.adopt_model(networks.embedder.identity)
    release_dead(index)
    run = _Run(index, networks, progress or Progress(), Report(), new_owner(), force=force)
    found = list(discover(paths))
    run.progress.start_run(len(found))
    try:
        with index.loading():
            for item in found:
                if isinstance(item, MediaError):
                    run.report.failed.append(str(item))
                else:
                    run.file_and_names(item, after_media)
                run.progress.finish_file()
            # What another process worked on may be done by now, or free again.
            waiting, run.report.waiting = run.report.waiting, []
            for path in waiting:
                run.file_and_names(Path(path), after_media)
    except BaseException:
        # Should this fail too, the next run finds that this process is dead.
        with suppress(IndexFailure):
            index.release_claims(run.owner, forgive=True)
        raise
    return run.report


@dataclass
class _Run:
    index: Index
    networks: Networks
    progress: Progress
    report: Report
    owner: str
    force: bool

    def file_and_names(self, path: Path, after_media: Callable[[Media, Path], int]) -> None:
        """Index one file, and let it be named once it is done."""
        media = self.file(path)
        if media is not None and media.state == "done":
            self.report.labelled += after_media(media, path)

    def file(self, path: Path) -> Media | None:
        """Index one file and note the outcome; None if it cannot be read at all."""
        try:
            file, media = identify(self.index, path, looking(self.networks.settings))
            if self._is_current(media):
                if self.index.find_file(file.path) != file:
                    self.index.put_file(file)
                self._note_skipped(path, media)
                return media
            self.progress.start_file(file.path, media.duration_s)
            media = self._work(file, media)
        except MediaError as error:
            self.report.failed.append(str(error))
            return None
        except NotFound:
            self.report.failed.append(
                f"{shown(path)} was removed from the index while it was worked on."
            )
            return None
        except SightingsError:
            raise
        except Exception as error:  # what decoders and networks raise has no common base
            self.report.failed.append(f"{shown(path)}: unexpected {type(error).__name__}: {error}")
            return None
        self._note_worked(path, media)
        return media

    def _is_current(self, media: Media) -> bool:
        options = self.networks.settings.options_for(media.kind)
        return media.state in {"done", "failed"} and media.options == options and not self.force

    def _work(self, file: MediaFile, media: Media) -> Media:
        """Work on every segment that is free; link the media if all are finished."""
        index, settings = self.index, self.networks.settings
        with open_source(Path(file.path), media.kind, settings) as source:
            spans = spans_of(source, media.kind, settings.keyframes.segment_s)
            # The file first: a media without any is what `media prune` removes.
            index.put_file(file)
            index.start_media(replace(media, options=settings.options_for(media.kind)), spans)
            while segment := claim_next(index, media.id, self.owner):
                with suppress(ClaimLost):
                    work_on_segment(
                        index,
                        segment,
                        media,
                        lambda: source,
                        self.networks,
                        on_time=self.progress.reach,
                    )
        return finish_media(index, media.id, settings, file.path)

    def _note_skipped(self, path: Path, media: Media) -> None:
        if media.state == "done":
            self.report.skipped.append(str(path))
        else:
            self.report.failed.append(
                f"{shown(path)} failed before: {media.error} Use --force to try it again."
            )

    def _note_worked(self, path: Path, media: Media) -> None:
        if media.state in ("queued", "working"):
            self.report.waiting.append(str(path))
            return
        self.report.warnings += media.warnings
        if media.state == "done":
            self.report.done.append(str(path))
        else:
            self.report.failed.append(f"{shown(path)}: {media.error}")
        faces = list(self.index.iter_faces(Filters(media_ids=(media.id,))))
        self.report.faces += len(faces)
        self.report.lost_labels += unmatched(faces, self.index.list_labels([media.id]))
