"""One file of an ingest: what it needs, its segments, and its end; several threads can be at it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import ClaimLost, MediaError, NotFound, SightingsError
from indexer.identify import identify
from indexer.labels import unmatched
from indexer.library_threads import decoder_threads
from indexer.media import open_media
from indexer.photo_batches import WaitingPhoto
from indexer.pipeline import LookedPhoto, SegmentFaces, look_at_photo, photo_faces
from indexer.records import Filters
from indexer.reports import Report
from indexer.sources import open_source, spans_of
from indexer.text import about, said_of, shown
from indexer.work import attempt, claim_next, finish_media, store, work_on_segment
from indexer.workers import is_free, unfinished_segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from indexer.engines.base import Index
    from indexer.ingest import Run
    from indexer.records import Media, MediaFile, Segment
    from indexer.sources import Source


class FileJob:
    """A file that is being indexed, by one thread or several."""

    def __init__(self, run: Run, number: int, path: Path) -> None:
        self._run = run
        self._number = number
        self._path = path
        self._report = Report()
        self._opened = ExitStack()
        self._source: Source | None = None
        self._first: Source | None = None
        self._waiting: WaitingPhoto | None = None
        self._segments = self._threads = 0
        self._done_s: dict[int, float] = {}
        self._file: MediaFile
        self._media: Media

    def begin(self) -> bool:
        """Return whether there is work; else the file is ended."""
        with self._failures_noted(), ExitStack() as opened:
            probe = partial(self._probe, opened)
            self._file, self._media = identify(self._run.index, self._path, probe)
            if self._is_current():
                self._skip()
            elif self._run.take(self._media.id):
                self._start(opened)
                return True
            else:
                # It is being indexed under another path: its turn comes when that is done.
                self._report.waiting.append(str(self._path))
        self._run.end(self._number, str(self._path), self._report)
        return False

    @property
    def is_photo(self) -> bool:
        """Whether the file that was begun is a photo."""
        return self._media.kind == "photo"

    def work(self) -> None:
        """Work on segments until none is free; one has the file open already, others open it."""
        run = self._run
        with run.turn:  # a source is read by one thread alone
            source, self._source = self._source, None
            self._threads += 1
            is_needed = self._threads <= self._segments
        with self._failures_noted(), ExitStack() as opened:
            if source is not None:
                opened.enter_context(self._opened)
            elif not (is_needed and self._is_any_free()):
                return  # a file is not opened, nor a photo decoded, for nothing
            else:
                try:
                    source = opened.enter_context(self._open())
                except MediaError:
                    return  # who has it open does all of it
            goes_on = True
            while goes_on:
                alone = _has_suspects(run.index, self._media.id)
                with run.room.enter(alone=alone):
                    goes_on = self._work_on_next(source, alone=alone)

    def finish(self) -> None:
        """Link the media if all of it is finished, and report; a photo may have to wait for it."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._run.photos.add(waiting)
        else:
            self._report_end()
            self._run.photos.flush(anyway=False)

    def _report_end(self) -> None:
        run, path = self._run, self._path
        if not self._report.failed:
            with self._failures_noted():
                settings = run.settings
                media = finish_media(run.index, self._media.id, settings, self._file.path)
                self._note_worked(media)
                if media.state == "done":
                    run.nameable[self._number] = media, path
        run.end(self._number, str(path), self._report)

    def _is_current(self) -> bool:
        media, settings = self._media, self._run.settings
        same_options = media.options == settings.options_for(media.kind)
        return media.state in {"done", "failed"} and same_options and not self._run.force

    def _skip(self) -> None:
        """Take note of the path, and let the media be named, as nothing else is left to do."""
        if self._run.index.find_file(self._file.path) != self._file:
            self._run.index.put_file(self._file)
        if self._media.state == "done":
            self._report.skipped.append(str(self._path))
            self._run.nameable[self._number] = self._media, self._path
        else:
            self._report.failed.append(
                f"{shown(self._path)} failed before: {self._why_failed()} "
                "Use --force to try it again."
            )

    def _why_failed(self) -> str:
        return said_of(str(self._path), self._media.error or "")

    def _probe(self, opened: ExitStack, path: Path) -> Media:
        """Return what the file is; a video is left open to be worked on."""
        settings = self._run.settings
        threads = decoder_threads(settings)
        media, reader = open_media(path, "", settings.media, threads=threads)
        if reader is not None:
            self._first = opened.enter_context(reader)
        return media

    def _start(self, opened: ExitStack) -> None:
        run, media, settings = self._run, self._media, self._run.settings
        _ = run.networks  # what is wrong with them is told before any work
        with run.turn:
            run.progress.start_file(self._file.path, media.duration_s)
        if self._first is None:
            self._first = opened.enter_context(self._open())
        self._source = self._first
        spans = spans_of(self._source, media.kind, settings.keyframes.segment_s)
        # The file first: a media without any is what `media prune` removes.
        run.index.put_file(self._file)
        options = settings.options_for(media.kind)
        run.index.start_media(replace(media, options=options), spans)
        self._segments = len(spans)
        self._opened = opened.pop_all()

    def _is_any_free(self) -> bool:
        return any(map(is_free, unfinished_segments(self._run.index, self._media.id)))

    def _open(self) -> AbstractContextManager[Source]:
        path, kind, settings = Path(self._file.path), self._media.kind, self._run.settings
        return open_source(path, kind, settings, first=self._first)

    def _work_on_next(self, source: Source, *, alone: bool) -> bool:
        """Work on a segment that is free; return whether there was one."""
        segment = claim_next(self._run.index, self._media.id, self._run.owner)
        if segment is None:
            return False
        if self.is_photo and not alone:
            self._look_at(segment, source)
        else:
            self._work_on(segment, source)
        return True

    def _look_at(self, segment: Segment, source: Source) -> None:
        """Look at a photo, which then waits for others without its picture."""
        run = self._run
        self._first = None

        def looked() -> LookedPhoto:
            return look_at_photo(
                self._media, source, run.networks, on_time=lambda _: run.reach(self._file.path, 0.0)
            )

        with suppress(ClaimLost):
            found = attempt(run.index, segment, looked)
            if isinstance(found, LookedPhoto):
                self._waiting = WaitingPhoto(found, partial(self._store, segment, found))

    def _store(self, segment: Segment, looked: LookedPhoto, faces: SegmentFaces | None) -> None:
        """Store a photo's faces, which are yet to be embedded if none are given; end the file."""
        run = self._run

        def embedded() -> SegmentFaces:
            return faces or photo_faces([looked], run.networks)[0]

        with self._failures_noted(), suppress(ClaimLost):
            found = attempt(run.index, segment, embedded)
            if isinstance(found, SegmentFaces):
                store(run.index, segment, found, looked.times, run.on_times)
        self._report_end()

    def _work_on(self, segment: Segment, source: Source) -> None:
        span = segment.span

        def reach(timestamp_s: float) -> None:
            self._done_s[span.number] = timestamp_s - span.start_s
            self._run.reach(self._file.path, sum(list(self._done_s.values())))

        with suppress(ClaimLost):
            work_on_segment(
                self._run.index,
                segment,
                self._media,
                lambda: source,
                self._run.networks,
                on_time=reach,
                on_times=self._run.on_times,
            )
        self._done_s[span.number] = min(span.end_s, self._media.duration_s or 0.0) - span.start_s

    @contextmanager
    def _failures_noted(self) -> Iterator[None]:
        """Note what is wrong with the file, so that the run goes on with others."""
        try:
            yield
        except MediaError as error:
            self._report.failed = [str(error)]
        except NotFound:
            text = f"{shown(self._path)} was removed from the index while it was worked on."
            self._report.failed = [text]
        except SightingsError:
            raise
        except Exception as error:  # what decoders and networks raise has no common base
            text = f"{shown(self._path)}: unexpected {type(error).__name__}: {error}"
            self._report.failed = [text]

    def _note_worked(self, media: Media) -> None:
        report = self._report
        if media.state in ("queued", "working"):
            report.waiting.append(str(self._path))
            return
        report.warnings += media.warnings
        if media.state == "done":
            report.done.append(str(self._path))
        else:
            report.failed.append(about(str(self._path), media.error or ""))
        faces = list(self._run.index.iter_faces(Filters(media_ids=(media.id,))))
        report.faces += len(faces)
        report.lost_labels += unmatched(faces, self._run.index.list_labels([media.id]))


def paths_of_suspects(index: Index) -> set[str]:
    """Return the paths of media that have segments with which a worker died."""
    return {
        path
        for media in index.iter_media(states=("working",))
        if _has_suspects(index, media.id)
        for path in media.paths
    }


def _has_suspects(index: Index, media_id: str) -> bool:
    """Whether a media has free segments that were begun before and never ended."""
    segments = unfinished_segments(index, media_id)
    return any(segment.attempts and is_free(segment) for segment in segments)
