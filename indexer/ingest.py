"""Paths -> an index: which media need work, whose turn it is, and what came of it."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import ClaimLost, IndexFailure, MediaError, NotFound, SightingsError
from indexer.files import status_of
from indexer.labels import unmatched
from indexer.media import content_id, discover, probe
from indexer.pipeline import link_gap_s, process_segment
from indexer.records import Filters, MediaFile
from indexer.sources import open_source, spans_of
from indexer.strategy import parse_strategy
from indexer.text import shown
from indexer.workers import is_dead, new_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import Label, Media, Segment
    from indexer.sources import Source

LEASE_S = 300.0
"""How long a claim holds without renewal; longer than any one batch of frames takes."""

MAX_ATTEMPTS = 3
"""A segment that took its worker down this often is given up."""


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
    for owner in index.claim_owners():
        if is_dead(owner):
            index.release_claims(owner)
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
            file, media = self._identify(path)
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

    def _identify(self, path: Path) -> tuple[MediaFile, Media]:
        """Return the file as it is now and its media, as stored or, if new, as probed."""
        stat = status_of(path)
        known = self.index.find_file(str(path))
        unchanged = known and (known.size_bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
        media_id = known.media_id if known and unchanged else content_id(path)
        media = self.index.get_media(media_id)
        media = media or probe(path, media_id, self.networks.settings.media)
        return MediaFile(str(path), stat.st_size, stat.st_mtime_ns, media_id), media

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
            labels = index.list_labels([media.id])
            while segment := index.claim_segment(
                media.id, owner=self.owner, lease_s=LEASE_S, max_attempts=MAX_ATTEMPTS
            ):
                with suppress(ClaimLost):
                    self._segment(segment, media, source, labels)
            warnings = [f"{shown(file.path)}: {warning}" for warning in source.warnings()]
        self.report.warnings += warnings
        linking = replace(settings.appearances, max_gap_s=link_gap_s(settings))
        return index.link_appearances(media.id, linking, warnings=warnings)

    def _segment(
        self, segment: Segment, media: Media, source: Source, labels: Sequence[Label]
    ) -> None:
        renewed_s = time.monotonic()

        def on_time(timestamp_s: float) -> None:
            nonlocal renewed_s
            self.progress.reach(timestamp_s)
            if time.monotonic() - renewed_s > LEASE_S / 3:
                self.index.renew_claim(segment, lease_s=LEASE_S)
                renewed_s = time.monotonic()

        try:
            result = process_segment(
                media, segment.span, source, self.networks, labels=labels, on_time=on_time
            )
        except MediaError as error:
            self.index.fail_segment(segment, str(error))
            return
        except SightingsError:
            raise
        except Exception as error:  # what decoders and networks raise has no common base
            self.index.fail_segment(segment, f"Unexpected {type(error).__name__}: {error}")
            return
        self.index.finish_segment(segment, result.faces, tracks=result.tracks, counts=result.counts)

    def _note_skipped(self, path: Path, media: Media) -> None:
        if media.state == "done":
            self.report.skipped.append(str(path))
        else:
            self.report.failed.append(
                f"{shown(path)} failed before: {media.error} Use --force to try it again."
            )

    def _note_worked(self, path: Path, media: Media) -> None:
        if media.state == "working":
            self.report.waiting.append(str(path))
            return
        if media.state == "done":
            self.report.done.append(str(path))
        else:
            self.report.failed.append(f"{shown(path)}: {media.error}")
        faces = list(self.index.iter_faces(Filters(media_ids=(media.id,))))
        self.report.faces += len(faces)
        self.report.lost_labels += unmatched(faces, self.index.list_labels([media.id]))
